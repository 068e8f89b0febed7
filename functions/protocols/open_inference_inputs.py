"""The Open Inference Protocol's input tensors, turned into the model's rows; it knows no path and no answer."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from functions.errors import InvalidBody
from functions.inference import schema
from functions.inference.schema import MOST_PROBLEMS
from functions.protocols.open_inference_tensors import TOO_LARGE, WHOLE, Tensor, read
from functions.signature import Cell, Feature, Signature

DATATYPES = {"float64": "FP64", "bool": "BOOL", "string": "BYTES"}
"""What a feature's type is called in the metadata."""

READ = {"float64": frozenset({*TOO_LARGE, *WHOLE}), "bool": frozenset({"BOOL"}), "string": frozenset({"BYTES"})}


def described(signature: Signature) -> list[dict[str, Any]]:
    """The metadata of the inputs, one tensor per feature."""
    return [
        {"name": feature.name, "datatype": DATATYPES[feature.dtype], "shape": [-1]} for feature in signature.features
    ]


def rows(given: Sequence[dict[str, Any]], signature: Signature) -> list[list[Cell]]:
    """Rows in the signature's order, each cell of its feature's type.

    Raises InvalidBody for tensors that are not the model's, InvalidRows for elements that are not; both tell all there
    is to mend, up to ten problems.
    """
    problems: list[str] = []
    tensors = [tensor for index, each in enumerate(given) if (tensor := read(each, index, problems))]
    if problems:
        raise _unfit(problems)
    if _is_together(tensors, signature):
        sources = _together(tensors[0], signature, problems)
    else:
        sources = _apart(tensors, signature, problems)
    if problems:
        raise _unfit(problems)
    return _rows(signature.features, sources)


class _Source(NamedTuple):
    """Where one feature's n values come from. column: its name, where its tensor has others too."""

    tensor: Tensor
    column: str | None
    values: list[Any]


def _unfit(problems: Sequence[str]) -> InvalidBody:
    return InvalidBody(f"the tensors do not fit the model: {'; '.join(problems[:MOST_PROBLEMS])}")


def _is_together(tensors: Sequence[Tensor], signature: Signature) -> bool:
    """Whether all features come in one tensor: it has another name than they, or the width of them all."""
    return len(tensors) == 1 and (
        tensors[0].name not in signature.names or tensors[0].shape[1:] == [len(signature.features)]
    )


def _together(tensor: Tensor, signature: Signature, problems: list[str]) -> list[_Source]:
    width = len(signature.features)
    if tensor.shape[1:] != [width] and not (width == 1 and len(tensor.shape) == 1):
        order = ", ".join(signature.names)
        problems.append(
            f"tensor {tensor.name[:80]!r} has the shape {tensor.shape}, expected [n, {width}] for {order}; "
            "or send one tensor per feature, by its name"
        )
        return []
    other = [feature for feature in signature.features if tensor.datatype not in READ[feature.dtype]]
    if other:
        told = ", ".join(f"{feature.name!r} ({DATATYPES[feature.dtype]})" for feature in other)
        problems.append(
            f"tensor {tensor.name[:80]!r} is {tensor.datatype}, which cannot hold {told}; send one tensor per feature"
        )
    return [
        _Source(tensor, name if width > 1 else None, tensor.data[position::width])
        for position, name in enumerate(signature.names)
    ]


def _apart(tensors: Sequence[Tensor], signature: Signature, problems: list[str]) -> list[_Source]:
    by_name: dict[str, Tensor] = {}
    rows: int | None = None
    for tensor in tensors:
        title = f"tensor {tensor.name[:80]!r}"
        if tensor.name not in signature.names:
            problems.append(f"{title} is no feature, expected one of {', '.join(signature.names)}")
            continue
        if tensor.name in by_name:
            problems.append(f"{title} is there twice")
            continue
        by_name[tensor.name] = tensor
        if len(tensor.shape) != 1 and not (len(tensor.shape) == 2 and tensor.shape[1] == 1):
            problems.append(f"{title} has the shape {tensor.shape}, expected [n] or [n, 1]")
        elif rows is None:
            rows = tensor.shape[0]
        elif tensor.shape[0] != rows:
            problems.append(f"{title} has {tensor.shape[0]} rows, those before have {rows}")
    for feature in signature.features:
        found = by_name.get(feature.name)
        if found is None:
            problems.append(f"tensor {feature.name!r} is missing, expected {_wanted(feature)}")
        elif found.datatype not in READ[feature.dtype]:
            problems.append(f"tensor {feature.name!r} is {found.datatype}, expected {_wanted(feature)}")
    ordered = [by_name[name] for name in signature.names if name in by_name]
    return [_Source(tensor, None, tensor.data) for tensor in ordered]


def _wanted(feature: Feature) -> str:
    name = DATATYPES[feature.dtype]
    return f"{name}, or another FP, INT or UINT" if feature.dtype == "float64" else name


def _rows(features: Sequence[Feature], sources: Sequence[_Source]) -> list[list[Cell]]:
    problems: list[dict[str, Any]] = []
    columns = [_column(feature, source, problems) for feature, source in zip(features, sources, strict=True)]
    if problems:
        problems.sort(key=lambda problem: problem["row"])  # stable: the features stay in their order
        bad = len({problem["row"] for problem in problems[:MOST_PROBLEMS]})
        raise schema.invalid_rows(bad, len(sources[0].values), problems)
    return [list(row) for row in zip(*columns, strict=True)]


def _column(feature: Feature, source: _Source, problems: list[dict[str, Any]]) -> list[Cell]:
    """A feature's cells. No more of its problems are told than all together may be."""
    datatype = source.tensor.datatype
    plain = datatype == "FP64"
    cells: list[Cell] = []
    bad = 0
    for row, value in enumerate(source.values):
        if plain and type(value) is float and math.isfinite(value):
            cells.append(value)
            continue
        expected, cell = _cell(feature, datatype, value)
        cells.append(cell)
        if expected:
            place = {"tensor": source.tensor.name[:80], "row": row} | (
                {"column": source.column} if source.column else {}
            )
            problems.append(place | {"found": schema.found(value), "expected": expected})
            bad += 1
            if bad == MOST_PROBLEMS:
                break
    return cells


def _cell(feature: Feature, datatype: str, value: Any) -> tuple[str | None, Cell]:
    """As schema.cell_of, with what the tensor's datatype says beside."""
    if type(value) is int or type(value) is float:
        if datatype in WHOLE:
            least, most = WHOLE[datatype]
            if not (least <= value <= most and value == int(value)):
                return f"a whole number from {least} to {most}", None
        elif datatype in TOO_LARGE:
            if value != value and feature.nullable:
                return None, None
            if TOO_LARGE[datatype] <= abs(value) < math.inf:
                return f"a number that {datatype} can hold", None
    return schema.cell_of(feature, value)
