"""Raw figures become the ones that are told: medians, worst cases and ratios. Pure; it measures nothing.

Milliseconds, microseconds and MB (10**6 bytes) are rounded here once, and ratios are taken from what is not rounded.
"""

from statistics import median, quantiles
from typing import Any

Raw = dict[str, dict[str, Any]]
OURS, FLOOR, PLAIN = "predict", "empty", "plain"


def of_cold(raw: Raw) -> dict[str, Any]:
    """`{"contestants": {name: figures}, "ratios": {what: ratio}}`."""
    return {
        "contestants": {name: _cold(figures) for name, figures in raw.items()},
        "ratios": _ratios(raw, "first_seconds") | {f"memory, {OURS} to {PLAIN}": _ratio(raw, "rss_bytes", OURS, PLAIN)},
    }


def of_warm(raw: Raw) -> dict[str, Any]:
    """As `of_cold`."""
    flat = {name: figures | {"rss_bytes": [figures["rss_bytes"]]} for name, figures in raw.items()}
    return {
        "contestants": {name: _warm(figures) for name, figures in raw.items()},
        "ratios": _ratios(raw, "request_seconds")
        | {f"memory, {OURS} to {PLAIN}": _ratio(flat, "rss_bytes", OURS, PLAIN)},
    }


def of_parts(raw: Raw) -> dict[str, Any]:
    """As `of_cold`, a step of the start for a contestant: the time until its end, and what of that is its own."""
    ends = [median(figures["seconds"]) * 1000 for figures in raw.values()]
    own = [end - before for end, before in zip(ends, [0.0, *ends], strict=False)]
    rows = zip(raw, ends, own, strict=True)
    return {
        "contestants": {name: {"until_ms": round(end, 1), "own_ms": round(part, 1)} for name, end, part in rows},
        "ratios": {},
    }


def _cold(raw: dict[str, Any]) -> dict[str, float]:
    first = raw["first_seconds"]
    return {
        "median_ms": round(median(first) * 1000, 1),
        "best_ms": round(min(first) * 1000, 1),
        "worst_ms": round(max(first) * 1000, 1),
        "init_ms": round(median(raw["init_seconds"]) * 1000, 1),
        "processor_ms": round(median(raw["processor_seconds"]) * 1000, 1),
        "import_ms": round(raw["import_seconds"] * 1000, 1),
        "modules": raw["modules"],
        "files": raw["opened"]["files"],
        "read_mb": round(raw["opened"]["bytes"] / 1e6, 1),
        "rss_mb": round(median(raw["rss_bytes"]) / 1e6, 1),
        "pss_mb": round(median(raw["pss_bytes"]) / 1e6, 1),
    }


def _warm(raw: dict[str, Any]) -> dict[str, float]:
    requests = raw["request_seconds"]
    return {
        "p50_us": round(median(requests) * 1e6, 1),
        "p99_us": round(quantiles(requests, n=100)[98] * 1e6, 1),
        "requests_per_second": round(raw["requests_per_block"] / median(raw["block_seconds"])),
        "rss_mb": round(raw["rss_bytes"] / 1e6, 1),
        "pss_mb": round(raw["pss_bytes"] / 1e6, 1),
    }


def _ratios(raw: Raw, what: str) -> dict[str, float]:
    """How much longer each rival takes than we do; how much longer we take than the floor; the floor and itself."""
    slower = {f"{name} to {OURS}": _ratio(raw, what, name, OURS) for name in raw if name.startswith(PLAIN)}
    same = f"{FLOOR} again"
    return slower | {
        f"{OURS} to {FLOOR}": _ratio(raw, what, OURS, FLOOR),
        f"{same} to {FLOOR}": _ratio(raw, what, same, FLOOR),
    }


def _ratio(raw: Raw, what: str, one: str, other: str) -> float:
    return round(float(median(raw[one][what])) / float(median(raw[other][what])), 3)
