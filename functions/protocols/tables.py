"""Tables as MLflow's and SageMaker's clients write them, turned into rows that the schema can check.

A value that fits after all (a numeric text, a whole number for a text) is turned into what it spells; one that does not
is left as it came, so that the schema names its row and column.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from functions.errors import InvalidBody
from functions.inference import cells
from functions.protocols import strict_json
from functions.signature import Feature, Label, Signature

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
HINT = f"send an object with exactly one of {', '.join(FORMS)}"
LINE_HINT = 'each line is a list, an object by feature name, or {"features": [...]}'


def from_json(body: bytes, signature: Signature) -> list[Any]:
    """Rows of one of MLflow's four forms. Raises InvalidBody."""
    document = strict_json.decode(body, b"instances") if body.strip() else None
    if not isinstance(document, dict):
        raise InvalidBody(f"the body is {'no object' if body.strip() else 'empty'}; {HINT}")
    given = [form for form in FORMS if form in document]
    if len(given) != 1:
        raise InvalidBody(f"the body has {' and '.join(given) or 'none of them'}; {HINT}")
    (form,) = given
    rows = _FORM[form](document[form])
    if not rows:
        _check_columns(form, document[form], signature)
    return _coerced(rows, signature)


def from_json_lines(body: bytes, signature: Signature) -> list[Any]:
    """Rows, one JSON value a line. Raises InvalidBody."""
    rows = []
    for number, line in enumerate(body.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = strict_json.decode(line, b"features")
        except InvalidBody as error:
            raise InvalidBody(f"line {number}: {error.message}") from None
        if isinstance(row, dict) and set(row) == {"features"} and "features" not in signature.names:
            row = row["features"]
        if not isinstance(row, dict | list):
            raise InvalidBody(f"line {number} is {type(row).__name__}; {LINE_HINT}")
        rows.append(row)
    return _coerced(rows, signature)


def from_csv(body: bytes, signature: Signature, *, header: bool) -> list[list[Any]]:
    """Rows of a CSV with commas, by name where it has a header, else in the model's order. Raises InvalidBody."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidBody(f"the body is not UTF-8: byte {error.start}") from None
    records = _records(text, one_column=len(signature.features) == 1)
    positions = list(range(len(signature.features)))
    width = len(positions)
    if header:
        try:
            names = [name.strip() for name in next(records)]
        except StopIteration:
            raise InvalidBody("the body is empty; send a header and rows") from None
        positions, width = _positions(names, signature), len(names)
    rows: list[list[Any]] = []
    for record in records:
        if len(record) != width:
            raise InvalidBody(f"row {len(rows)} has {len(record)} cells where {width} are expected")
        pairs = zip(signature.features, (record[position] for position in positions), strict=True)
        rows.append([_cell(text, feature) for feature, text in pairs])
    return rows


def csv_lines(values: Sequence[Label | float]) -> bytes:
    """One value a line, quoted where it has to be."""
    sheet = io.StringIO()
    csv.writer(sheet, lineterminator="\n").writerows(
        [str(value).lower() if isinstance(value, bool) else value] for value in values
    )
    return sheet.getvalue().encode()


def _records(text: str, *, one_column: bool) -> Iterator[list[str]]:
    """Blank lines are no records, but a missing value where there is one column only."""
    try:
        for record in csv.reader(io.StringIO(text, newline=""), strict=True):
            if record or one_column:
                yield record or [""]
    except csv.Error as error:
        raise InvalidBody(f"the body is not CSV: {error}") from None


def _positions(names: list[str], signature: Signature) -> list[int]:
    missing = [name for name in signature.names if name not in names]
    if missing:
        raise InvalidBody(
            f"the header lacks {', '.join(map(repr, missing))}; without a header send text/csv; header=absent"
        )
    twice = [name for name in signature.names if names.count(name) > 1]
    if twice:
        raise InvalidBody(f"the header names {', '.join(map(repr, twice))} more than once")
    return [names.index(name) for name in signature.names]


def _cell(text: str, feature: Feature) -> Any:
    try:
        return cells.read(text, feature.dtype)
    except cells.BadCell:
        return text


def _split(table: Any) -> list[Any]:
    if not isinstance(table, dict) or not isinstance(table.get("data"), list):
        raise InvalidBody('dataframe_split is to be {"columns": [...], "data": [[...], ...]}')
    columns = table.get("columns")
    if columns is None:
        return list(table["data"])
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise InvalidBody("dataframe_split's columns are to be a list of names")
    if len(set(columns)) < len(columns):
        raise InvalidBody("dataframe_split names a column twice")
    rows = []
    for index, row in enumerate(table["data"]):
        if not isinstance(row, list) or len(row) != len(columns):
            raise InvalidBody(f"dataframe_split's row {index} is to be a list of {len(columns)} values")
        rows.append(dict(zip(columns, row, strict=True)))
    return rows


def _records_form(table: Any) -> list[Any]:
    if not isinstance(table, list) or not all(isinstance(row, dict) for row in table):
        raise InvalidBody("dataframe_records is to be a list of objects by feature name")
    return table


def _instances(table: Any) -> list[Any]:
    if not isinstance(table, list):
        raise InvalidBody("instances is to be a list of rows")
    if table and not any(isinstance(row, list | dict) for row in table):
        return [[value] for value in table]  # one column
    return table


def _inputs(table: Any) -> list[Any]:
    if not isinstance(table, dict):
        return _instances(table)
    columns = {name: values if isinstance(values, list) else [values] for name, values in table.items()}
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        told = ", ".join(f"{name} has {len(values)}" for name, values in columns.items())
        raise InvalidBody(f"the columns of inputs are of different lengths: {told}"[:300])
    return [
        {name: values[index] for name, values in columns.items()} for index in range(lengths.pop() if lengths else 0)
    ]


def _check_columns(form: str, table: Any, signature: Signature) -> None:
    """A table without rows has no row to be checked, but it may have columns. Raises InvalidBody."""
    columns = table.get("columns") if form == "dataframe_split" else table if isinstance(table, dict) else None
    if columns is None:
        return
    names = {name.strip() for name in columns}
    missing = [name for name in signature.names if name not in names]
    if missing:
        raise InvalidBody(f"{form} lacks the columns {', '.join(map(repr, missing))}")


_FORM = {
    "dataframe_split": _split,
    "dataframe_records": _records_form,
    "instances": _instances,
    "inputs": _inputs,
}


def _coerced(rows: list[Any], signature: Signature) -> list[Any]:
    by_name = {feature.name: feature for feature in signature.features}
    found: list[Any] = []
    for row in rows:
        if isinstance(row, dict):
            known = {name: feature for name in row if (feature := by_name.get(name.strip()))}
            found.append({name: _value(row[name], feature) for name, feature in known.items()})
        elif isinstance(row, list) and len(row) == len(signature.features):
            found.append([_value(value, feature) for value, feature in zip(row, signature.features, strict=True)])
        else:
            found.append(row)
    return found


def _value(value: Any, feature: Feature) -> Any:
    if isinstance(value, list) and len(value) == 1:  # a tensor of one column
        value = value[0]
    if isinstance(value, float) and value != value:  # NaN, with which pandas and so MLflow's client says "missing"
        return None
    if feature.dtype == "float64":
        if isinstance(value, bool):
            return float(value)
        return _cell(value, feature) if isinstance(value, str) else value
    if feature.dtype == "bool":
        whole = isinstance(value, int | float) and value in (0, 1)
        return bool(value) if whole else value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
