"""The Open Inference Protocol's output tensors, from a model's predictions; it knows no path and no input.

`predict` has one element per row: BYTES, INT64 or BOOL as the classes are, FP64 in regression. `probabilities` is FP64
of shape [n, classes], in the order of the model's `classes`; by MLServer's name, `predict_proba`, it may be asked for
too.
"""

from collections.abc import Sequence
from typing import Any

from functions.errors import InvalidBody
from functions.inference.engine import Predictions
from functions.inference.model import ServedModel
from functions.protocols.native import labels_of
from functions.signature import Signature

PREDICT, PROBABILITIES = "predict", "probabilities"
PREDICT_PROBA = "predict_proba"


def described(served: ServedModel) -> list[dict[str, Any]]:
    """The metadata of the outputs."""
    found = [{"name": PREDICT, "datatype": _datatype(served.signature), "shape": [-1]}]
    if _has_probabilities(served):
        shape = [-1, len(served.signature.classes)]
        found.append({"name": PROBABILITIES, "datatype": "FP64", "shape": shape})
    return found


def requested(given: Any, served: ServedModel) -> list[str]:
    """The names of the outputs to answer with: all of the model's, where none is asked for. Raises InvalidBody."""
    offered = [PREDICT, *([PROBABILITIES] if _has_probabilities(served) else [])]
    if given is None or given == []:
        return offered
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise InvalidBody('"outputs" is not a list of objects; send [{"name": "predict"}], or leave it out')
    names: list[str] = []
    for index, each in enumerate(given):
        name = each.get("name")
        if not isinstance(name, str):
            raise InvalidBody(f"outputs[{index}] has no name; there is {', '.join(offered)}")
        if (PROBABILITIES if name == PREDICT_PROBA else name) not in offered:
            raise InvalidBody(f"the model has no output {name[:80]!r}; there is {', '.join(offered)}")
        if name in names:
            raise InvalidBody(f"the output {name!r} is asked for twice")
        if not isinstance(each.get("parameters"), dict | None):
            raise InvalidBody('"parameters" is not an object')
        names.append(name)
    return names


def tensors(names: Sequence[str], found: Predictions, signature: Signature) -> list[dict[str, Any]]:
    """The named outputs, in the order they were asked for."""
    return [_predict(found, signature) if name == PREDICT else _probabilities(name, found, signature) for name in names]


def _predict(found: Predictions, signature: Signature) -> dict[str, Any]:
    data = labels_of(found, signature.classes)
    return {"name": PREDICT, "datatype": _datatype(signature), "shape": [len(data)], "data": data}


def _probabilities(name: str, found: Predictions, signature: Signature) -> dict[str, Any]:
    rows = found.probabilities or []
    data = [number for row in rows for number in row]
    return {"name": name, "datatype": "FP64", "shape": [len(rows), len(signature.classes)], "data": data}


def _datatype(signature: Signature) -> str:
    if signature.task == "regression":
        return "FP64"
    if all(isinstance(label, bool) for label in signature.classes):
        return "BOOL"
    return "INT64" if all(isinstance(label, int) for label in signature.classes) else "BYTES"


def _has_probabilities(served: ServedModel) -> bool:
    """Engines say of no rows what they say of any."""
    return served.engine.predict_rows([]).probabilities is not None
