"""What a gate looks at of a fitted pipeline, with the live version beside it where that is asked for. Moves nothing."""

import math

from functions.gate import Comparison, Figure
from training.against_live import compare
from training.destinations import Destination, Registry
from training.evidence import Evidence

JUDGED_BY = {"classification": ("accuracy", "accuracy"), "regression": ("r2", "R²")}
"""The metric of each task, and how it is called in words."""


def looked_at(
    evidence: Evidence, destination: Destination, name: str, data: str, *, live: bool
) -> tuple[Figure, Comparison | None]:
    """The pipeline's figure, and with `live` how the live version does on the same rows. data: SHA-256 of the table.

    A metric that the rows do not define is no number, and passes no limit. Raises Mistake, StoreError.
    """
    metric, words = JUDGED_BY[evidence.signature.task]
    value = next((one.value for one in evidence.metrics if one.name == metric), math.nan)
    on = f"{len(evidence.held_out.truth)} held-out rows" if evidence.held_out else "the folds' own rows"
    return Figure(words, value, on), _comparison(evidence, destination, name, data) if live else None


def _comparison(evidence: Evidence, destination: Destination, name: str, data: str) -> Comparison:
    live = destination.live(name)
    if live is None or not isinstance(destination, Registry):
        return Comparison(None)
    if evidence.held_out is None:
        return Comparison(live, problem="no row was held out to ask both about; give more rows, or --test-share")
    return compare(destination.store, name, live, evidence.held_out, evidence.signature, data)
