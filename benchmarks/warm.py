"""Warm requests: every contestant is started once, then asked in turn, a block of one-row requests at a time."""

import time
from contextlib import ExitStack
from typing import Any

from benchmarks.contestants import Order
from benchmarks.environment import Environment

WARM_UP = 300  # requests before any is counted
BLOCK = 300  # requests of one contestant before the next has its turn


def run(order: Order) -> dict[str, Any]:
    """Raw figures of each contestant by name: seconds of every request, seconds of every block, memory at the end."""
    event = order.event.encode()
    raw: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        running = {each.name: stack.enter_context(Environment(each)) for each in order.contestants}
        for name, environment in running.items():
            environment.start(event)
            for _ in range(WARM_UP):
                environment.ask(event)
            raw[name] = {"request_seconds": [], "block_seconds": []}
        for _ in range(order.rounds):
            for name, environment in running.items():
                began = time.perf_counter()
                raw[name]["request_seconds"] += [environment.ask(event) for _ in range(BLOCK)]
                raw[name]["block_seconds"].append(time.perf_counter() - began)
        for name, environment in running.items():
            memory = environment.memory()
            raw[name] |= {"rss_bytes": memory.rss, "pss_bytes": memory.pss, "requests_per_block": BLOCK}
    return raw
