"""The way into the card: from what a run found to the two files of a version."""

import logging

from training.card.facts import Facts
from training.card.report import encode, study
from training.evidence import Evidence

REPORT = "report.html"
METRICS = "metrics.json"


def write(evidence: Evidence, facts: Facts) -> dict[str, bytes]:
    """`report.html` and `metrics.json` by name, with the same figures; the same input gives the same bytes."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # its caches' whereabouts are no news to who trains
    from training.card.page import render  # matplotlib takes a second, which a run that fails should not

    found = study(evidence, facts)
    return {REPORT: render(found, evidence), METRICS: encode(found.report)}
