"""Every error the functions raise on purpose; it knows HTTP statuses and nothing else.

    ServingError
    ├── RequestError                 the client's mistake; never retried
    │   ├── InvalidBody              400  invalid_body
    │   ├── InvalidRows              400  invalid_rows
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
    ├── NotFinite                    500  prediction_not_finite
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
    code = "invalid_request"
    status = 400


class InvalidBody(RequestError):
    code = "invalid_body"


class InvalidRows(RequestError):
    code = "invalid_rows"


class RouteNotFound(RequestError):
    code = "not_found"
    status = 404


class MethodNotAllowed(RequestError):
    code = "method_not_allowed"
    status = 405


class NotAcceptable(RequestError):
    code = "not_acceptable"
    status = 406


class PayloadTooLarge(RequestError):
    code = "payload_too_large"
    status = 413


class UnsupportedMediaType(RequestError):
    code = "unsupported_media_type"
    status = 415


class EventError(ServingError):
    code = "unreadable_event"
    status = 400


class ModelError(ServingError):
    code = "model_unavailable"
    status = 503


class NotConfigured(ModelError):
    code = "not_configured"


class ModelNotFound(ModelError):
    code = "model_not_found"


class ModelRefused(ModelError):
    code = "model_refused"


class NotFinite(ServingError):
    code = "prediction_not_finite"


class DropRefused(ServingError):
    """The file cannot be scored as a whole and trying again would not help."""

    status = 400

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class StoreError(ServingError):
    code = "store_error"
    status = 503


class ObjectNotFound(StoreError):
    code = "object_not_found"
    status = 404


class NotModified(StoreError):
    code = "not_modified"
    status = 304


class PreconditionFailed(StoreError):
    code = "precondition_failed"
    status = 409


class AccessDenied(StoreError):
    code = "access_denied"


class StoreUnavailable(StoreError):
    code = "store_unavailable"


def words_of(error: BaseException) -> str:
    """What to tell a person of an error; of the operating system's, its words without its number."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    return error.strerror + (f": {error.filename}" if error.filename else "")
