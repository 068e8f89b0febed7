"""What became of a drop, for whoever asked for it to be scored. It does no I/O."""

from dataclasses import dataclass
from typing import Literal

from functions.scoring.summary import Rows, Status, Summary


@dataclass(frozen=True, slots=True)
class Report:
    """reason: in words, None where it was scored. size: bytes of input read for it. before: it tells of earlier work.

    handed_over: it is too large for one function, and a run of the state machine has it now.
    """

    status: Status | Literal["already_done", "gone", "handed_over"]
    reason: str | None
    rows: Rows | None
    version: str | None = None
    size: int = 0
    before: bool = False

    @property
    def worked(self) -> bool:
        """Whether this call did the work."""
        return not self.before and self.status not in ("already_done", "gone", "handed_over")

    @classmethod
    def of(cls, summary: Summary) -> "Report":
        reason = f"{summary.reason}: {summary.message}" if summary.reason else None
        return cls(summary.status, reason, summary.rows, summary.model.version, summary.input.size)
