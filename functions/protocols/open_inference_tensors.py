"""One tensor of the Open Inference Protocol as JSON writes it, read as it is; it knows no model."""

import math
from typing import Any, NamedTuple

from functions.inference.schema import LONGEST_FOUND

WHOLE = {f"INT{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)} | {
    f"UINT{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)
}
"""The least and the most an element may be."""

TOO_LARGE = {"FP16": 65520.0, "FP32": (2 - 2**-24) * 2.0**127, "FP64": math.inf}
"""The least number that would be rounded to infinity (IEEE 754)."""

KNOWN = ("BOOL", *WHOLE, *TOO_LARGE, "BYTES")


class Tensor(NamedTuple):
    """`data` is flat, in row-major order, and has as many elements as `shape` says."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Any]


def read(given: dict[str, Any], index: int, problems: list[str]) -> Tensor | None:
    """The tensor that one of a request's `inputs` is; None where something is wrong, which `problems` tell."""
    name, datatype, shape = given.get("name"), given.get("datatype"), given.get("shape")
    if not isinstance(name, str):
        problems.append(f"inputs[{index}] has no name")
        return None
    title = f"tensor {name[:80]!r}"
    before = len(problems)
    if datatype not in KNOWN:
        problems.append(f"{title} has the datatype {_short(datatype)}, expected one of {', '.join(KNOWN)}")
    if not isinstance(shape, list) or not _is_shape(shape):
        problems.append(f"{title} has the shape {_short(shape)}, expected one or two whole numbers from 0")
    elif not isinstance(given.get("data"), list):
        problems.append(f"{title} has no list of data")
    elif len(problems) == before:
        sizes = [int(size) for size in shape]
        data = _flat(title, given["data"], sizes, problems)
        if len(problems) == before:
            return Tensor(name.strip(), str(datatype), sizes, data)
    return None


def _is_shape(shape: list[Any]) -> bool:
    return len(shape) in (1, 2) and all(_is_size(size) for size in shape)


def _is_size(size: Any) -> bool:
    """3.0 is a whole number, as JSON Schema has it."""
    return type(size) in (int, float) and 0 <= size < 2**63 and size == int(size)


def _flat(title: str, data: list[Any], shape: list[int], problems: list[str]) -> list[Any]:
    """The elements in row-major order; data may be nested as its shape says, or flat."""
    if len(shape) == 2 and any(isinstance(row, list) for row in data):
        if len(data) != shape[0]:
            problems.append(f"{title} of shape {shape} has data of {len(data)} rows")
        ragged = [row for row, values in enumerate(data) if not isinstance(values, list) or len(values) != shape[1]]
        if ragged:
            row = data[ragged[0]]
            came = f"{len(row)} elements" if isinstance(row, list) else "no list"
            problems.append(f"{title} of shape {shape} has {came} in row {ragged[0]} of its data")
            return []
        return [value for row in data for value in row]
    if len(data) != math.prod(shape):
        problems.append(f"{title} of shape {shape} has {len(data)} of {math.prod(shape)} elements")
    return data


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_FOUND else text[: LONGEST_FOUND - 1] + "…"
