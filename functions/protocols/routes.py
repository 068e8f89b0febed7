"""Which protocol answers which path and method; a protocol is imported when it is first spoken.

A protocol is a module with `methods(path)`, the actions at one of its paths, and `error(...)`, its shape of an error.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from functions.errors import MethodNotAllowed, ModelError, RouteNotFound, ServingError
from functions.inference.model import Serving
from functions.messages import Request, Response
from functions.protocols import native

if TYPE_CHECKING:  # what is only spoken of while types are checked is not imported at a cold start
    from functions.protocols.dialect import Action, Dialect

OTHERS: dict[str, str] = {
    "/invocations": "invocations", "/health": "invocations", "/version": "invocations", "/v2": "open_inference",
    "/openapi.json": "contract", "/schema": "contract", "/docs": "contract",
}  # fmt: skip
"""The first part of a path to the protocol that speaks there; everything else is native."""

THERE_IS = ", ".join([*native.ROUTES, *OTHERS])


def respond(request: Request, serving: Serving) -> Response:
    """The answer. Raises RouteNotFound, MethodNotAllowed, and what the protocol and `serving` raise."""
    path = request.path.rstrip("/") or "/"
    methods = _dialect(path).methods(path)
    if methods is None:
        raise RouteNotFound(f"there is nothing at {path[:200]}; there is {THERE_IS}")
    action = methods.get(request.method)
    if action is not None:
        return action(request, serving)
    if request.method == "OPTIONS":
        return Response(204, b"", {"allow": _allowed(methods)})
    if request.method == "HEAD" and "GET" in methods:
        answer = methods["GET"](request, serving)
        return Response(answer.status, b"", answer.headers)
    allowed = _allowed(methods)
    raise MethodNotAllowed(f"{path} takes {allowed}, not {request.method[:20]}", headers={"allow": allowed})


def refuse(error: Exception, request: Request | None = None) -> Response:
    """The answer to an error, as the request's protocol writes it: a client's mistake in full, else without detail."""
    dialect = _dialect(request.path) if request else native
    if not isinstance(error, ServingError):
        return dialect.error(500, "internal_error", "the function failed; its log says why")
    if error.status < 500:
        return dialect.error(error.status, error.code, error.message, error.details, error.headers)
    if isinstance(error, ModelError):
        message = "no model can be served now; the function's log says why"
        return dialect.error(error.status, error.code, message, error.details, {"retry-after": "5"})
    return dialect.error(error.status, error.code, "the function failed; its log says why")


def _allowed(methods: "dict[str, Action]") -> str:
    return ", ".join([*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"])


def _dialect(path: str) -> "Dialect":
    first = "/" + path[1:].partition("/")[0]
    name = OTHERS.get(first)
    if name is None:
        return native
    found: Dialect = import_module(f"functions.protocols.{name}")
    return found
