"""The figures on held-out rows, as the run computed them."""

import msgspec

from training.card.sections.finite import known
from training.evidence import Evidence


class Score(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure, its 95 % confidence interval, and what a dummy reaches on the same rows; null where undefined."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    baseline: float | None
    greater_is_better: bool


def measure(evidence: Evidence) -> list[Score]:
    return [
        Score(one.name, known(one.value), known(one.low), known(one.high), known(one.baseline), one.greater)
        for one in evidence.metrics
    ]
