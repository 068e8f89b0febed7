"""The door for HTTP-shaped events: API Gateway (HTTP and REST APIs) and direct invocation."""

import time
from typing import Any

from functions import envelopes, telemetry, wiring
from functions.errors import PayloadTooLarge
from functions.live import LiveModel
from functions.messages import Request, Response
from functions.protocols import routes

LIMIT = 6 * 1024 * 1024  # bytes of the encoded answer; source: Lambda quotas, "Invocation payload"
SURELY_FITS = LIMIT // 8  # the runtime writes at most three bytes for one of a body


class PredictDoor:
    """Event in, answer out. A client's mistake is a 4xx; whatever else fails is logged and answered without detail."""

    def __init__(self, live: LiveModel) -> None:
        self._live = live

    def __call__(self, event: Any, context: Any) -> Any:
        started = time.perf_counter()
        request_id = getattr(context, "aws_request_id", None)
        envelope = envelopes.of(event)
        request: Request | None = None
        try:
            request = envelope.request(event)
            response = routes.respond(request, self._live)
            if len(response.body) > SURELY_FITS:
                _check_size(envelopes.sent_bytes(envelope.answer(response)), response.rows)
        except Exception as error:
            response = routes.refuse(error)
            if response.status >= 500:
                telemetry.failure("the request failed", error, request_id=request_id)
        self._measure(started, request, response, request_id)
        return envelope.answer(response)

    def _measure(self, started: float, request: Request | None, response: Response, request_id: str | None) -> None:
        telemetry.measure(
            "request",
            "predict",
            {
                "Rows": (response.rows, "Count"),
                "Milliseconds": (round((time.perf_counter() - started) * 1000, 3), "Milliseconds"),
                "ClientErrors": (int(400 <= response.status < 500), "Count"),
                "ServerErrors": (int(response.status >= 500), "Count"),
            },
            request_id=request_id,
            path=request.path if request else None,
            status=response.status,
            model=self._live.version,
        )


def _check_size(size: int, rows: int) -> None:
    if size > LIMIT:
        fitting = rows * LIMIT // size * 9 // 10
        raise PayloadTooLarge(
            f"the answer would be {size} bytes, over Lambda's limit of {LIMIT}; about {fitting} rows would fit: "
            "send fewer, or drop the rows as a CSV into incoming/"
        )


_door = PredictDoor(wiring.live_model())


def handler(event: Any, context: Any) -> Any:
    """Answers an API Gateway event (payload 2.0 or 1.0) or a bare `{"instances": [...]}`."""
    return _door(event, context)
