"""The contract's own part of the OpenAPI document."""

from functions.inference.model import ServedModel
from functions.protocols.contract import HTML, SCHEMA
from functions.protocols.native_openapi import ASKED
from functions.protocols.openapi_parts import JSON, Part, operation, refusals


def describe(_served: ServedModel) -> Part:
    thing = {"type": "object"}
    refused = refusals(ASKED)
    return Part(
        tag="contract",
        description="What may be sent, for machines and people",
        paths={
            "/openapi.json": {"get": operation("openapi", "This document", {JSON: thing}, refusals=refused)},
            "/schema": {
                "get": operation(
                    "schema", "JSON Schema (2020-12) of one row", {SCHEMA: thing, JSON: thing}, refusals=refused
                )
            },
            "/docs": {
                "get": operation("docs", "This document as a page", {HTML: {"type": "string"}}, refusals=refused)
            },
        },
        schemas={},
    )
