"""What every protocol offers to the routes; it knows none of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from functions.inference.model import Serving
from functions.messages import Request, Response

Action: TypeAlias = Callable[[Request, Serving], Response]


class Dialect(Protocol):
    """A protocol's module."""

    def methods(self, path: str, /) -> dict[str, Action] | None:
        """Method to action at a path (no trailing slash); None where the protocol has nothing there."""

    def error(
        self,
        status: int,
        code: str,
        message: str,
        details: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The protocol's own shape of an error."""
