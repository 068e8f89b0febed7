"""The project's own protocol: `{"instances": [...]}` in, predictions with the model's name and version out."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from functions.errors import InvalidBody, NotAcceptable, UnsupportedMediaType
from functions.inference.engine import Predictions
from functions.inference.model import Serving
from functions.messages import Request, Response
from functions.protocols import strict_json
from functions.protocols.dialect import Action
from functions.signature import Label

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"  # what curl says of any body unless told otherwise
HINT = 'send {"instances": [[...], ...]}, each row a list in the model\'s order or an object by feature name'


def predict(request: Request, serving: Serving) -> Response:
    """Raises UnsupportedMediaType, NotAcceptable, InvalidBody, InvalidRows, ModelError."""
    _negotiate(request)
    instances = _instances(request.body)
    served = serving.get()
    found = served.predict(instances)
    body: dict[str, Any] = {"predictions": _predictions(found, served.signature.classes)}
    if found.probabilities is not None:
        keys = [class_key(label) for label in served.signature.classes]
        body["probabilities"] = [dict(zip(keys, row, strict=True)) for row in found.probabilities]
    body["model"] = {"name": served.name, "version": served.version}
    return Response(200, msgspec.json.encode(body), rows=len(instances))


def model(request: Request, serving: Serving) -> Response:
    """The manifest's public part, and how the model is kept up to date."""
    _accepts_json(request)
    return Response(200, msgspec.json.encode({**serving.get().public, **serving.status()}))


def ping(request: Request, serving: Serving) -> Response:
    """200 where a model is ready to serve; 503 (raised by `serving`) where none is."""
    _accepts_json(request)
    served = serving.get()
    return Response(
        200, msgspec.json.encode({"ready": True, "model": {"name": served.name, "version": served.version}})
    )


ROUTES: dict[str, dict[str, Action]] = {
    "/predict": {"POST": predict},
    "/model": {"GET": model},
    "/ping": {"GET": ping},
}


def methods(path: str) -> dict[str, Action] | None:
    return ROUTES.get(path)


def error(
    status: int,
    code: str,
    message: str,
    details: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The one shape of an error."""
    body = {"error": {"code": code, "message": message, "details": list(details)}}
    return Response(status, msgspec.json.encode(body), {"content-type": JSON, **(headers or {})})


def class_key(label: Label) -> str:
    """How a class is named as a key: its text, or its JSON form."""
    return label if isinstance(label, str) else msgspec.json.encode(label).decode()


def _predictions(found: Predictions, classes: Sequence[Label]) -> Sequence[Label | float]:
    if found.classes is None:
        return found.values or []
    return [classes[index] for index in found.classes]


def _negotiate(request: Request) -> None:
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    media = media.strip().lower()
    if media not in ("", JSON, FORM) and not (media.startswith("application/") and media.endswith("+json")):
        raise UnsupportedMediaType(f"the body is {media[:100]}; send {JSON}")
    charset = parameters.lower().replace(" ", "").replace('"', "")
    if "charset=" in charset and not charset.endswith(("charset=utf-8", "charset=utf8")):
        raise UnsupportedMediaType(f"the body's {charset[:100]} is not read; send UTF-8")
    _accepts_json(request)


def _accepts_json(request: Request) -> None:
    accept = request.headers.get("accept")
    if not accept or accept == "*/*":
        return
    ranges = {media.strip(): _taken(rest) for media, *rest in (part.split(";") for part in accept.lower().split(","))}
    # The most specific range decides (RFC 9110, 12.5.1).
    if not next((ranges[media] for media in (JSON, "application/*", "*/*") if media in ranges), False):
        raise NotAcceptable(f"the answer is {JSON}; the request accepts only {accept[:100]}")


def _taken(parameters: list[str]) -> bool:
    """False for a weight of 0 in any of its spellings (RFC 9110, 12.4.2)."""
    pairs = (parameter.replace(" ", "").partition("=") for parameter in parameters)
    return not any(name == "q" and value.strip("0.") == "" for name, _, value in pairs)


def _instances(body: bytes) -> list[Any]:
    if not body.strip():
        raise InvalidBody(f"the body is empty; {HINT}")
    document = strict_json.decode(body, b"instances")
    if not isinstance(document, dict):
        raise InvalidBody(f"the body is not an object; {HINT}")
    unknown = [key for key in document if key != "instances"]
    if "instances" not in document:
        named = f", but {unknown[0][:80]!r}" if unknown else ""
        raise InvalidBody(f'the body has no "instances"{named}; {HINT}')
    if unknown:
        raise InvalidBody(f"the body has an unknown key {unknown[0][:80]!r}; {HINT}")
    instances = document["instances"]
    if not isinstance(instances, list):
        raise InvalidBody(f'"instances" is not a list; {HINT}')
    if instances and not any(isinstance(row, list | dict) for row in instances):
        raise InvalidBody(f'"instances" is one flat row; put it into a list: {HINT}')
    return instances
