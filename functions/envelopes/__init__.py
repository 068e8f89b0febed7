"""The only files that know an AWS event's shape. A new envelope is one new file, one line here, one sample event."""

from typing import Any, Protocol

from functions.envelopes.direct import Direct
from functions.envelopes.http_api import HttpApi
from functions.envelopes.load_balancer import LoadBalancer
from functions.envelopes.rest_api import RestApi
from functions.messages import Request, Response


class Envelope(Protocol):
    """One shape of HTTP-like event: the same three verbs for each."""

    limit: int
    """Bytes of an answer as the runtime sends it, beyond which whoever is in front answers 502 in our place."""

    takes_binary: bool
    """Whether a body in base64 reaches the client as the bytes that it encodes."""

    def matches(self, event: Any) -> bool: ...

    def request(self, event: Any) -> Request:
        """Raises InvalidBody for a body that cannot be decoded, EventError for an event of a broken shape."""

    def answer(self, response: Response) -> Any:
        """What the function returns, JSON-ready."""


ENVELOPES: tuple[Envelope, ...] = (
    HttpApi(),
    LoadBalancer(lists=False),
    LoadBalancer(lists=True),
    RestApi(),
    Direct(),
)  # direct takes whatever nobody else knows


def of(event: Any) -> Envelope:
    """The first envelope that knows the event."""
    return next(envelope for envelope in ENVELOPES if envelope.matches(event))


def sent_bytes(answer: Any) -> int:
    """The size of what the runtime sends for this answer: it escapes and spaces in its own way."""
    from awslambdaric.lambda_runtime_marshaller import to_json

    text: str = to_json(answer)
    return len(text.encode())
