"""Every error the functions raise on purpose; it knows HTTP statuses and nothing else.

    ServingError
    ├── RequestError                 the client's mistake; never retried
    │   ├── InvalidBody              400  invalid_body
    │   ├── InvalidRows              400  invalid_rows
    │   ├── NotFinite                400  prediction_not_finite   numbers so large that the model's answer is none
    │   ├── RouteNotFound            404  not_found
    │   ├── MethodNotAllowed         405  method_not_allowed
    │   ├── NotAcceptable            406  not_acceptable
    │   ├── PayloadTooLarge          413  payload_too_large
    │   └── UnsupportedMediaType     415  unsupported_media_type
    ├── EventError                   400  unreadable_event        nobody's envelope
    ├── ModelError                   503  model_unavailable
    │   ├── NotConfigured            503  not_configured
    │   ├── ModelNotFound            503  model_not_found
    │   └── ModelRefused             503  model_refused           found, and not fit to serve
    ├── Unfinished               503  unfinished              some drop of an event; Lambda sends the event again
    ├── OutOfTime                503  out_of_time             a file would fit a fresh invocation, not what is left
    ├── RunEnded                 409  run_ended               parts of a drop that nobody will join any more
    ├── DropRefused                  the file as a whole cannot be scored; `code` is the summary's reason
    └── StoreError                   503  store_error
        ├── ObjectNotFound           404  object_not_found
        ├── NotModified              304  not_modified            it is still what the caller has
        ├── PreconditionFailed       409  precondition_failed     somebody else was first
        ├── AccessDenied             503  access_denied
        └── StoreUnavailable         503  store_unavailable       no bucket, no network, no credentials

Anything else that is raised is a defect: the client sees 500 `internal_error`, the log sees the traceback.
"""

from collections.abc import Sequence
from typing import Any, ClassVar


class ServingError(Exception):
    """Base of the tree. `message` is written for whoever has to mend it; `details` are JSON-ready objects."""

    code: str = "internal_error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, details: Sequence[dict[str, Any]] = (), *, headers: dict[str, str] | None = None):
        super().__init__(message)
        self.message = message
        self.details = list(details)
        self.headers = headers or {}


class RequestError(ServingError):
    """What was sent cannot be answered. Remedy: send it otherwise; the same request fails again."""

    code = "invalid_request"
    status = 400


class InvalidBody(RequestError):
    """The body is not what the route reads. Remedy: the message says where it stops being so, and what to send."""

    code = "invalid_body"


class InvalidRows(RequestError):
    """Some rows do not fit the model. Remedy: mend the values that `details` names, by row and column."""

    code = "invalid_rows"


class NotFinite(RequestError):
    """The model answers a row with no finite number. Remedy: send numbers of the size that training saw."""

    code = "prediction_not_finite"


class RouteNotFound(RequestError):
    """There is nothing at this path. Remedy: use one of those the message lists, or see GET /docs."""

    code = "not_found"
    status = 404


class MethodNotAllowed(RequestError):
    """The path is there and takes other methods. Remedy: use one of the `Allow` header."""

    code = "method_not_allowed"
    status = 405


class NotAcceptable(RequestError):
    """The answer's type is none that `Accept` takes. Remedy: accept the type that the message names."""

    code = "not_acceptable"
    status = 406


class PayloadTooLarge(RequestError):
    """The body or its answer is over Lambda's limit. Remedy: send fewer rows, or drop a CSV into incoming/."""

    code = "payload_too_large"
    status = 413


class UnsupportedMediaType(RequestError):
    """The body's type, charset or coding is not read. Remedy: send one that the message names."""

    code = "unsupported_media_type"
    status = 415


class EventError(ServingError):
    """The function was called with an event of no known sender. Remedy: send one as those in events/."""

    code = "unreadable_event"
    status = 400


class ModelError(ServingError):
    """No model can be served now. Remedy: try again later; the function's log says why."""

    code = "model_unavailable"
    status = 503


class NotConfigured(ModelError):
    """A setting is missing or wrong. Remedy: set the function's variable that its log names."""

    code = "not_configured"


class ModelNotFound(ModelError):
    """The registry has no such model, alias or version. Remedy: publish it, or mend MODEL_NAME and its kin."""

    code = "model_not_found"


class ModelRefused(ModelError):
    """The version was found and is not fit to serve. Remedy: train again, or roll back; the log says what differs."""

    code = "model_refused"


class Unfinished(ServingError):
    """Some drop of an event could not be finished. Remedy: none, the event is sent again; the log says why."""

    code = "unfinished"
    status = 503


class OutOfTime(ServingError):
    """The file fits a fresh invocation; this one spent its time on others. Remedy: none, the event is sent again."""

    code = "out_of_time"
    status = 503


class RunEnded(ServingError):
    """A step came after its run had ended or its drop was replaced. Remedy: none; a new drop has a new run."""

    code = "run_ended"
    status = 409


class DropRefused(ServingError):
    """The file cannot be scored as a whole and trying again would not help."""

    status = 400

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class StoreError(ServingError):
    """The store of models or data failed. Remedy: see its message; what is passing is tried again."""

    code = "store_error"
    status = 503


class ObjectNotFound(StoreError):
    """There is no such object. Remedy: check the key, the bucket and the prefix."""

    code = "object_not_found"
    status = 404


class NotModified(StoreError):
    """The object is still what the caller has. Remedy: none is needed."""

    code = "not_modified"
    status = 304


class PreconditionFailed(StoreError):
    """Somebody else wrote the object first. Remedy: read what is there now, then decide anew."""

    code = "precondition_failed"
    status = 409


class AccessDenied(StoreError):
    """The store refuses these credentials. Remedy: give the role what template.yaml gives it."""

    code = "access_denied"


class StoreUnavailable(StoreError):
    """No bucket, no network or no credentials. Remedy: check MODEL_STORE, DATA_STORE and AWS_ENDPOINT_URL."""

    code = "store_unavailable"


def words_of(error: BaseException) -> str:
    """What to tell a person of an error; of the operating system's, its words without its number."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    return error.strerror + (f": {error.filename}" if error.filename else "")
