"""Asks the gate about a fitted pipeline, with the live version beside it where that is asked for. It moves nothing."""

import math

from training.against_live import compare
from training.destinations import Destination, Registry
from training.evidence import Evidence
from training.gate import Comparison, Figure, Limits, Verdict, judge

JUDGED_BY = {"classification": ("accuracy", "accuracy"), "regression": ("r2", "R²")}
"""The metric of each task, and how it is called in words."""


def judged(limits: Limits, evidence: Evidence, destination: Destination, name: str, data: str) -> Verdict:
    """data: SHA-256 of the table's bytes. A metric that the rows do not define passes no limit.

    Raises Mistake, StoreError.
    """
    metric, words = JUDGED_BY[evidence.signature.task]
    value = next((one.value for one in evidence.metrics if one.name == metric), math.nan)
    on = f"{len(evidence.held_out.truth)} held-out rows" if evidence.held_out else "the folds' own rows"
    return judge(limits, Figure(words, value, on), _comparison(limits, evidence, destination, name, data))


def _comparison(
    limits: Limits, evidence: Evidence, destination: Destination, name: str, data: str
) -> Comparison | None:
    if limits.max_drop is None:
        return None
    live = destination.live(name)
    if live is None or not isinstance(destination, Registry):
        return Comparison(None)
    if evidence.held_out is None:
        return Comparison(live, problem="no row was held out to ask both about; give more rows, or --test-share")
    return compare(destination.store, name, live, evidence.held_out, evidence.signature, data)
