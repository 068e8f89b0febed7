"""A model's rows, labels and probabilities as JSON Schema (2020-12). It knows no route and no protocol's own rules."""

from collections.abc import Sequence
from typing import Any

from functions.inference.model import ServedModel
from functions.protocols.native import class_key
from functions.signature import Cell, Feature, Signature

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MOST_CATEGORIES = 100  # told; there may be more
DIGITS = 4  # of an example's number
TYPES = {"float64": "number", "bool": "boolean", "string": "string"}


def row_schema(served: ServedModel) -> dict[str, Any]:
    """The schema of one row in both its forms, whole in itself."""
    signature = served.signature
    return {
        "$schema": DIALECT,
        "title": f"One row for the model {served.name}, version {served.version}",
        "anyOf": [{"$ref": "#/$defs/object"}, {"$ref": "#/$defs/list"}],
        "examples": [example_object(signature), example_list(signature)],
        "$defs": {"object": object_form(signature), "list": list_form(signature)},
    }


def object_form(signature: Signature) -> dict[str, Any]:
    """A row by feature name, in any order."""
    return {
        "title": "A row as an object, in any order",
        "type": "object",
        "properties": {feature.name: feature_schema(feature) for feature in signature.features},
        "required": signature.names,
        "additionalProperties": False,
    }


def list_form(signature: Signature) -> dict[str, Any]:
    """A row in the model's order."""
    return {
        "title": f"A row as a list: {', '.join(signature.names)}"[:1000],
        "type": "array",
        "prefixItems": [{"title": feature.name, **feature_schema(feature)} for feature in signature.features],
        "minItems": len(signature.features),
        "maxItems": len(signature.features),
    }


def feature_schema(feature: Feature) -> dict[str, Any]:
    """One feature, with what training saw; other numbers and texts are taken too."""
    kind = TYPES[feature.dtype]
    schema: dict[str, Any] = {"type": [kind, "null"] if feature.nullable else kind}
    told = training(feature)
    if told:
        schema["description"] = told
    schema["examples"] = [example(feature)]
    if feature.categories:
        schema["examples"] = feature.categories[:MOST_CATEGORIES]
    seen = {name: getattr(feature, name) for name in ("minimum", "maximum", "mean", "std")}
    if any(value is not None for value in seen.values()):
        schema["x-training"] = {name: value for name, value in seen.items() if value is not None}
    return schema


def training(feature: Feature) -> str:
    """What training saw of a feature, in words; empty where there is nothing to tell."""
    told = []
    if feature.minimum is not None and feature.maximum is not None:
        told.append(f"Training saw {feature.minimum:g} to {feature.maximum:g}.")
    if feature.categories:
        named = ", ".join(feature.categories[:MOST_CATEGORIES])
        more = len(feature.categories) - MOST_CATEGORIES
        told.append(f"Training saw {named}{f' and {more} more' if more > 0 else ''}.")
    if feature.nullable:
        told.append("May be missing: null.")
    return " ".join(told)


def labels_schema(signature: Signature) -> dict[str, Any]:
    """One prediction: a class, or a number."""
    if signature.task == "regression":
        return {"type": "number", "title": signature.target}
    return {"enum": list(signature.classes), "title": signature.target}


def probabilities_schema(signature: Signature) -> dict[str, Any]:
    """One row's probabilities by class; `top_k` leaves some out."""
    share = {"type": "number", "minimum": 0, "maximum": 1 + 1e-9}
    return {
        "type": "object",
        "properties": {class_key(label): share for label in signature.classes},
        "additionalProperties": False,
    }


def example_list(signature: Signature) -> list[Cell]:
    """A row in the middle of what training saw."""
    return [example(feature) for feature in signature.features]


def example_object(signature: Signature) -> dict[str, Cell]:
    """Another row, at the upper end of what training saw."""
    return {feature.name: example(feature, last=True) for feature in signature.features}


def example(feature: Feature, *, last: bool = False) -> Cell:
    """A value that fits; made of means, ranges and categories, so that it is nobody's row."""
    if feature.dtype == "bool":
        return not last
    if feature.dtype == "string":
        return _one_of(feature.categories or ["text"], last=last)
    numbers = [feature.maximum, feature.mean] if last else [feature.mean, feature.minimum]
    number = next((number for number in numbers if number is not None), 0.0)
    return float(f"{number:.{DIGITS}g}")


def _one_of(texts: Sequence[str], *, last: bool) -> str:
    return texts[-1 if last else 0]
