"""The model cards of several runs, as tests read them: page and metrics."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from tests import cards
from tests.page_reader import Element, read
from training.card.write import write
from training.evidence import Evidence

RUNS: dict[str, Callable[[], Evidence]] = {
    "iris": cards.iris,
    "mixed": cards.mixed,
    "diabetes": cards.diabetes,
    "cancer, weighted": cards.cancer,
    "500 columns": cards.wide,
    "100 classes": cards.many_classes,
    "no probabilities": cards.without_probabilities,
}


def made(evidence: Evidence, **of_facts: Any) -> tuple[Element, dict[str, Any]]:
    """The page and the metrics."""
    files = write(evidence, cards.facts(evidence, **of_facts))
    assert sorted(files) == ["metrics.json", "report.html"]
    metrics: dict[str, Any] = json.loads(files["metrics.json"])
    return read(files["report.html"]), metrics


def number(text: str) -> float:
    """A number as the page shows it."""
    return float(text.replace("\u202f", "").replace("\u2212", "-"))


def same(text: str, value: float) -> bool:
    """Whether the page shows this number, rounded to the digits it shows."""
    if text.startswith("<"):
        return 0 < value < number(text.removeprefix("<"))
    digits = len(text.partition(".")[2])
    return number(text) == pytest.approx(value, abs=0.5001 * 10**-digits)


def without(evidence: Evidence, **of_held_out: Any) -> Evidence:
    assert evidence.held_out is not None
    return replace(evidence, held_out=replace(evidence.held_out, **of_held_out))


@cache
def of(name: str) -> tuple[Element, dict[str, Any]]:
    """The page and the metrics of one of RUNS."""
    written = files(name)
    metrics: dict[str, Any] = json.loads(written["metrics.json"])
    return read(written["report.html"]), metrics


@cache
def files(name: str) -> dict[str, bytes]:
    """The two files of one of RUNS."""
    found = RUNS[name]()
    return write(found, cards.facts(found))
