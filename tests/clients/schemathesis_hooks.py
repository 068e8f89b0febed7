"""What schemathesis cannot know of the API: how CSV and JSON Lines are written, and what no JSON Schema can say.

Loaded by schemathesis itself (SCHEMATHESIS_HOOKS), by the clients' Python; SERVED_URL names the gateway.
"""

import csv
import io
import json
import os
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.request import urlopen

import schemathesis
from hypothesis import strategies as st

with urlopen(f"{os.environ['SERVED_URL']}/schema") as answer:  # noqa: S310 # the gateway the test opened
    FEATURES: dict[str, dict[str, Any]] = json.load(answer)["$defs"]["object"]["properties"]

WORDS = st.text("abc ,;\"'\n\r\té漢", min_size=1).map(lambda text: f"_{text}")  # never a word for a missing value
LARGEST = 1e100  # beyond it, a pipeline's own arithmetic may leave float64
NUMBERS = st.floats(-LARGEST, LARGEST) | st.integers(-(2**53), 2**53)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "number": NUMBERS,
    "boolean": st.booleans(),
    "string": WORDS,
    "null": st.none(),
}


def value_of(feature: dict[str, Any]) -> st.SearchStrategy[Any]:
    kinds = [feature["type"]] if isinstance(feature["type"], str) else feature["type"]
    return st.one_of([VALUES[kind] for kind in kinds])


ROWS = st.lists(st.tuples(*(value_of(feature) for feature in FEATURES.values())), min_size=1, max_size=4)


def sheet(rows: list[tuple[Any, ...]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows([list(FEATURES), *rows])
    return written.getvalue().encode()


def lines(rows: list[tuple[Any, ...]]) -> bytes:
    return b"\n".join(json.dumps({"features": row}).encode() for row in rows)


schemathesis.openapi.media_type("text/csv", ROWS.map(sheet))
schemathesis.openapi.media_type("application/jsonlines", ROWS.map(lines))


def as_it_is(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def before_load_schema(_context: Any, raw_schema: dict[str, Any]) -> None:
    """schemathesis wants examples of media types with a strategy to be bytes, which no JSON document can hold."""
    for media in raw_schema["paths"]["/invocations"]["post"]["requestBody"]["content"].values():
        media.pop("example", None)


def filter_case(_context: Any, case: Any) -> bool:
    """Left out: numbers that float64 or the pipeline cannot hold, and columns of different lengths under `inputs`."""
    return not (anywhere(case.body, is_beyond_float64) or has_ragged_columns(case.body))


def map_case(_context: Any, case: Any) -> Any:
    """A tensor's data as many as its shape says, all tensors of as many rows, an output asked for once."""
    if case.path.endswith("/infer") and case.meta.generation.mode.is_positive and isinstance(case.body, dict):
        tensors = case.body["inputs"]
        together = len(tensors) == 1 < len(FEATURES)
        flat = [[value for row in tensor["data"] for value in (row if isinstance(row, list) else [row])]
                for tensor in tensors]  # fmt: skip
        width = len(FEATURES) if together else 1
        rows = min(len(data) // width for data in flat)
        for tensor, data in zip(tensors, flat, strict=True):
            tensor["data"] = data[: rows * width]
            tensor["shape"] = [rows, width] if together else [rows, *tensor["shape"][1:]]
        if case.body.get("outputs"):
            case.body["outputs"] = list({each["name"]: each for each in case.body["outputs"]}.values())
    return case


def anywhere(value: Any, holds: Callable[[Any], bool]) -> bool:
    if isinstance(value, dict):
        return any(anywhere(each, holds) for each in value.values())
    if isinstance(value, list):
        return any(anywhere(each, holds) for each in value)
    return holds(value)


def is_beyond_float64(value: Any) -> bool:
    """A whole number that float64 rounds, or any so large that sums of it leave float64; also as a text."""
    if isinstance(value, str):
        try:
            value = Decimal(value.strip())
        except InvalidOperation:
            return False
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not Decimal(value).is_finite():
        return False
    exact = Decimal(value)
    return exact.copy_abs() > LARGEST or (exact == exact.to_integral_value() and exact != Decimal(float(exact)))


def has_ragged_columns(body: Any) -> bool:
    columns = body.get("inputs") if isinstance(body, dict) else None
    if not isinstance(columns, dict):
        return False
    return len({len(values) if isinstance(values, list) else 1 for values in columns.values()}) > 1


schemathesis.serializer("text/csv", "application/jsonlines")(as_it_is)
schemathesis.hook(before_load_schema)
schemathesis.hook(map_case)
schemathesis.hook(filter_case)
