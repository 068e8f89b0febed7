"""Cold starts: every contestant is started afresh in every round, in turn, so that noise meets all of them alike.

A start is the time from the spawn of the process to the last byte of its first answer, through the Runtime API. Files
come from the page cache for all: the first round of each is not counted.
"""

from dataclasses import asdict
from typing import Any

from benchmarks import looked_at
from benchmarks.contestants import Contestant, Order
from benchmarks.environment import Environment


def run(order: Order) -> dict[str, Any]:
    """Raw figures of each contestant by name: lists over the rounds in seconds and bytes, and what it opens once."""
    event = order.event.encode()
    raw: dict[str, dict[str, Any]] = {each.name: {} for each in order.contestants}
    for number in range(order.rounds + 1):
        for contestant in order.contestants:
            figures = _once(contestant, event)
            for name, figure in figures.items() if number else ():
                raw[contestant.name].setdefault(name, []).append(figure)
    for contestant in order.contestants:
        took = looked_at.imports(contestant, event)
        raw[contestant.name]["imports"] = sorted(took)
        raw[contestant.name]["modules"] = len(took)
        raw[contestant.name]["import_seconds"] = sum(took.values()) / 1e6
        raw[contestant.name]["opened"] = asdict(looked_at.opened(contestant, event))
    return raw


def _once(contestant: Contestant, event: bytes) -> dict[str, float]:
    with Environment(contestant) as environment:
        start = environment.start(event)
        memory = environment.memory()
        processor = environment.end()
    return {
        "init_seconds": start.init,
        "first_seconds": start.first,
        "processor_seconds": processor,
        "rss_bytes": memory.rss,
        "pss_bytes": memory.pss,
    }
