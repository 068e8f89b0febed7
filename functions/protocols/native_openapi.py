"""The native protocol's part of the OpenAPI document."""

from typing import Any

from functions.inference.model import ServedModel
from functions.protocols import json_schema
from functions.protocols.openapi_parts import JSON, Part, operation, ref, refusals

ASKED = (406, 500, 503)
SENT = (400, 406, 413, 415, 500, 503)


def describe(served: ServedModel) -> Part:
    signature = served.signature
    request = {
        "type": "object",
        "properties": {
            "instances": {"type": "array", "items": ref("Row")},
            "probabilities": {"type": "boolean", "default": True, "description": "false leaves them out"},
            "top_k": {"type": "integer", "minimum": 1, "description": "Only so many classes, the likeliest first"},
            "id": {"type": "string", "description": "Comes back in the answer"},
        },
        "required": ["instances"],
        "additionalProperties": False,
    }
    answer: dict[str, Any] = {
        "type": "object",
        "properties": {
            "predictions": {"type": "array", "items": ref("Prediction")},
            "model": ref("Model"),
            "id": {"type": "string"},
        },
        "required": ["predictions", "model"],
        "additionalProperties": False,
    }
    if signature.classes:
        shares = json_schema.probabilities_schema(signature)
        answer["properties"]["probabilities"] = {"type": "array", "items": shares}
    examples = {
        "lists": {"summary": "Rows as lists", "value": {"instances": [json_schema.example_list(signature)]}},
        "objects": {"summary": "Rows as objects", "value": {"instances": [json_schema.example_object(signature)]}},
    }
    return Part(
        tag="predict",
        description="The project's own protocol",
        paths={
            "/predict": {
                "post": operation(
                    "predict",
                    f"Predict {signature.target} for some rows",
                    {JSON: ref("PredictAnswer")},
                    body={JSON: {"schema": ref("PredictRequest"), "examples": examples}},
                    refusals=refusals(SENT),
                    description="Bodies may be packed with gzip. The request and the answer may have 6 MB each.",
                )
            },
            "/model": {
                "get": operation(
                    "model",
                    "What the model is and how it is kept up to date",
                    {JSON: ref("ModelAnswer")},
                    refusals=refusals(ASKED),
                )
            },
            "/ping": {
                "get": operation("ping", "Whether a model is ready", {JSON: ref("Ready")}, refusals=refusals(ASKED))
            },
        },
        schemas={"PredictRequest": request, "PredictAnswer": answer, "ModelAnswer": _model(served)},
    )


def _model(served: ServedModel) -> dict[str, Any]:
    kinds: dict[str, Any] = {
        "features": {"type": "array", "items": {"type": "object"}},
        "classes": {"type": "array"},
        "metrics": {"type": "object", "additionalProperties": {"type": "number"}},
        "libraries": {"type": "object", "additionalProperties": {"type": "string"}},
        "refresh": {
            "type": "object",
            "properties": {
                "seconds": {"type": "number", "minimum": 0},
                "checked": {"type": ["string", "null"], "description": "When the alias was looked at last"},
                "error": {"type": ["object", "null"], "description": "Why a newer version is not served"},
            },
            "required": ["seconds", "checked", "error"],
        },
    }
    names = [*served.public, "refresh"]
    return {
        "type": "object",
        "properties": {name: kinds.get(name, {"type": "string"}) for name in names},
        "required": names,
        "additionalProperties": False,
    }
