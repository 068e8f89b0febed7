"""One environment of a function: a runtime that takes one event at a time; it must not know Lambda's wire format."""

from typing import Protocol

from local.invocation import Invocation


class Line(Protocol):
    """The connection on which a runtime asks for its events."""

    def deliver(self, invocation: Invocation) -> bool:
        """Answers the waiting `next` with this event. False where the runtime is gone."""

    def restore(self) -> None:
        """Answers the waiting `restore/next`."""

    def hang_up(self) -> None:
        """Closes the connection."""


class Environment:
    """State of one runtime, guarded by its function's lock. This one lives in a container and came by itself.

    `invocation` is the event it runs or is about to run; `line` is where it asked last, `asking` while it waits there.
    `snapshot` is where it asked to be restored, while it is held there.
    """

    def __init__(self, label: str = "") -> None:
        self.label = label
        self.invocation: Invocation | None = None
        self.line: Line | None = None
        self.asking = False
        self.snapshot: Line | None = None
        self.joined = False  # has asked at least once: its INIT is over
        self.idle_since = 0.0
        self.why: tuple[str, str] | None = None  # set by whoever ends it: error type and words

    def begin(self) -> None:
        """Starts the runtime. Raises OSError. A container is started by somebody else."""

    def freeze(self) -> None:
        """Lets no time pass in the runtime until `thaw`. A container is left running."""

    def thaw(self) -> None:
        """Undoes `freeze`."""

    def end(self) -> None:
        """Stops the runtime, whatever it is doing. A container can only be cut off; its runtime then exits."""
        if self.line is not None:
            self.line.hang_up()
