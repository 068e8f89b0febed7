"""Asks the gate about a fitted pipeline, with the live version beside it where that is asked for. It moves nothing."""

from training.against_live import compare
from training.destinations import Destination, Registry
from training.evidence import Evidence
from training.gate import Comparison, Figure, Limits, Verdict, judge

NAMES = {"accuracy": "accuracy", "r2": "R²"}


def judged(limits: Limits, evidence: Evidence, destination: Destination, name: str, data: str) -> Verdict:
    """By the first of the evidence's metrics. data: SHA-256 of the table's bytes. Raises Mistake, StoreError."""
    main = evidence.metrics[0]
    on = f"{len(evidence.held_out.truth)} held-out rows" if evidence.held_out else "the folds' own rows"
    figure = Figure(NAMES.get(main.name, main.name), main.value, on)
    return judge(limits, figure, _comparison(limits, evidence, destination, name, data))


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
