"""What was tried, and how well each did on the folds."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from training.card.sections.finite import known
from training.evidence import Evidence


class Tried(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One candidate. Scores: higher is better, null where its fit failed. seconds: of fitting and scoring all folds."""

    model: str
    parameters: dict[str, bool | int | float | str | None]
    fold_scores: list[float | None]
    mean: float | None
    std: float | None
    seconds: float | None


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """scoring: what was maximised. best: index into candidates of the one that was fitted."""

    scoring: str
    folds: int
    best: int
    candidates: list[Tried]


def measure(evidence: Evidence) -> Search | None:
    """None where nothing was cross-validated."""
    if not evidence.candidates:
        return None
    candidates = [
        Tried(
            model=one.model,
            parameters=_plain(one.parameters),
            fold_scores=[known(score) for score in one.fold_scores],
            mean=known(one.mean),
            std=known(one.std),
            seconds=known(one.seconds),
        )
        for one in evidence.candidates
    ]
    return Search(evidence.scoring, max(len(one.fold_scores) for one in candidates), evidence.best, candidates)


def _plain(parameters: Mapping[str, Any]) -> dict[str, bool | int | float | str | None]:
    return {str(name): _value(value) for name, value in parameters.items()}


def _value(value: Any) -> bool | int | float | str | None:
    """A value as JSON has it; an object (a step, a function) as the text that shows it."""
    plain = value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value
    if isinstance(plain, bool | str | type(None)):
        return plain
    if isinstance(plain, int):
        return plain if abs(plain) < 2**53 else str(plain)
    if isinstance(plain, float):
        return plain if plain == plain and abs(plain) != float("inf") else str(plain)
    try:
        return json.dumps(plain)
    except (TypeError, ValueError):
        return " ".join(_named(plain).split())


def _named(value: Any) -> str:
    """Without the address in memory that Python shows of what has no text of its own, and that differs each run."""
    text = repr(value)
    return f"{type(value).__module__}.{type(value).__qualname__}" if " at 0x" in text else text
