"""Models in memory, and requests to them through the routes: what a protocol's tests need and no gateway."""

import json
from typing import Any

from functions import loader
from functions.errors import ServingError
from functions.inference.model import ServedModel
from functions.messages import Request, Response
from functions.protocols import routes
from functions.registry.memory import MemoryStore
from tests.models import publish_iris, publish_mixed, publish_regression


class Fixed:
    """Serves one model and nothing else."""

    def __init__(self, model: ServedModel) -> None:
        self._model = model

    def get(self) -> ServedModel:
        return self._model

    def status(self) -> dict[str, Any]:
        return {"refresh": {"seconds": 0, "checked": None, "error": None}}


def loaded(name: str) -> ServedModel:
    store = MemoryStore()
    {"iris": publish_iris, "mixed": publish_mixed, "price": publish_regression}[name](store)
    return loader.load(store, loader.Reference(name))


MODELS = {name: Fixed(loaded(name)) for name in ("iris", "mixed", "price")}


def answered(body: Any, model: str = "iris", method: str = "POST", path: str = "/predict", **headers: str) -> Response:
    """The whole answer. A header's name is given with underscores."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(method, path, {name.replace("_", "-"): value for name, value in headers.items()}, raw)
    try:
        return routes.respond(request, MODELS[model])
    except ServingError as error:
        return routes.refuse(error, request)


def ask(
    body: Any, model: str = "iris", method: str = "POST", path: str = "/predict", **headers: str
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, JSON and headers."""
    response = answered(body, model, method, path, **headers)
    return response.status, json.loads(response.body), response.headers
