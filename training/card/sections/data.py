"""How many rows there were, and what became of them."""

import msgspec

from training.card.facts import Facts
from training.evidence import Evidence


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """rows: with a target, dropped_rows: without. weighted: held-out figures follow a weight column."""

    rows: int
    dropped_rows: int
    features: int
    fitted_rows: int
    held_out_rows: int
    weighted: bool
    split: str
    seed: int
    sha256: str


def measure(evidence: Evidence, facts: Facts) -> Data:
    held_out = evidence.held_out
    return Data(
        rows=evidence.rows,
        dropped_rows=evidence.dropped_rows,
        features=len(evidence.signature.features),
        fitted_rows=len(evidence.train),
        held_out_rows=0 if held_out is None else len(held_out.features),
        weighted=held_out is not None and held_out.weights is not None,
        split=evidence.split,
        seed=evidence.seed,
        sha256=facts.manifest.data.sha256,
    )
