"""What the protocols' parts of the OpenAPI document are made of; it knows no protocol and no model.

Source: OpenAPI Specification 3.1.1.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from functions import errors

JSON = "application/json"
UNAVAILABLE = 503
PHRASES = {
    400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable", 413: "Content Too Large",
    415: "Unsupported Media Type", 500: "Internal Server Error", UNAVAILABLE: "Service Unavailable",
}  # fmt: skip


class Part(NamedTuple):
    """One protocol's share of the document: paths to their methods, and schemas by name."""

    tag: str
    description: str
    paths: dict[str, dict[str, Any]]
    schemas: dict[str, Any]


def ref(schema: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{schema}"}


def operation(
    name: str,
    summary: str,
    answers: Mapping[str, Any],
    *,
    refusals: dict[str, Any],
    body: dict[str, Any] | None = None,
    description: str = "",
) -> dict[str, Any]:
    """One method at one path. answers: media type to schema of a 200; body: media type to its media type object."""
    made: dict[str, Any] = {"operationId": name, "summary": summary}
    if description:
        made["description"] = description
    if body is not None:
        made["requestBody"] = {"required": True, "content": body}
    content = {media: answer if "schema" in answer else {"schema": answer} for media, answer in answers.items()}
    made["responses"] = {"200": {"description": "OK", "content": content}, **refusals}
    return made


def refusals(statuses: Iterable[int], schema: str = "Error") -> dict[str, Any]:
    """The answers other than 200, each with the codes it may carry."""
    by_status = codes()
    made: dict[str, Any] = {}
    for status in statuses:
        told = f"{PHRASES[status]}: {', '.join(by_status[status])}"
        made[str(status)] = {"description": told, "content": {JSON: {"schema": ref(schema)}}}
        if status == UNAVAILABLE:
            seconds = {"description": "Seconds to wait before another try.", "schema": {"type": "string"}}
            made[str(status)]["headers"] = {"Retry-After": seconds}
    return made


def codes() -> dict[int, list[str]]:
    """Status to the codes a client may be answered; a store's and a dropped file's errors are nobody's answer."""
    found: dict[int, list[str]] = {}
    roots: list[type[errors.ServingError]] = [errors.RequestError, errors.EventError, errors.ModelError]
    tree = [error for root in roots for error in _tree(root)]
    tree.append(errors.ServingError)
    tree.remove(errors.RequestError)  # never raised itself
    for error in tree:
        found.setdefault(error.status, []).append(error.code)
    return found


def _tree(root: type[errors.ServingError]) -> list[type[errors.ServingError]]:
    below = [each for child in root.__subclasses__() if child.__module__ == root.__module__ for each in _tree(child)]
    return [root, *below]


def with_head_and_options(path: str, methods: Mapping[str, Any]) -> dict[str, Any]:
    """What every path answers beside its own methods: OPTIONS, and HEAD where there is GET."""
    made = dict(methods)
    name = "".join(word.capitalize() for word in path.replace(".", "/").split("/"))
    if "get" in methods:
        get = methods["get"]
        made["head"] = {
            "operationId": f"head{name}",
            "summary": "GET without its body",
            "tags": get["tags"],
            "responses": {status: {"description": told["description"]} for status, told in get["responses"].items()},
        }
    allow = {"Allow": {"description": "The methods there are.", "schema": {"type": "string"}, "required": True}}
    first = next(iter(methods.values()))
    made["options"] = {
        "operationId": f"options{name}",
        "summary": "The methods there are; a browser asks so before it sends across sites",
        "tags": first["tags"],
        "responses": {"204": {"description": "No content", "headers": allow}},
    }
    return made
