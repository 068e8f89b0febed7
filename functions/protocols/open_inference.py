"""The Open Inference Protocol, version 2, over REST: its paths, its answers and its error. It knows no tensor's inside.

Rows come as one tensor of shape [n, features] in the model's order, whatever its name, or as one tensor of shape [n] or
[n, 1] per feature, by name and in any order. Numbers are taken from any FP, INT or UINT, booleans from BOOL, texts from
BYTES. A number is read as it is written; FP16 and FP32 say only how large it may be.

Missing, where training saw missing values: null in any tensor's JSON data, and NaN in FP tensors. An empty text is a
text, not a missing one.

`parameters` are taken wherever the protocol has them; none changes an answer, and the protocol has none sent back. Keys
that it does not know are passed over, since extensions add them.

Tensors may come by the binary data extension, as tritonclient sends them unless told otherwise. Answers are JSON all
the same, which its clients read; so `GET /v2` does not name the extension.

Source: kserve/open-inference-protocol, specification/protocol/inference_rest.md; Triton Inference Server, "Binary
Tensor Data Extension".
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from functions.errors import InvalidBody, RouteNotFound
from functions.inference.model import ServedModel, Serving
from functions.messages import Request, Response
from functions.protocols import native, open_inference_inputs, open_inference_outputs, strict_json
from functions.protocols.dialect import Action

SERVER = "serverless-sklearn"
VERSION = "0.1.0"
PLATFORMS = {"joblib": "sklearn_joblib", "onnx": "onnx_onnxv1"}
HINT = 'send {"inputs": [{"name": ..., "shape": [...], "datatype": ..., "data": [...]}, ...]}'


def server(request: Request, _serving: Serving) -> Response:
    native.check_accepted(request)
    return _answer({"name": SERVER, "version": VERSION, "extensions": []})


def live(request: Request, _serving: Serving) -> Response:
    """200 whenever the function answers, also while no model can be loaded."""
    native.check_accepted(request)
    return _answer({"live": True})


def ready(request: Request, serving: Serving) -> Response:
    """200 where a model is ready; 503 (raised by `serving`) where none is. The specification's key is `live`, too."""
    native.check_accepted(request)
    serving.get()
    return _answer({"live": True, "ready": True})


def model_ready(request: Request, serving: Serving, *, name: str, version: str | None) -> Response:
    """Raises RouteNotFound for another model or version, ModelError while there is none."""
    native.check_accepted(request)
    return _answer({"name": _served(serving, name, version).name, "ready": True})


def model(request: Request, serving: Serving, *, name: str, version: str | None) -> Response:
    """Raises RouteNotFound for another model or version, ModelError while there is none."""
    native.check_accepted(request)
    served = _served(serving, name, version)
    return _answer(
        {
            "name": served.name,
            "versions": [served.version],
            "platform": PLATFORMS[served.engine.name],
            "inputs": open_inference_inputs.described(served.signature),
            "outputs": open_inference_outputs.described(served),
        }
    )


def infer(request: Request, serving: Serving, *, name: str, version: str | None) -> Response:
    """Raises RouteNotFound, UnsupportedMediaType, NotAcceptable, InvalidBody, InvalidRows, ModelError."""
    served = _served(serving, name, version)
    document = _document(request)
    identifier = document.get("id")
    if not isinstance(identifier, str | None):
        raise InvalidBody('"id" is not a text')
    outputs = open_inference_outputs.requested(document.get("outputs"), served)
    rows = open_inference_inputs.rows(document["inputs"], served.signature)
    found = served.predict(rows)
    body: dict[str, Any] = {"model_name": served.name, "model_version": served.version}
    if identifier is not None:
        body["id"] = identifier
    body["outputs"] = open_inference_outputs.tensors(outputs, found, served.signature)
    return _answer(body, rows=len(rows))


ROUTES: dict[str, dict[str, Action]] = {
    "/v2": {"GET": server},
    "/v2/health/live": {"GET": live},
    "/v2/health/ready": {"GET": ready},
}
MODELS = "/v2/models/"


def methods(path: str) -> dict[str, Action] | None:
    if not path.startswith(MODELS):
        return ROUTES.get(path)
    name, *rest = path.removeprefix(MODELS).split("/")
    version = None
    if rest[:1] == ["versions"] and len(rest) > 1:
        version, rest = rest[1], rest[2:]
    if rest == []:
        return {"GET": partial(model, name=name, version=version)}
    if rest == ["ready"]:
        return {"GET": partial(model_ready, name=name, version=version)}
    if rest == ["infer"]:
        return {"POST": partial(infer, name=name, version=version)}
    return None


def error(
    status: int,
    code: str,  # noqa: ARG001 - the protocol's error has no room for it
    message: str,
    details: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The protocol's error is one text, so every problem is told in it."""
    told = "; ".join(_told(problem) for problem in details)
    body = {"error": f"{message}: {told}" if told else message}
    return Response(status, msgspec.json.encode(body), {"content-type": native.JSON, **(headers or {})})


def _told(problem: Mapping[str, Any]) -> str:
    if "expected" not in problem:
        return ", ".join(f"{key} {value}" for key, value in problem.items())
    places = [f"{key} {problem[key]!r}" for key in ("tensor", "row", "column") if problem.get(key) is not None]
    found = msgspec.json.encode(problem["found"]).decode()
    return f"{', '.join(places)}: found {found}, expected {problem['expected']}"


def _served(serving: Serving, name: str, version: str | None) -> ServedModel:
    served = serving.get()
    if name != served.name:
        raise RouteNotFound(f"there is no model {name[:80]!r} here; there is {served.name!r}")
    if version not in (None, served.version):
        raise RouteNotFound(f"{served.name!r} is served in version {served.version!r}, not {str(version)[:80]!r}")
    return served


def _document(request: Request) -> dict[str, Any]:
    """The request's object, its `inputs` a list of objects that hold their data, however it came."""
    length = request.headers.get("inference-header-content-length")
    if length is None:
        native.negotiate(request)
        document, binary = _object(request.body), b""
    else:
        from functions.protocols import open_inference_binary

        native.check_accepted(request)
        text, binary = open_inference_binary.split(request.body, length)
        document = _object(text)
        document["inputs"] = open_inference_binary.with_data(document["inputs"], binary)
    return document


def _object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        raise InvalidBody(f"the body is empty; {HINT}")
    document = strict_json.decode(body, b"inputs")
    if not isinstance(document, dict):
        raise InvalidBody(f"the body is not an object; {HINT}")
    if "inputs" not in document:
        raise InvalidBody(f'the body has no "inputs"; {HINT}')
    if not isinstance(document["inputs"], list) or not all(isinstance(each, dict) for each in document["inputs"]):
        raise InvalidBody(f'"inputs" is not a list of objects; {HINT}')
    for holder in (document, *document["inputs"]):
        if not isinstance(holder.get("parameters"), dict | None):
            raise InvalidBody('"parameters" is not an object')
    return document


def _answer(body: dict[str, Any], rows: int = 0) -> Response:
    return Response(200, msgspec.json.encode(body), rows=rows)
