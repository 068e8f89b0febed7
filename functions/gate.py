"""Whether a version may go before users: figures in, a verdict out. It fits nothing, loads nothing, moves nothing.

Training asks it at the end of a fit, and the state machine that retrains asks it by the same rules.
"""

import math

import msgspec

ROUNDING = 1e-9
"""What two figures may differ by that come from the same rows, counted in another order."""


class Limits(msgspec.Struct, frozen=True):
    """What a version must reach. min_score: of its own figure. max_drop: how far it may fall behind the live version.

    None: not asked for. A negative max_drop asks it to be better by as much. called: how whoever asks calls the two.
    """

    min_score: float | None = None
    max_drop: float | None = None
    called: tuple[str, str] = ("--min-score", "--max-drop-vs-live")


class Figure(msgspec.Struct, frozen=True):
    """What a version reached: accuracy of classes, R² of numbers; `on` says of which rows, in words."""

    name: str
    value: float
    on: str


class Comparison(msgspec.Struct, frozen=True):
    """The new version (own) and the live one on the same rows; higher is better.

    version: the live one; None where nothing is live yet. problem: why there are no figures of it, else empty.
    notes: what to know to judge how fair the comparison is.
    """

    version: str | None
    own: float = math.nan
    live: float = math.nan
    rows: int = 0
    problem: str = ""
    notes: tuple[str, ...] = ()


class Verdict(msgspec.Struct, frozen=True):
    """reasons: why it does not pass, each in a clause; empty where it does. told: lines to print either way."""

    reasons: tuple[str, ...] = ()
    told: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.reasons


def judge(limits: Limits, figure: Figure, comparison: Comparison | None) -> Verdict:
    """comparison: needed where `limits` asks for one. A figure that is no number passes no limit."""
    reasons: list[str] = []
    told: list[str] = []
    if limits.min_score is not None:
        reached = figure.value >= limits.min_score - ROUNDING
        words = f"{figure.name} {figure.value:.4g} on {figure.on}"
        (told if reached else reasons).append(
            f"{words}, {'at least' if reached else 'less than'} the {limits.min_score:g} of {limits.called[0]}"
        )
    if limits.max_drop is not None and comparison is not None:
        kept, words = _kept(limits.max_drop, limits.called[1], figure.name, comparison)
        (told if kept else reasons).append(words)
        told += comparison.notes
    return Verdict(tuple(reasons), tuple(f"gate: {line}" for line in told))


def _kept(max_drop: float, called: str, name: str, comparison: Comparison) -> tuple[bool, str]:
    if comparison.problem:
        return False, f"it cannot be compared with the live {comparison.version}: {comparison.problem}"
    if comparison.version is None:
        return True, "nothing is live yet, so there is nothing to fall behind"
    kept = comparison.live - comparison.own <= max_drop + ROUNDING
    within = "within" if kept else "further behind than"
    return kept, (
        f"{name} {comparison.own:.4g} against {comparison.live:.4g} of the live {comparison.version} on the same "
        f"{comparison.rows} rows, {within} the {max_drop:g} of {called}"
    )
