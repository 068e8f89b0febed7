"""What every storage envelope gives: deliveries, each of some objects or of the reason why it cannot be read."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from functions.errors import EventError
from functions.messages import ObjectCreated, Passed


class Delivery(NamedTuple):
    """One message of an event. `id` is what its queue calls it, None where no queue asks for it."""

    objects: list[ObjectCreated | Passed]
    id: str | None = None
    error: EventError | None = None


class StorageEnvelope(Protocol):
    """One shape of storage event."""

    def matches(self, event: Any) -> bool: ...

    def deliveries(self, event: Any) -> list[Delivery]:
        """In order. Raises EventError for a shape that is broken as a whole; nothing was read then."""


def opened(text: Any, carried: Iterable[StorageEnvelope], name: str | None = None) -> list[Delivery]:
    """What a message of a topic or a queue carries: JSON of one of the envelopes. What it is not is its error alone."""
    try:
        inner = json.loads(text)
        envelope = next(one for one in carried if one.matches(inner))
        return [Delivery(delivery.objects, name, delivery.error) for delivery in envelope.deliveries(inner)]
    except (ValueError, TypeError, RecursionError):
        return [Delivery([], name, EventError("the message is not JSON"))]
    except StopIteration:
        return [Delivery([], name, EventError("the message is no storage event"))]
    except EventError as error:
        return [Delivery([], name, error)]
