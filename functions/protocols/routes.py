"""Which protocol answers which path and method; a protocol is imported when it is first spoken."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

from functions.errors import MethodNotAllowed, ModelError, RouteNotFound, ServingError
from functions.inference.model import Serving
from functions.messages import Request, Response
from functions.protocols import native

Action: TypeAlias = Callable[[Request, Serving], Response]

ROUTES: dict[str, dict[str, str]] = {
    "/predict": {"POST": "native.predict"},
    "/model": {"GET": "native.model"},
    "/ping": {"GET": "native.ping"},
}


def respond(request: Request, serving: Serving) -> Response:
    """The answer. Raises RouteNotFound, MethodNotAllowed, and what the protocol and `serving` raise."""
    path = request.path.rstrip("/") or "/"
    methods = ROUTES.get(path)
    if methods is None:
        raise RouteNotFound(f"there is nothing at {path[:200]}; there is {', '.join(ROUTES)}")
    action = methods.get(request.method)
    if action is not None:
        return _action(action)(request, serving)
    if request.method == "OPTIONS":
        return Response(204, b"", {"allow": _allowed(methods)})
    if request.method == "HEAD" and "GET" in methods:
        answer = _action(methods["GET"])(request, serving)
        return Response(answer.status, b"", answer.headers)
    allowed = _allowed(methods)
    raise MethodNotAllowed(f"{path} takes {allowed}, not {request.method[:20]}", headers={"allow": allowed})


def _allowed(methods: dict[str, str]) -> str:
    return ", ".join([*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"])


def refuse(error: Exception) -> Response:
    """The answer to an error: a client's mistake in full, anything else without detail."""
    if not isinstance(error, ServingError):
        return native.error(500, "internal_error", "the function failed; its log says why")
    if error.status < 500:
        return native.error(error.status, error.code, error.message, error.details, error.headers)
    if isinstance(error, ModelError):
        message = "no model can be served now; the function's log says why"
        return native.error(error.status, error.code, message, error.details, {"retry-after": "5"})
    return native.error(error.status, error.code, "the function failed; its log says why")


_actions: dict[str, Action] = {}


def _action(name: str) -> Action:
    found = _actions.get(name)
    if found is None:
        module, _, function = name.partition(".")
        loaded: Any = getattr(import_module(f"functions.protocols.{module}"), function)
        found = _actions[name] = loaded
    return found
