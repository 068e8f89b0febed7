"""Estimators that skl2onnx writes: its graph of one estimator becomes a part of ours. It knows no other library.

In single precision the part's inputs are cast to float32 and its outputs back.
"""

import textwrap
import warnings
from typing import Any

from onnx import ModelProto, TensorProto
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator
from sklearn.base import is_classifier, is_regressor

from training.twin.answers import Answer, flat
from training.twin.graph import ML, ML_OPSET, OPSET, Columns, Graph, NotConvertible, columns_of


def transform(graph: Graph, estimator: Any, columns: Columns) -> Columns:
    """Any transformer that skl2onnx knows, of numbers to numbers."""
    if is_classifier(estimator) or is_regressor(estimator):
        raise NotConvertible(f"{type(estimator).__name__} as a transformer")
    outputs = _part(graph, estimator, columns, None)
    width = len(estimator.get_feature_names_out())
    return columns_of(graph.doubles(outputs[0]), width)


def answer(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """Any classifier or regressor that skl2onnx knows."""
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return Answer(values=flat(graph, graph.doubles(_part(graph, estimator, columns, None)[0])))
    label, *others = _part(graph, estimator, columns, {"zipmap": False})
    place = graph.label_place(flat(graph, label), classes.tolist())
    return Answer(place, graph.doubles(others[0]) if hasattr(estimator, "predict_proba") else None)


def _part(graph: Graph, estimator: Any, columns: Columns, options: dict[str, Any] | None) -> list[str]:
    """The names of the outputs, in the order of the estimator's."""
    rows = graph.numbers(columns)
    if graph.precision == "single":
        rows = graph.cast(rows, TensorProto.FLOAT)
    return graph.inline(_converted(estimator, len(columns), graph.precision, options), rows)


def _converted(estimator: Any, width: int, precision: str, options: dict[str, Any] | None) -> ModelProto:
    kind = DoubleTensorType if precision == "double" else FloatTensorType
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own future; what matters is shown by the gate
        try:
            model: ModelProto = convert_sklearn(
                estimator,
                initial_types=[("x", kind([None, width]))],
                options=options,
                target_opset={"": OPSET, ML: ML_OPSET},
            )
        except (MissingConverter, MissingShapeCalculator):
            raise NotConvertible(f"skl2onnx does not know {type(estimator).__name__}") from None
        except Exception as error:  # it raises whatever its own code meets, for an estimator that it does not know well
            reason = textwrap.shorten(str(error), 100, placeholder="…")
            raise NotConvertible(
                f"skl2onnx has no {precision} form of {type(estimator).__name__} ({reason})"
            ) from error
    return model
