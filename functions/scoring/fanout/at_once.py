"""Many small calls to a store side by side, in threads."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")

MOST = 16


def at_once(act: Callable[[S], T], items: Iterable[S]) -> list[T]:
    """What `act` makes of each, in their order. Raises what the first of them raises, once the others are through."""
    with ThreadPoolExecutor(MOST, thread_name_prefix="at once") as pool:
        return list(pool.map(act, items))
