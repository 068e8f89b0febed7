"""What an invocation's context says, for the doors. It knows no event."""

from collections.abc import Callable
from typing import Any


def seconds_left(context: Any) -> Callable[[], float] | None:
    """Asks how many this invocation still has; None where nothing limits the time, as in a plain call."""
    ask = getattr(context, "get_remaining_time_in_millis", None)
    return None if ask is None else lambda: ask() / 1000
