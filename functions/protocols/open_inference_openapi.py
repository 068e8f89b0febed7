"""The Open Inference Protocol's part of the OpenAPI document: tensors, one per feature or one for all of them.

That a tensor's data are as many as its shape says, and that all have the same rows, no JSON Schema can tell.
"""

from typing import Any

from functions.inference.model import ServedModel
from functions.protocols import json_schema
from functions.protocols.native_openapi import ASKED, SENT
from functions.protocols.open_inference_inputs import DATATYPES, READ
from functions.protocols.open_inference_outputs import PREDICT_PROBA, PROBABILITIES, described
from functions.protocols.open_inference_tensors import TOO_LARGE, WHOLE
from functions.protocols.openapi_parts import JSON, Part, operation, ref, refusals
from functions.signature import Feature, Signature

ERROR = "InferenceError"
SIZE = {"type": "integer", "minimum": 0, "maximum": 2**53}
FREE = {"type": ["object", "null"], "description": "Taken, and without effect"}


def describe(served: ServedModel) -> Part:
    paths: dict[str, dict[str, Any]] = {
        "/v2": {"get": _get("v2", "What serves, and by which protocol", "InferenceServer", ASKED[:2])},
        "/v2/health/live": {"get": _get("live", "Whether the function answers", "InferenceLive", ASKED[:2])},
        "/v2/health/ready": {"get": _get("ready", "Whether a model is ready", "InferenceReady", ASKED)},
    }
    model = f"/v2/models/{served.name}"  # spelled out: no other model is there
    for path, of in ((model, ""), (f"{model}/versions/{served.version}", "Version")):
        paths[path] = {"get": _get(f"metadata{of}", "The model's tensors", "InferenceModel", ASKED)}
        paths[f"{path}/ready"] = {
            "get": _get(f"modelReady{of}", "Whether the model is ready", "InferenceModelReady", ASKED)
        }
        paths[f"{path}/infer"] = {"post": _infer(served, f"infer{of}")}
    return Part(
        tag="inference", description="The Open Inference Protocol, version 2", paths=paths, schemas=_schemas(served)
    )


def _get(name: str, summary: str, answer: str, statuses: tuple[int, ...]) -> dict[str, Any]:
    return operation(name, summary, {JSON: ref(answer)}, refusals=refusals(statuses, ERROR))


def _infer(served: ServedModel, name: str) -> dict[str, Any]:
    row = json_schema.example_list(served.signature)
    apart = [
        {"name": feature.name, "shape": [1], "datatype": DATATYPES[feature.dtype], "data": [value]}
        for feature, value in zip(served.signature.features, row, strict=True)
    ]
    examples = {"apart": {"summary": "One tensor per feature", "value": {"inputs": apart}}}
    datatypes = {DATATYPES[feature.dtype] for feature in served.signature.features}
    if len(datatypes) == 1:
        tensor = {"name": "rows", "shape": [1, len(row)], "datatype": datatypes.pop(), "data": row}
        examples["together"] = {"summary": "One tensor for all", "value": {"inputs": [tensor], "id": "a-7"}}
    return operation(
        name,
        f"Predict {served.signature.target} for some rows",
        {JSON: ref("InferenceAnswer")},
        body={JSON: {"schema": ref("InferenceRequest"), "examples": examples}},
        refusals=refusals(SENT, ERROR),
        description=(
            "Data are flat in row-major order, or nested as the shape says. Tensors may also follow the JSON as bytes "
            "(Triton's binary data extension)."
        ),
    )


def _schemas(served: ServedModel) -> dict[str, Any]:
    signature = served.signature
    outputs = described(served)
    names = [each["name"] for each in outputs]
    if PROBABILITIES in names:
        names.append(PREDICT_PROBA)
    text = {"type": "string"}
    apart = {
        "title": "One tensor per feature, in any order, all of n rows",
        "type": "array",
        "prefixItems": [_apart(feature) for feature in signature.features],
        "minItems": len(signature.features),
        "maxItems": len(signature.features),
    }
    inputs = [apart]
    together = _together(signature)
    if together is not None:
        one = {"title": "One tensor for all features", "type": "array", "items": together, "minItems": 1, "maxItems": 1}
        inputs.append(one)
    wanted = _object({"name": {"enum": names}, "parameters": FREE}, required=["name"])
    request = _object(
        {
            "id": {"type": ["string", "null"]},
            "parameters": FREE,
            "inputs": {"anyOf": inputs},
            "outputs": {
                "title": "The outputs to answer with, each once; all of them where there is none",
                "anyOf": [{"type": "array", "items": wanted}, {"type": "null"}],
            },
        },
        required=["inputs"],
    )
    shape = {"type": "array", "items": SIZE, "minItems": 1, "maxItems": 2}
    tensor = _closed(
        {
            "name": {"enum": names},
            "datatype": {"enum": sorted({each["datatype"] for each in outputs})},
            "shape": shape,
            "data": {"type": "array", "items": {"anyOf": [ref("Prediction"), {"type": "number"}]}},
        }
    )
    answer = _closed(
        {"model_name": text, "model_version": text, "outputs": {"type": "array", "items": tensor}}, {"id": text}
    )
    sizes = {"type": "array", "items": {"type": "integer", "minimum": -1}}
    told = {"type": "array", "items": _closed({"name": text, "datatype": text, "shape": sizes})}
    yes = {"const": True}
    return {
        "InferenceRequest": request,
        "InferenceAnswer": answer,
        "InferenceModel": _closed(
            {"name": text, "versions": {"type": "array", "items": text}, "platform": text, "inputs": told,
             "outputs": told}
        ),
        "InferenceServer": _closed({"name": text, "version": text, "extensions": {"type": "array", "items": text}}),
        "InferenceLive": _closed({"live": yes}),
        "InferenceReady": _closed({"live": yes, "ready": yes}),
        "InferenceModelReady": _closed({"name": text, "ready": yes}),
        ERROR: {"title": "The protocol's shape of an error", **_closed({"error": text})},
    }  # fmt: skip


def _apart(feature: Feature) -> dict[str, Any]:
    shape = {"type": "array", "prefixItems": [SIZE, {"const": 1}], "minItems": 1, "maxItems": 2}
    return {
        "title": feature.name,
        "anyOf": [_tensor({"const": feature.name}, datatype, shape, [feature]) for datatype in _read([feature])],
    }


def _together(signature: Signature) -> dict[str, Any] | None:
    """None where no datatype can hold every feature."""
    features, width = signature.features, len(signature.features)
    shape = {
        "type": "array", "prefixItems": [SIZE, {"const": width}], "minItems": 1 if width == 1 else 2, "maxItems": 2
    }  # fmt: skip
    datatypes = _read(features)
    if not datatypes:
        return None
    return {"anyOf": [_tensor({"type": "string"}, datatype, shape, features) for datatype in datatypes]}


def _read(features: list[Feature]) -> list[str]:
    return sorted(set.intersection(*(set(READ[feature.dtype]) for feature in features)))


def _tensor(name: dict[str, Any], datatype: str, shape: dict[str, Any], features: list[Feature]) -> dict[str, Any]:
    value = _element(datatype)
    if all(feature.nullable for feature in features):
        value = {"anyOf": [value, {"type": "null"}]}
    row = {"type": "array", "items": value, "minItems": len(features), "maxItems": len(features)}
    return _object(
        {
            "name": name,
            "datatype": {"const": datatype},
            "shape": shape,
            "data": {"anyOf": [{"type": "array", "items": value}, {"type": "array", "items": row}]},
            "parameters": FREE,
        },
        required=["name", "datatype", "shape", "data"],
    )


def _element(datatype: str) -> dict[str, Any]:
    if datatype in WHOLE:
        least, most = WHOLE[datatype]
        return {"type": "integer", "minimum": least, "maximum": most}
    if datatype in TOO_LARGE:
        most_of = {"FP16": 65504.0, "FP32": (2 - 2**-23) * 2.0**127}.get(datatype)
        return {"type": "number", **({} if most_of is None else {"minimum": -most_of, "maximum": most_of})}
    return {"type": "boolean" if datatype == "BOOL" else "string"}


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """The protocol's extensions may add to it."""
    return {"type": "object", "properties": properties, "required": required}


def _closed(properties: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**properties, **(optional or {})},
        "required": list(properties),
        "additionalProperties": False,
    }
