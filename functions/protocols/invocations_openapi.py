"""The part of MLflow's and SageMaker's protocol in the OpenAPI document, looser than the native one as they are."""

from collections.abc import Sequence
from typing import Any

import msgspec

from functions.inference.cells import MISSING, NUMBER
from functions.inference.model import ServedModel
from functions.protocols import json_schema, tables
from functions.protocols.invocations import CODES, CSV, JSON, JSON_LINES, TEXT
from functions.protocols.native_openapi import ASKED, SENT
from functions.protocols.openapi_parts import Part, operation, ref, refusals
from functions.protocols.tables import FORMS
from functions.signature import Feature, Label, Signature

LOOSE = {"float64": "LooseNumber", "bool": "LooseBoolean", "string": "LooseText"}


def describe(served: ServedModel) -> Part:
    signature = served.signature
    return Part(
        tag="invocations",
        description="MLflow's scoring server and SageMaker's container contract",
        paths={
            "/invocations": {
                "post": operation(
                    "invocations",
                    f"Predict {signature.target} for a table",
                    {
                        JSON: ref("InvocationsAnswer"),
                        CSV: {"type": "string", "description": "One prediction a line"},
                        JSON_LINES: {"type": "string", "description": "One object a line, with a score"},
                    },
                    body=_bodies(signature),
                    refusals=refusals(SENT, "InvocationsError"),
                    description=(
                        "Unknown columns are left out, and a numeric text or a boolean is read as the number it "
                        "spells. The answer is JSON, CSV or JSON Lines, as `Accept` has it."
                    ),
                )
            },
            "/health": {
                "get": operation(
                    "health",
                    "Whether a model is ready",
                    {JSON: ref("Ready")},
                    refusals=refusals(ASKED, "InvocationsError"),
                )
            },
            "/version": {
                "get": operation(
                    "version",
                    "The release of MLflow whose protocol this is",
                    {TEXT: {"type": "string"}},
                    refusals=refusals((500,), "InvocationsError"),
                )
            },
        },
        schemas=_schemas(signature),
    )


def _bodies(signature: Signature) -> dict[str, Any]:
    row = json_schema.example_list(signature)
    header = _cells(signature.names)
    cells = _cells([value for value in row if value is not None])  # an example lacks nothing
    split = {"dataframe_split": {"columns": signature.names, "data": [row]}}
    records = {"dataframe_records": [json_schema.example_object(signature)]}
    columns = {"inputs": {name: [value] for name, value in zip(signature.names, row, strict=True)}}
    return {
        JSON: {
            "schema": ref("InvocationsRequest"),
            "examples": {
                "dataframe_split": {"value": split},
                "dataframe_records": {"value": records},
                "instances": {"value": {"instances": [row]}},
                "inputs": {"value": columns},
            },
        },
        CSV: {
            "schema": {"type": "string", "description": "With a header, or `header=absent` in the model's order"},
            "example": f"{header}\n{cells}\n",
        },
        JSON_LINES: {
            "schema": {"type": "string", "description": 'A list, an object, or {"features": [...]} a line'},
            "example": msgspec.json.encode({"features": row}).decode() + "\n",
        },
    }


def _cells(values: Sequence[Label | float]) -> str:
    return ",".join(tables.csv_lines(values).decode().splitlines())


def _schemas(signature: Signature) -> dict[str, Any]:
    names, features = signature.names, signature.features
    row_list = {
        "type": "array",
        "prefixItems": [ref(_name(feature)) for feature in features],
        "minItems": len(features),
        "maxItems": len(features),
    }
    row_object = {
        "type": "object",
        "properties": {feature.name: ref(_name(feature)) for feature in features},
        "required": names,
    }
    rows = {"type": "array", "items": {"anyOf": [ref("LooseRowAsList"), ref("LooseRowAsObject")]}}
    forms = [rows]
    if len(features) == 1:  # one column may be a flat list
        forms.append({"type": "array", "items": ref(_name(features[0]))})
    columns = {
        "title": "Columns by name, all of one length",
        "type": "object",
        "properties": {
            feature.name: {"anyOf": [{"type": "array", "items": ref(_name(feature))}, ref(_name(feature))]}
            for feature in features
        },
        "required": names,
    }
    split = {
        "type": "object",
        "properties": {
            "columns": {"anyOf": [{"const": names}, {"type": "null"}]},
            "data": {"type": "array", "items": ref("LooseRowAsList")},
        },
        "required": ["data"],
    }
    request = {
        "title": f"Exactly one of {', '.join(FORMS)}",
        "type": "object",
        "properties": {
            "dataframe_split": split,
            "dataframe_records": {"type": "array", "items": ref("LooseRowAsObject")},
            "instances": {"anyOf": forms},
            "inputs": {"anyOf": [*forms, columns]},
        },
        "oneOf": [{"required": [form]} for form in FORMS],
    }
    answer = {
        "type": "object",
        "properties": {"predictions": {"type": "array", "items": ref("Prediction")}},
        "required": ["predictions"],
        "additionalProperties": False,
    }
    error = {
        "title": "MLflow's shape of an error, with what the native one tells beside",
        "type": "object",
        "properties": {
            "error_code": {"enum": sorted(CODES.values())},
            "message": {"type": "string"},
            "details": {"type": "array", "items": {"type": "object"}},
        },
        "required": ["error_code", "message", "details"],
        "additionalProperties": False,
    }
    return {
        "InvocationsRequest": request,
        "InvocationsAnswer": answer,
        "InvocationsError": error,
        "LooseRowAsList": row_list,
        "LooseRowAsObject": row_object,
        **{_name(feature): _loose(feature) for feature in features},
    }


def _name(feature: Feature) -> str:
    return LOOSE[feature.dtype] + ("OrNull" if feature.nullable else "")


def _loose(feature: Feature) -> dict[str, Any]:
    """A value as MLflow's clients write it, by itself or as a list of one."""
    nothing: list[dict[str, Any]] = [{"type": "null"}] if feature.nullable else []
    value: dict[str, Any]
    if feature.dtype == "bool":
        value = {"anyOf": [{"enum": [True, False, 0, 1]}, *nothing]}
    elif feature.dtype == "string":
        value = {"anyOf": [{"type": "string"}, {"type": "integer"}, *nothing]}
    else:
        spelled = NUMBER.pattern
        if feature.nullable:
            spelled = "|".join([spelled, *sorted(MISSING)])
        text = {"type": "string", "pattern": f"^[ \\t]*({spelled})[ \\t]*$"}
        value = {"anyOf": [{"type": "number"}, {"type": "boolean"}, text, *nothing]}
    return {"anyOf": [value, {"type": "array", "prefixItems": [value], "minItems": 1, "maxItems": 1}]}
