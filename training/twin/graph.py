"""An ONNX graph under construction, and the columns that flow through it. It knows no estimator.

Numbers are float64 in every tensor, as they are in scikit-learn; a missing number is NaN. Texts are strings, a missing
one is `MISSING_TEXT`. A column is a place in a tensor of n rows, so that choosing columns costs a Gather, or nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from functions.inference.onnx_engine import MISSING_TEXT, ROWS, ROWS_AT_ONCE

OPSET = 17
ML_OPSET = 3  # as skl2onnx writes its parts; raised where something newer is added
IR_VERSION = 10

MEMORY = 32 << 20  # bytes that one tensor of a block of rows may take

ML = "ai.onnx.ml"
Kind: TypeAlias = Literal["number", "text"]
Precision: TypeAlias = Literal["double", "single"]


class NotConvertible(Exception):
    """Why a pipeline has no twin: one clause, for the line that says so."""


class BetterLeft(NotConvertible):
    """A graph could be made, and would be slower or larger by far than scikit-learn is."""


@dataclass(frozen=True, slots=True)
class Column:
    """Column `position` of a tensor that is `width` wide."""

    tensor: str
    position: int
    width: int
    kind: Kind = "number"


Columns: TypeAlias = tuple[Column, ...]


class Graph:
    """Nodes and constants, in order. Every method gives the names of the tensors it made.

    `precision` is that of the parts which skl2onnx writes; what is written here is double in both.
    """

    def __init__(self, precision: Precision = "double") -> None:
        self.precision = precision
        self.domains: dict[str, int] = {"": OPSET, ML: ML_OPSET}
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.refusals: list[str] = []  # bool, n by 1: true where scikit-learn would refuse the row
        self.rows_at_once = ROWS_AT_ONCE
        self._made = 0

    def holds(self, numbers: int) -> None:
        """For each row so many numbers are held at once; fewer rows are then run at once."""
        self.rows_at_once = max(1, min(self.rows_at_once, MEMORY // (8 * max(1, numbers))))

    def input(self, name: str, kind: Kind, width: int) -> None:
        element = TensorProto.STRING if kind == "text" else TensorProto.DOUBLE
        self.inputs.append(helper.make_tensor_value_info(name, element, [None, width]))

    def name(self, stem: str) -> str:
        self._made += 1
        return f"{stem}_{self._made}"

    def constant(self, value: Any, dtype: Any = None) -> str:
        """An array; without `dtype` its own."""
        name = self.name("constant")
        self.initializers.append(numpy_helper.from_array(np.asarray(value, dtype=dtype, order="C"), name))
        return name

    def add(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        (output,) = self.add_many(op, inputs, 1, domain=domain, **attributes)
        return output

    def needs_ml(self, version: int) -> None:
        """Something added is of this version of ai.onnx.ml."""
        self.domains[ML] = max(self.domains[ML], version)

    def add_many(
        self, op: str, inputs: Sequence[str], outputs: int, *, domain: str = "", **attributes: Any
    ) -> list[str]:
        names = [self.name(op) for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, domain=domain, **attributes))
        return names

    def cast(self, tensor: str, to: int) -> str:
        return self.add("Cast", tensor, to=to)

    def doubles(self, tensor: str) -> str:
        return self.cast(tensor, TensorProto.DOUBLE)

    def linear(self, tensor: str, weights: Any, plus: Any) -> str:
        """n by k times k by m, plus a row of m: in one operator, which takes two thirds of the time of both."""
        row = np.asarray(plus, dtype=np.float64).reshape(-1)
        return self.add("Gemm", tensor, self.constant(weights, np.float64), self.constant(row))

    def total(self, tensor: str, *, keep: bool = True) -> str:
        """The sum of each row: n by 1, or n."""
        return self.add("ReduceSum", tensor, self.constant([1], np.int64), keepdims=int(keep))

    def refuse(self, condition: str) -> None:
        """The rows (bool, n by 1) for which scikit-learn would raise an error."""
        self.refusals.append(condition)

    def refuse_not_finite(self, tensor: str, *, nan_is_missing: bool) -> None:
        """The rows of numbers that scikit-learn lets into no step: infinite, or NaN unless that says missing."""
        if nan_is_missing:
            infinite = self.total(self.doubles(self.add("IsInf", tensor)))
            self.refuse(self.add("Greater", infinite, self.constant([0.0])))
        else:  # x - x is 0, or NaN for what is not finite
            self.refuse(self.add("IsNaN", self.total(self.add("Sub", tensor, tensor))))

    def matrix(self, columns: Columns) -> str:
        """The columns side by side in one tensor, n by len(columns); all numbers or all texts."""
        if len({column.kind for column in columns}) > 1:
            raise NotConvertible("texts and numbers go into one step together")
        runs: list[list[Column]] = []
        for column in columns:
            if runs and runs[-1][-1].tensor == column.tensor:
                runs[-1].append(column)
            else:
                runs.append([column])
        parts = [self._chosen(run) for run in runs]
        return parts[0] if len(parts) == 1 else self.add("Concat", *parts, axis=1)

    def _chosen(self, run: list[Column]) -> str:
        places = [column.position for column in run]
        if places == list(range(run[0].width)):
            return run[0].tensor
        return self.add("Gather", run[0].tensor, self.constant(places, np.int64), axis=1)

    def numbers(self, columns: Columns) -> str:
        """The columns as one tensor of numbers. Raises NotConvertible for texts."""
        if any(column.kind == "text" for column in columns):
            raise NotConvertible("texts go into a step that takes numbers")
        return self.matrix(columns)

    def lookup(self, column: Column, values: Sequence[Any]) -> str:
        """The place of each cell of a column in `values` (texts or numbers, None or NaN for missing): int64 n by 1.

        Cells that are none of them are at len(values).
        """
        cells = self.matrix((column,))
        places = np.arange(len(values), dtype=np.int64)
        if column.kind == "text":
            keys = [MISSING_TEXT if is_missing(value) else encoded(value) for value in values]
            attributes: dict[str, Any] = {"keys_strings": keys, "values_int64s": places, "default_int64": len(values)}
        else:
            self.needs_ml(4)
            numbers = np.array([np.nan if is_missing(value) else float(value) for value in values])
            attributes = {
                "keys_tensor": numpy_helper.from_array(numbers, "keys"),
                "values_tensor": numpy_helper.from_array(places, "values"),
                "default_tensor": numpy_helper.from_array(np.array([len(values)], dtype=np.int64), "default"),
            }
        return self.add("LabelEncoder", cells, domain=ML, **attributes)

    def label_place(self, labels: str, classes: Sequence[Any]) -> str:
        """The place of each label (n texts, or n int64 for integers and booleans) in `classes`: int64 n."""
        texts = isinstance(classes[0], str)
        keys = [label.encode() for label in classes] if texts else [int(label) for label in classes]
        attributes = {"keys_strings" if texts else "keys_int64s": keys, "values_int64s": list(range(len(classes)))}
        return self.add("LabelEncoder", labels, domain=ML, default_int64=-1, **attributes)

    def inline(self, model: onnx.ModelProto, tensor: str) -> list[str]:
        """Puts a model of one input in, fed with `tensor`; gives the names of its outputs."""
        for opset in model.opset_import:
            self.domains.setdefault(opset.domain, opset.version)
        part = onnx.GraphProto()
        part.CopyFrom(model.graph)
        names = _rename(part, self.name("part"), {}, {part.input[0].name: tensor})
        self.initializers.extend(part.initializer)
        self.nodes.extend(part.node)
        return [names[output.name] for output in model.graph.output]

    def mark(self) -> tuple[int, int, int]:
        """A point to go back to."""
        return len(self.nodes), len(self.initializers), len(self.refusals)

    def back_to(self, mark: tuple[int, int, int]) -> None:
        """Forgets what was added since."""
        for things, length in zip((self.nodes, self.initializers, self.refusals), mark, strict=True):
            del things[length:]  # type: ignore[attr-defined] # they are lists, all three

    def model(self, outputs: dict[str, tuple[str, int, list[Any]]]) -> onnx.ModelProto:
        """The whole model; `outputs` gives for each its tensor, element type and shape."""
        infos = []
        for name, (tensor, element, shape) in outputs.items():
            self.nodes.append(helper.make_node("Identity", [tensor], [name]))
            infos.append(helper.make_tensor_value_info(name, element, shape))
        graph = helper.make_graph(self.nodes, "twin", self.inputs, infos, self.initializers)
        opsets = [helper.make_opsetid(domain, version) for domain, version in self.domains.items()]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        helper.set_model_props(model, {ROWS: str(self.rows_at_once)})
        return model


def _rename(
    graph: onnx.GraphProto, prefix: str, outer: dict[str, str], fed: dict[str, str] | None = None
) -> dict[str, str]:
    """Puts a prefix before every name that a graph makes, also in graphs within it; gives the new names by the old.

    `outer`: names that a graph within sees of the one around it. `fed`: inputs that are another tensor.
    """
    made = [value.name for value in (*graph.initializer, *graph.input)] + [
        n for node in graph.node for n in node.output
    ]
    names = outer | {name: f"{prefix}_{name}" for name in made} | {"": ""} | (fed or {})
    for value in (*graph.initializer, *graph.input, *graph.output):
        value.name = names[value.name]
    for node in graph.node:
        node.name = ""
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename(attribute.g, f"{prefix}_{node.output[0]}", names)
    return names


def columns_of(tensor: str, width: int, kind: Kind = "number") -> Columns:
    """Every column of a tensor."""
    return tuple(Column(tensor, position, width, kind) for position in range(width))


def is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def encoded(text: Any) -> bytes:
    """As the engine encodes a cell."""
    if not isinstance(text, str):
        raise NotConvertible(f"a column of texts holds {type(text).__name__} {text!r}")
    return text.encode("utf-8", "surrogatepass")
