"""The door for HTTP-shaped events: API Gateway, function URLs, load balancers, and direct invocation."""

import time
from typing import Any

from functions import envelopes, telemetry, wiring
from functions.envelopes import Envelope
from functions.errors import PayloadTooLarge
from functions.live import LiveModel
from functions.messages import Request, Response
from functions.protocols.site import Site

GROWS = 8  # the runtime writes fewer than so many bytes for one of a body


class PredictDoor:
    """Event in, answer out. A client's mistake is a 4xx; whatever else fails is logged and answered without detail."""

    def __init__(self, live: LiveModel, site: Site | None = None) -> None:
        self._live = live
        self._site = site or Site()

    def __call__(self, event: Any, context: Any) -> Any:
        started = time.perf_counter()
        request_id = getattr(context, "aws_request_id", None)
        envelope = envelopes.of(event)
        request: Request | None = None
        try:
            request = envelope.request(event)
            response = self._site.respond(request, self._live)
            response = self._site.dressed(request, response, binary=envelope.takes_binary)
            _check_size(envelope, response)
        except Exception as error:
            response = self._site.refuse(error, request)
            if response.status >= 500:
                telemetry.failure("the request failed", error, request_id=request_id)
            if request is not None:
                response = self._site.dressed(request, response, binary=envelope.takes_binary)
        function = getattr(context, "function_name", None) or "predict"
        self._measure(started, function, request, response, request_id)
        return envelope.answer(response)

    def _measure(
        self, started: float, function: str, request: Request | None, response: Response, request_id: str | None
    ) -> None:
        telemetry.measure(
            "request",
            function,
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


def _check_size(envelope: Envelope, response: Response) -> None:
    if len(response.body) * GROWS <= envelope.limit:
        return
    size = envelopes.sent_bytes(envelope.answer(response))
    if size > envelope.limit:
        fitting = response.rows * envelope.limit // size * 9 // 10
        raise PayloadTooLarge(
            f"the answer would be {size} bytes, over the limit of {envelope.limit}; about {fitting} rows would fit: "
            "send fewer, or drop the rows as a CSV into incoming/"
        )


_door = PredictDoor(wiring.live_model(), wiring.site())


def handler(event: Any, context: Any) -> Any:
    """Answers what API Gateway (2.0, 1.0), a function URL or a load balancer sends, or the body by itself."""
    return _door(event, context)
