"""What a client may send, told to machines and people: `/openapi.json`, `/schema`, `/docs`. Errors are the native ones.

Everything that makes these answers is imported when one of them is asked for.
"""

import msgspec

from functions.errors import NotAcceptable
from functions.inference.model import Serving
from functions.messages import Request, Response
from functions.protocols import native
from functions.protocols.dialect import Action

SCHEMA = "application/schema+json"
HTML = "text/html"


def openapi(request: Request, serving: Serving) -> Response:
    """The OpenAPI 3.1 document of the model that is served now. Raises NotAcceptable, ModelError."""
    native.check_accepted(request, native.JSON)
    from functions.protocols.openapi import document

    return Response(200, msgspec.json.encode(document(serving.get())), {"content-type": native.JSON})


def schema(request: Request, serving: Serving) -> Response:
    """JSON Schema (2020-12) of one row. Raises NotAcceptable, ModelError."""
    media = SCHEMA
    try:
        native.check_accepted(request, SCHEMA)
    except NotAcceptable:
        native.check_accepted(request, native.JSON)
        media = native.JSON
    from functions.protocols.json_schema import row_schema

    return Response(200, msgspec.json.encode(row_schema(serving.get())), {"content-type": media})


def docs(request: Request, serving: Serving) -> Response:
    """The OpenAPI document as a page that needs nothing from elsewhere. Raises NotAcceptable, ModelError."""
    native.check_accepted(request, HTML)
    from functions.protocols.docs_page import POLICY, page
    from functions.protocols.openapi import document

    headers = {"content-type": f"{HTML}; charset=utf-8", "content-security-policy": POLICY}
    return Response(200, page(document(serving.get())), headers)


ROUTES: dict[str, dict[str, Action]] = {
    "/openapi.json": {"GET": openapi},
    "/schema": {"GET": schema},
    "/docs": {"GET": docs},
}


def methods(path: str) -> dict[str, Action] | None:
    return ROUTES.get(path)


error = native.error
