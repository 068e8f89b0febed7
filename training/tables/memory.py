"""How much memory a table would take against how much there is, before it is read. It reads no table."""

import re
import resource
from pathlib import Path

from training.endings import Mistake

OF_A_CELL = 190
"""Bytes: its text while it is read, its number, and the copies that folds, scaling and a search make of it."""

OF_A_BYTE = 1.2
"""The file itself, beside what is made of it."""

SAMPLE = 1 << 18  # bytes that tell how long a cell is


def needed(unpacked: int, sample: bytes) -> int:
    """Bytes to train on a CSV of so many bytes, by how many cells its first ones hold."""
    cells = max(sample.count(one) for one in (b",", b";", b"\t", b"|")) + sample.count(b"\n")
    share = cells / len(sample) if sample else 0.0
    return int(unpacked * (OF_A_BYTE + share * OF_A_CELL))


def refuse_beyond(need: int) -> None:
    """Raises Mistake where that many bytes are not free for this process."""
    free = available()
    if free is not None and need > free:
        raise Mistake(
            f"training on it takes about {told(need)} of memory, and {told(free)} are free; "
            "take a sample of the rows, fewer columns, or a larger machine"
        )


def available() -> int | None:
    """Bytes that this process may still take: the machine's, its container's, its own limit; None where none tells."""
    limits = [limit for limit in (_machine(), _container(), _own()) if limit is not None]
    return max(0, min(limits)) if limits else None


def told(size: float) -> str:
    """`3.2 GB`."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _machine() -> int | None:
    found = re.search(r"^MemAvailable:\s+(\d+) kB", _text("/proc/meminfo"), re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def _container() -> int | None:
    """What is left of a cgroup's limit, version 2 or 1; what its files hold in the page cache counts as free."""
    for limit, used, stat, cache in (
        ("memory.max", "memory.current", "memory.stat", "file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_cache"),
    ):
        most, taken = _text(f"/sys/fs/cgroup/{limit}").strip(), _text(f"/sys/fs/cgroup/{used}").strip()
        if most.isdigit() and taken.isdigit():
            found = re.search(rf"^{cache} (\d+)$", _text(f"/sys/fs/cgroup/{stat}"), re.MULTILINE)
            return int(most) - int(taken) + (int(found[1]) if found else 0)
    return None


def _own() -> int | None:
    """What is left of this process's address space (`ulimit -v`)."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = _text("/proc/self/statm").split()
    if limit == resource.RLIM_INFINITY or not pages:
        return None
    return limit - int(pages[0]) * resource.getpagesize()


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
