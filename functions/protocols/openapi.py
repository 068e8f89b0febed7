"""The OpenAPI 3.1 document of a served model, put together from the part of each protocol that is spoken.

A protocol's part is `describe(served)` in the module of its name with `_openapi` behind.
"""

from importlib import import_module
from typing import Any

from functions.inference.model import ServedModel
from functions.protocols import json_schema, routes
from functions.protocols.native import class_key
from functions.protocols.openapi_parts import Part, codes, with_head_and_options

VERSION = "3.1.1"


def document(served: ServedModel) -> dict[str, Any]:
    """JSON-ready."""
    parts = _parts(served)
    return {
        "openapi": VERSION,
        "jsonSchemaDialect": json_schema.DIALECT,
        "info": {"title": served.name, "version": served.version, "description": _told(served)},
        # relative to where this document lies, so that it holds under any stage or base path
        "servers": [{"url": "."}],
        "tags": [{"name": part.tag, "description": part.description} for part in parts],
        "paths": {path: _tagged(path, methods, part) for part in parts for path, methods in part.paths.items()},
        "components": {"schemas": _schemas(served) | {k: v for part in parts for k, v in part.schemas.items()}},
    }


def _parts(served: ServedModel) -> list[Part]:
    names = dict.fromkeys(["native", *routes.OTHERS.values()])
    return [import_module(f"functions.protocols.{name}_openapi").describe(served) for name in names]


def _tagged(path: str, methods: dict[str, Any], part: Part) -> dict[str, Any]:
    for operation in methods.values():
        operation["tags"] = [part.tag]
    return with_head_and_options(path, methods)


def _told(served: ServedModel) -> str:
    signature = served.signature
    what = f"{signature.target} from {len(signature.features)} features: {', '.join(signature.names)}"
    classes = f" It is one of {', '.join(map(class_key, signature.classes))}." if signature.classes else ""
    return (
        f"Predicts {what}.{classes} Who may call it is up to whatever stands in front: an API's authorizer, a "
        "function URL's IAM policy. A whole number that float64 cannot hold exactly is refused; no schema can say so."
    )


def _schemas(served: ServedModel) -> dict[str, Any]:
    """What several protocols use."""
    text = {"type": "string"}
    problem = {
        "title": "What is wrong with one value; `row` counts from 0",
        "type": "object",
        "properties": {
            "row": {"type": "integer", "minimum": 0},
            "column": {"type": ["string", "null"]},
            "found": {"description": "What came, or a word for it"},
            "expected": text,
        },
        "required": ["row", "column", "found", "expected"],
        "additionalProperties": False,
    }
    refused = {
        "title": "The version that is not fit to serve",
        "type": "object",
        "properties": {"model": text, "version": text},
        "required": ["model", "version"],
        "additionalProperties": False,
    }
    error = {
        "title": "The one shape of an error",
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "properties": {
                    "code": {"enum": sorted({code for found in codes().values() for code in found})},
                    "message": text,
                    "details": {
                        "type": "array",
                        "maxItems": 10,
                        "items": {"anyOf": [{"$ref": "#/components/schemas/Problem"}, refused]},
                    },
                },
                "required": ["code", "message", "details"],
                "additionalProperties": False,
            }
        },
        "required": ["error"],
        "additionalProperties": False,
    }
    model = {
        "title": "The model that answered",
        "type": "object",
        "properties": {"name": text, "version": text},
        "required": ["name", "version"],
        "additionalProperties": False,
        "examples": [{"name": served.name, "version": served.version}],
    }
    ready = {
        "title": "A model is ready",
        "type": "object",
        "properties": {"ready": {"const": True}, "model": {"$ref": "#/components/schemas/Model"}},
        "required": ["ready", "model"],
        "additionalProperties": False,
    }
    return {
        "Row": {"anyOf": [{"$ref": "#/components/schemas/RowAsList"}, {"$ref": "#/components/schemas/RowAsObject"}]},
        "RowAsList": json_schema.list_form(served.signature),
        "RowAsObject": json_schema.object_form(served.signature),
        "Prediction": json_schema.labels_schema(served.signature),
        "Model": model,
        "Ready": ready,
        "Problem": problem,
        "Error": error,
    }
