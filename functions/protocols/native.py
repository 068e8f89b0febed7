"""The project's own protocol: `{"instances": [...]}` in, predictions with the model's name and version out.

`"probabilities": false`, `"top_k": 3` and `"id": "..."`, which is echoed, may stand beside the rows.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from functions.errors import InvalidBody, NotAcceptable, UnsupportedMediaType
from functions.inference.engine import Predictions
from functions.inference.model import Serving
from functions.messages import Request, Response
from functions.protocols import strict_json
from functions.signature import Label

if TYPE_CHECKING:
    from functions.protocols.dialect import Action

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"  # what curl says of any body unless told otherwise
HINT = 'send {"instances": [[...], ...]}, each row a list in the model\'s order or an object by feature name'
OPTIONS = 'beside them "probabilities" (true or false), "top_k" and "id" may stand'


def predict(request: Request, serving: Serving) -> Response:
    """Raises UnsupportedMediaType, NotAcceptable, InvalidBody, InvalidRows, ModelError."""
    negotiate(request)
    document = _document(request.body)
    instances = _instances(document)
    options = _Options.of(document) if len(document) > 1 else PLAIN
    served = serving.get()
    found = served.predict(instances)
    body: dict[str, Any] = {"predictions": labels_of(found, served.signature.classes)}
    if found.probabilities is not None and options.probabilities:
        keys = [class_key(label) for label in served.signature.classes]
        body["probabilities"] = [options.shown(dict(zip(keys, row, strict=True))) for row in found.probabilities]
    body["model"] = {"name": served.name, "version": served.version}
    if options.id is not None:
        body["id"] = options.id
    return Response(200, msgspec.json.encode(body), rows=len(instances))


class _Options(msgspec.Struct, frozen=True):
    """What a request may ask for beside its rows. top_k: only so many classes, the likeliest first."""

    probabilities: bool = True
    top_k: int | None = None
    id: str | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "_Options":
        """Raises InvalidBody."""
        given = {name: value for name, value in document.items() if name != "instances"}
        unknown = [name for name in given if name not in cls.__struct_fields__]
        if unknown:
            raise InvalidBody(f"the body has an unknown key {unknown[0][:80]!r}; {HINT}; {OPTIONS}")
        if isinstance(given.get("top_k"), float) and given["top_k"].is_integer():
            given["top_k"] = int(given["top_k"])  # 3.0 is a whole number, as JSON Schema has it
        found = cls(**given)
        if not isinstance(found.probabilities, bool):
            raise InvalidBody('"probabilities" is to be true or false')
        if "top_k" in given and (type(found.top_k) is not int or found.top_k < 1):
            raise InvalidBody('"top_k" is to be a whole number from 1')
        if "id" in given and not isinstance(found.id, str):
            raise InvalidBody('"id" is to be a text')
        return found

    def shown(self, probabilities: dict[str, float]) -> dict[str, float]:
        if self.top_k is None:
            return probabilities
        likeliest = sorted(probabilities, key=lambda name: -probabilities[name])[: self.top_k]
        return {name: probabilities[name] for name in likeliest}


PLAIN = _Options()


def model(request: Request, serving: Serving) -> Response:
    """The manifest's public part, and how the model is kept up to date."""
    check_accepted(request)
    return Response(200, msgspec.json.encode({**serving.get().public, **serving.status()}))


def ping(request: Request, serving: Serving) -> Response:
    """200 where a model is ready to serve; 503 (raised by `serving`) where none is."""
    check_accepted(request)
    served = serving.get()
    return Response(
        200, msgspec.json.encode({"ready": True, "model": {"name": served.name, "version": served.version}})
    )


ROUTES: "dict[str, dict[str, Action]]" = {
    "/predict": {"POST": predict},
    "/model": {"GET": model},
    "/ping": {"GET": ping},
}


def methods(path: str) -> "dict[str, Action] | None":
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


def labels_of(found: Predictions, classes: Sequence[Label]) -> Sequence[Label | float]:
    """What is predicted for each row: a class, or in regression a number."""
    if found.classes is None:
        return found.values or []
    return [classes[index] for index in found.classes]


def negotiate(request: Request) -> None:
    """Raises UnsupportedMediaType for a body that is said to be no JSON, NotAcceptable as `accepts_json` does."""
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    media = media.strip().lower()
    if media not in ("", JSON, FORM) and not (media.startswith("application/") and media.endswith("+json")):
        raise UnsupportedMediaType(f"the body is {media[:100]}; send {JSON}")
    charset = parameters.lower().replace(" ", "").replace('"', "")
    if "charset=" in charset and not charset.endswith(("charset=utf-8", "charset=utf8")):
        raise UnsupportedMediaType(f"the body's {charset[:100]} is not read; send UTF-8")
    check_accepted(request)


def check_accepted(request: Request, media: str = JSON) -> None:
    """Raises NotAcceptable where the client does not take an answer of this type."""
    accept = request.headers.get("accept")
    if not accept or accept == "*/*":
        return
    taken = accepted(accept)
    # The most specific range decides (RFC 9110, 12.5.1).
    ranges = (media, media.partition("/")[0] + "/*", "*/*")
    if not next((taken[named] for named in ranges if named in taken), False):
        raise NotAcceptable(f"the answer is {media}; the request accepts only {accept[:100]}")


def accepted(accept: str) -> dict[str, bool]:
    """The media ranges that a client names, in its order; False for one with a weight of 0 (RFC 9110, 12.4.2)."""
    ranges = {}
    for media, *parameters in (part.split(";") for part in accept.lower().split(",")):
        pairs = (parameter.replace(" ", "").partition("=") for parameter in parameters)
        ranges[media.strip()] = not any(name == "q" and value.strip("0.") == "" for name, _, value in pairs)
    return ranges


def _document(body: bytes) -> dict[str, Any]:
    if not body.strip():
        raise InvalidBody(f"the body is empty; {HINT}")
    document = strict_json.decode(body, b"instances")
    if not isinstance(document, dict):
        raise InvalidBody(f"the body is not an object; {HINT}")
    return document


def _instances(document: dict[str, Any]) -> list[Any]:
    if "instances" not in document:
        named = f", but {next(iter(document))[:80]!r}" if document else ""
        raise InvalidBody(f'the body has no "instances"{named}; {HINT}')
    instances = document["instances"]
    if not isinstance(instances, list):
        raise InvalidBody(f'"instances" is not a list; {HINT}')
    if instances and not any(isinstance(row, list | dict) for row in instances):
        raise InvalidBody(f'"instances" is one flat row; put it into a list: {HINT}')
    return instances
