"""The twin of a pipeline: one ONNX model with the inputs and outputs that the ONNX engine binds."""

import tempfile
import textwrap
from pathlib import Path
from typing import Any

import onnxruntime
from onnx import TensorProto

from functions.inference.onnx_engine import CLASSES, NUMBERS, PROBABILITIES, REFUSED, TEXTS, VALUES
from functions.signature import Signature
from training.twin import translate
from training.twin.answers import Answer
from training.twin.graph import Column, Columns, Graph, NotConvertible, Precision


def export(pipeline: Any, signature: Signature, precision: Precision) -> bytes:
    """The model's bytes, optimised for ONNX Runtime. Raises NotConvertible.

    Input `numbers`: double, n by the number and boolean features in the signature's order; false 0, true 1, missing
    NaN. Input `texts`: string, n by the text features; missing `MISSING_TEXT`. Left out where there are none.
    Outputs: `classes` int64 n, and `probabilities` double n by k where the pipeline has them; or `values` double n; and
    `refused` bool n by 1 where there are rows that scikit-learn would refuse.
    """
    graph = Graph(precision)
    try:
        answer = translate.finish(graph, pipeline, _inputs(graph, signature))
        model = graph.model(_outputs(graph, answer, len(signature.classes)))
        return _optimised(model.SerializeToString())
    except NotConvertible:
        raise
    except Exception as error:  # estimators of others, and what they hold, can be anything
        said = textwrap.shorten(str(error).removeprefix("[ONNXRuntimeError] : "), 200, placeholder="…")
        if type(error).__module__.startswith("onnxruntime."):
            raise NotConvertible(f"ONNX Runtime refuses its graph ({said})") from error
        raise NotConvertible(f"{type(error).__name__}: {said}") from error


def _inputs(graph: Graph, signature: Signature) -> Columns:
    texts = [feature.name for feature in signature.features if feature.dtype == "string"]
    numbers = [feature.name for feature in signature.features if feature.dtype != "string"]
    for name, kind, own in ((NUMBERS, "number", numbers), (TEXTS, "text", texts)):
        if own:
            graph.input(name, "text" if kind == "text" else "number", len(own))
    return tuple(
        Column(TEXTS, texts.index(feature.name), len(texts), "text")
        if feature.dtype == "string"
        else Column(NUMBERS, numbers.index(feature.name), len(numbers))
        for feature in signature.features
    )


def _outputs(graph: Graph, answer: Answer, classes: int) -> dict[str, tuple[str, int, list[Any]]]:
    outputs: dict[str, tuple[str, int, list[Any]]] = {}
    if answer.classes is not None:
        outputs[CLASSES] = (answer.classes, TensorProto.INT64, [None])
    if answer.probabilities is not None:
        outputs[PROBABILITIES] = (answer.probabilities, TensorProto.DOUBLE, [None, classes])
    if answer.values is not None:
        outputs[VALUES] = (answer.values, TensorProto.DOUBLE, [None])
    if graph.refusals:
        first, *others = graph.refusals
        for other in others:
            first = graph.add("Or", first, other)
        outputs[REFUSED] = (first, TensorProto.BOOL, [None, 1])
    return outputs


def _optimised(model: bytes) -> bytes:
    """The graph as ONNX Runtime would make it at every start: constants folded, what is unused left out.

    Raises what the runtime raises for a graph that it cannot run.
    """
    options = onnxruntime.SessionOptions()
    # The next level fuses operators in ways that hold for one kind of processor and one version.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return path.read_bytes()
