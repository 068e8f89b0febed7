"""`POST /invocations`: MLflow's scoring server and SageMaker's container contract, which share the path.

Rows come as MLflow's JSON (`dataframe_split`, `dataframe_records`, `instances`, `inputs`), as CSV (with a header, or
`text/csv; header=absent` in the model's order) or as JSON Lines. As MLflow does, unknown columns and keys are left out,
and a numeric text or a boolean is read as the number it spells. What MLflow would turn into a wrong value without a
word is refused here: a text for a boolean, a missing value where training saw none, a number float64 cannot hold.
Source: MLflow, "Deploy MLflow Model as a Local Inference Server"; SageMaker, "Common data formats for inference".
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from functions.errors import NotAcceptable, UnsupportedMediaType
from functions.inference.engine import Predictions
from functions.inference.model import Serving
from functions.messages import Request, Response
from functions.protocols import native, tables
from functions.protocols.dialect import Action
from functions.signature import Label, Signature

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
TEXT = "text/plain"
VERSION = b"2.0.0"  # of MLflow, whose scoring protocol has been the same since
CODES = {
    400: "BAD_REQUEST", 404: "ENDPOINT_NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 406: "NOT_ACCEPTABLE",
    413: "REQUEST_LIMIT_EXCEEDED", 415: "UNSUPPORTED_MEDIA_TYPE", 500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
}  # fmt: skip


def invoke(request: Request, serving: Serving) -> Response:
    """Raises UnsupportedMediaType, NotAcceptable, InvalidBody, InvalidRows, ModelError."""
    media, header = _media(request.headers.get("content-type", ""))
    wanted = _wanted(request.headers.get("accept", ""))
    served = serving.get()
    if media == CSV:
        rows = tables.from_csv(request.body, served.signature, header=header)
    elif media == JSON_LINES:
        rows = tables.from_json_lines(request.body, served.signature)
    else:
        rows = tables.from_json(request.body, served.signature)
    return _answer(served.predict(rows), served.signature, wanted, len(rows))


def version(_request: Request, _serving: Serving) -> Response:
    return Response(200, VERSION, {"content-type": TEXT})


ROUTES: dict[str, dict[str, Action]] = {
    "/invocations": {"POST": invoke},
    "/health": {"GET": native.ping},
    "/version": {"GET": version},
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
    """MLflow's shape of an error, with what the native one tells beside."""
    body = {"error_code": CODES.get(status, code.upper()), "message": message, "details": list(details)}
    return Response(status, msgspec.json.encode(body), {"content-type": JSON, **(headers or {})})


def _media(text: str) -> tuple[str, bool]:
    """The media type, and whether a CSV has a header."""
    media, *rest = [part.strip() for part in text.lower().split(";")]
    parameters = dict(part.partition("=")[::2] for part in rest if part)
    charset = parameters.pop("charset", "utf-8").strip('"')
    header = parameters.pop("header", "present") if media == CSV else "present"
    if media not in (CSV, JSON, JSON_LINES):
        raise UnsupportedMediaType(f"the body is {media[:100] or 'of no type'}; send {JSON}, {CSV} or {JSON_LINES}")
    if charset != "utf-8":
        raise UnsupportedMediaType(f"the body's charset={charset[:100]} is not read; send UTF-8")
    if parameters or header not in ("present", "absent"):
        raise UnsupportedMediaType(f"the content type {text[:100]!r} is not read; use charset and header only")
    return media, header == "present"


def _wanted(accept: str) -> str:
    taken = native.accepted(accept)
    for media, is_taken in taken.items():
        if is_taken and media in (JSON, CSV, JSON_LINES):
            return media
        if is_taken and media in _FAMILIES:
            return next((one for one in _FAMILIES[media] if taken.get(one, True)), JSON)
    raise NotAcceptable(f"the answer is {JSON}, {CSV} or {JSON_LINES}; the request accepts only {accept[:100]}")


_FAMILIES = {
    "": (JSON,),
    "*/*": (JSON, CSV, JSON_LINES),
    "application/*": (JSON, JSON_LINES),
    "text/*": (CSV,),
}


def _answer(found: Predictions, signature: Signature, wanted: str, rows: int) -> Response:
    said = native.labels_of(found, signature.classes)
    if wanted == CSV:
        return Response(200, tables.csv_lines(said), {"content-type": f"{CSV}; charset=utf-8"}, rows)
    if wanted == JSON_LINES:
        lines = _lines(said, found)
        return Response(
            200, b"".join(msgspec.json.encode(line) + b"\n" for line in lines), {"content-type": wanted}, rows
        )
    return Response(200, msgspec.json.encode({"predictions": said}), {"content-type": JSON}, rows)


def _lines(said: Sequence[Label | float], found: Predictions) -> list[dict[str, Any]]:
    """As SageMaker's own algorithms write them: a label and its scores, or the score alone."""
    if found.classes is None:
        return [{"score": value} for value in said]
    if found.probabilities is None:
        return [{"predicted_label": label} for label in said]
    pairs = zip(said, found.probabilities, strict=True)
    return [{"predicted_label": label, "score": list(scores)} for label, scores in pairs]
