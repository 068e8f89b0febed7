"""A Parquet file as texts, each cell as a CSV would spell it, so that one grammar reads both. It knows no kind's rules.

What the file says of a column's type stays known: digits in a column of texts are texts.
"""

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from functions.inference.cells import column_name
from training.endings import Mistake
from training.tables import memory
from training.tables.columns import Kind
from training.tables.records import Choose

OF_A_CELL = 250  # bytes: its text, and what memory.OF_A_CELL is for


@dataclass(frozen=True, slots=True)
class Columns:
    """`names`: all of the file. The rest is of the chosen ones: a text for every row, and what the file declares."""

    names: list[str]
    texts: list[list[str]]
    declared: list[Kind | None]


def read_parquet(body: bytes, choose: Choose) -> Columns:
    """Raises Mistake for a broken file, one larger than memory, and chosen columns that hold no single values."""
    try:
        file = pq.ParquetFile(io.BytesIO(body))
    except (pa.ArrowException, OSError) as error:
        raise Mistake(f"the Parquet file is broken or cut off ({_first_line(error)}); make it anew") from None
    schema = file.schema_arrow
    names = [column_name(name) for name in schema.names]
    if not file.metadata.num_rows:
        raise Mistake("the file has columns and no rows; there is nothing to learn from")
    places = choose(names)
    memory.refuse_beyond(file.metadata.num_rows * len(places) * OF_A_CELL)
    fields = [schema.field(place) for place in places]
    for field in fields:
        _spelling(field)
    try:
        table = file.read(columns=[field.name for field in fields], use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise Mistake(f"the Parquet file is broken or cut off ({_first_line(error)}); make it anew") from None
    texts = []
    for field in fields:
        spell = _spelling(field)
        cells = table.column(field.name).to_pylist()
        texts.append(["" if cell is None else spell(cell) for cell in cells])
    return Columns(names, texts, [_declared(field.type) for field in fields])


def _declared(kind: pa.DataType) -> Kind | None:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return "category" if pa.types.is_string(kind) or pa.types.is_large_string(kind) else None


def _spelling(field: pa.Field) -> Callable[[Any], str]:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_floating(kind):
        return lambda number: "" if math.isnan(number) else repr(float(number))
    if pa.types.is_boolean(kind):
        return lambda truth: "true" if truth else "false"
    if pa.types.is_temporal(kind) and not pa.types.is_duration(kind):
        return lambda moment: str(moment.isoformat())
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return str
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return str
    raise Mistake(f"column {field.name!r} holds {kind}, which is no single value; leave it out with --drop")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
