"""The two halves of scoring, without a model: cells to float64, and rows with a cell appended. Who does them how fast?

Everybody gets the same block of bytes, in turn, in one process, with all processors. Exact means: on numbers that are
hard to read, every bit as Python's `float()` has it; and every byte as a plain loop makes it.
Run by the rivals' Python: `python -m benchmarks.batch.blocks <table> <rounds>`; raw figures (JSON) on standard output.
"""

import io
import json
import random
import struct
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.batch import blocks_of_ours
from benchmarks.batch.tables import IRIS

FEATURES = list(IRIS)
LABELS = ["setosa", "versicolor", "virginica"]
HARD = 20_000

Array = Any  # of numpy, by programs without types


def parse_by_python(block: bytes) -> Array:
    rows = [line.split(b",") for line in block.splitlines()[1:]]
    return np.array([[float(cell) for cell in row[1:]] for row in rows])


def parse_by_numpy(block: bytes) -> Array:
    return np.loadtxt(io.BytesIO(block), delimiter=",", skiprows=1, usecols=range(1, 5))


def parse_by_pandas(block: bytes) -> Array:
    import pandas as pd

    return pd.read_csv(io.BytesIO(block), usecols=FEATURES, dtype="float64").to_numpy()


def parse_by_pyarrow(block: bytes) -> Array:
    import pyarrow as pa
    from pyarrow import csv

    types = csv.ConvertOptions(include_columns=FEATURES, column_types=dict.fromkeys(FEATURES, pa.float64()))
    table = csv.read_csv(pa.BufferReader(block), convert_options=types)
    return np.column_stack([table.column(name).to_numpy() for name in FEATURES])


def parse_by_polars(block: bytes) -> Array:
    import polars as pl

    types = dict.fromkeys(FEATURES, pl.Float64)
    return pl.read_csv(block, columns=FEATURES, schema_overrides=types).select(FEATURES).to_numpy()


def parse_by_arro3(block: bytes) -> Array:
    from arro3.core import DataType, Field, Schema
    from arro3.io import read_csv

    schema = Schema([Field("id", DataType.int64()), *(Field(name, DataType.float64()) for name in FEATURES)])
    batches = list(read_csv(io.BytesIO(block), schema, has_header=True, batch_size=65_536))
    columns = [np.concatenate([batch.column(name).to_numpy() for batch in batches]) for name in FEATURES]
    return np.column_stack(columns)


def append_by_python(block: bytes, classes: Array) -> bytes:
    header, *lines = block[:-1].split(b"\n")
    labels = [b"," + label.encode() + b"\n" for label in LABELS]
    pairs = zip(lines, classes.tolist(), strict=True)
    return header + b",prediction\n" + b"".join([part for line, index in pairs for part in (line, labels[index])])


def append_by_pyarrow(block: bytes, classes: Array) -> bytes:
    import pyarrow as pa
    from pyarrow import compute

    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n")).astype(np.int32)
    lines = pa.Array.from_buffers(pa.binary(), len(ends), [None, pa.py_buffer(_offsets(ends)), pa.py_buffer(block)])
    labels = pa.array([f"{label}".encode() for label in LABELS]).take(pa.array(classes))
    joined = compute.binary_join_element_wise(lines.slice(1), labels, b",")
    # Every line but the first begins with the line end before it; so what is joined is whole but for the last one.
    head = bytes(lines[0].as_py()) + b",prediction"
    scored: bytes = joined.buffers()[2].to_pybytes()
    return head + scored + b"\n"


def append_by_polars(block: bytes, classes: Array) -> bytes:
    import polars as pl

    lines = pl.read_csv(block, separator="\x1f", has_header=True, quote_char=None, infer_schema=False)
    labels = pl.Series(LABELS).gather(classes)
    header = lines.columns[0]
    output = io.BytesIO()
    joined = lines.select(pl.concat_str(pl.col(header), labels.alias("label"), separator=","))
    joined.write_csv(output, include_header=False, separator="\x1f", quote_style="never")
    return f"{header},prediction\n".encode() + output.getvalue()


PARSERS: dict[str, tuple[Callable[[bytes], Array], tuple[str, ...]]] = {
    "ours, on numpy": (blocks_of_ours.parse, ()),
    "ours, cell by cell": (blocks_of_ours.parse_cell_by_cell, ()),
    "Python's float()": (parse_by_python, ()),
    "numpy.loadtxt": (parse_by_numpy, ()),
    "pandas": (parse_by_pandas, ("pandas",)),
    "pyarrow": (parse_by_pyarrow, ("pyarrow",)),
    "polars": (parse_by_polars, ("polars", "polars-runtime-32")),
    "arro3": (parse_by_arro3, ("arro3-core", "arro3-io")),
}
"""By name: a block with its header to n by 4 float64, and the packages that have to be installed beside numpy."""

APPENDERS: dict[str, tuple[Callable[[bytes, Array], bytes], tuple[str, ...]]] = {
    "ours, on numpy": (blocks_of_ours.append, ()),
    "a loop in Python": (append_by_python, ()),
    "pyarrow, binary_join_element_wise": (append_by_pyarrow, ("pyarrow",)),
    "polars, concat_str": (append_by_polars, ("polars", "polars-runtime-32")),
}
"""By name: a block with its header and n class indices, to the block with a column of labels."""


def run(block: bytes, rounds: int) -> dict[str, Any]:
    """`{"parse" | "append": {name: {"seconds", "processor_seconds", "exact", "installed_bytes"}}}`."""
    classes = np.random.default_rng(0).integers(0, len(LABELS), block.count(b"\n") - 1)
    hard = hard_block(HARD)
    expected, wanted = parse_by_python(hard), append_by_python(block, classes)
    exactly = {name: _same(parse, hard, expected) for name, (parse, _) in PARSERS.items()}
    return {
        "parse": _timed(
            {name: partial(parse, block) for name, (parse, _) in PARSERS.items()},
            exactly,
            {name: packages for name, (_, packages) in PARSERS.items()},
            rounds,
        ),
        "append": _timed(
            {name: partial(append, block, classes) for name, (append, _) in APPENDERS.items()},
            {name: append(block, classes) == wanted for name, (append, _) in APPENDERS.items()},
            {name: packages for name, (_, packages) in APPENDERS.items()},
            rounds,
        ),
    }


def hard_block(rows: int) -> bytes:
    """Numbers as programs write them and as few can read them: 17 digits, all exponents, halfway cases."""
    source = random.Random(0)  # noqa: S311 # to be the same in every run
    makers: list[Callable[[], str]] = [
        lambda: repr(struct.unpack("<d", struct.pack("<Q", source.getrandbits(62)))[0]),
        lambda: f"{source.uniform(-1000, 1000):.17g}",
        lambda: f"{source.getrandbits(53)}.{source.choice((0, 25, 5, 75))}",
        lambda: f"{source.getrandbits(30)}e{source.randint(-30, 30)}",
        lambda: f"0.{source.getrandbits(64):020}",
    ]
    lines = [f"{number}," + ",".join(source.choice(makers)() for _ in FEATURES) for number in range(rows)]
    return "\n".join([",".join(["id", *FEATURES]), *lines, ""]).encode()


def _offsets(ends: Array) -> Array:
    return np.concatenate([np.zeros(1, np.int32), ends])


def _same(parse: Callable[[bytes], Array], block: bytes, expected: Array) -> bool:
    return bool(np.array_equal(np.asarray(parse(block), np.float64).view(np.uint64), expected.view(np.uint64)))


def _timed(
    calls: dict[str, Callable[[], Any]], exact: dict[str, bool], packages: dict[str, Sequence[str]], rounds: int
) -> dict[str, Any]:
    """Every one in turn, after each has been called once."""
    raw: dict[str, dict[str, Any]] = {}
    for name in calls:
        size = sum(map(_installed, packages[name]))
        raw[name] = {"seconds": [], "processor_seconds": [], "exact": exact[name], "installed_bytes": size}
    for number in range(rounds + 1):
        for name, call in calls.items():
            used, began = time.process_time(), time.perf_counter()
            call()
            seconds, processor = time.perf_counter() - began, time.process_time() - used
            if number:
                raw[name]["seconds"].append(seconds)
                raw[name]["processor_seconds"].append(processor)
    return raw


def _installed(package: str) -> int:
    """Bytes of a package's own files, as pip installs them; compiled bytecode left out."""
    files = metadata.files(package) or []
    return sum(Path(str(file.locate())).stat().st_size for file in files if not str(file).endswith(".pyc"))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(Path(sys.argv[1]).read_bytes(), int(sys.argv[2]))))
