"""Trains on each table that lands under `incoming-training/`, once, and writes beside it what became of it.

For one machine, a compose project or a cron job; on AWS a state machine retrains on all tables together. It fits
nothing itself: each table gets a process of its own, whose memory and crash are its own.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import msgspec

from functions.errors import ObjectNotFound, PreconditionFailed, StoreError
from functions.registry.alias import Alias
from functions.registry.store import Stat, Store
from training.endings import MISTAKE, REFUSED, Stopped
from training.outcome import Model, Outcome

INCOMING = "incoming-training/"
TRAINED = "trained/"
TABLES = (".csv", ".csv.gz", ".parquet")
SETTLED = 1.0  # seconds that a file in a folder must not have moved: it may still be being copied
CHUNK = 8 * 1024 * 1024
ATTEMPTS = 3  # where the environment fails; a mistake in the table is not tried again


class Input(msgspec.Struct, frozen=True):
    key: str
    etag: str
    last_modified: str
    version_id: str | None
    size: int = msgspec.field(name="bytes")


class Summary(msgspec.Struct, frozen=True):
    """status: promoted; published; refused by the gate; or failed, with the reason. Written last: then it is done."""

    status: str
    reason: str | None
    input: Input
    model: Model | None
    alias: Alias | None
    metrics: dict[str, float]
    started: str
    seconds: float


class Watch:
    """Of one data store. words: the options of `fit`. say: a line for people."""

    def __init__(self, source: Store, words: Sequence[str], say: Callable[[str], None]) -> None:
        self._source = source
        self._words = list(words)
        self._say = say
        self._moving: dict[str, tuple[str, float]] = {}
        self._attempts: dict[tuple[str, str], int] = {}

    def look(self) -> bool:
        """Trains on what is new, oldest first; gives whether something is left for another look. Raises StoreError."""
        left = False
        for key, stat in self._new():
            if not self._settled(key, stat) or not self._train(key, stat):
                left = True
        return left

    def _new(self) -> list[tuple[str, Stat]]:
        found = []
        for key in self._source.keys(INCOMING):
            if not key.lower().endswith(TABLES) or PurePosixPath(key).name.startswith("."):
                continue
            try:
                stat = self._source.stat(key)
                if not self._is_done(key, stat):
                    found.append((key, stat))
            except ObjectNotFound:  # taken away between the two questions
                continue
        return sorted(found, key=lambda one: one[1].last_modified)

    def _is_done(self, key: str, stat: Stat) -> bool:
        """A drop is a key with what it holds and since when: the same bytes again are a new one."""
        try:
            done = msgspec.json.decode(self._source.get(summary_key(key)).body, type=Summary).input
        except (ObjectNotFound, msgspec.MsgspecError, UnicodeDecodeError):
            return False
        return done == _input(key, stat)

    def _settled(self, key: str, stat: Stat) -> bool:
        """Objects of a bucket appear whole; files of a folder grow."""
        if not self._source.url.startswith("file:"):
            return True
        now = time.monotonic()
        etag, since = self._moving.get(key, ("", now))
        if etag != stat.etag:
            self._moving[key] = (stat.etag, now)
            return False
        return now - since >= SETTLED

    def _train(self, key: str, stat: Stat) -> bool:
        """Gives whether it is done, well or not."""
        self._say(f"found {key}, {stat.size} bytes")
        began, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="milliseconds")
        with tempfile.TemporaryDirectory(prefix="retraining-") as folder:
            table, told = Path(folder, PurePosixPath(key).name), Path(folder, "outcome.json")
            try:
                self._fetch(key, stat, table)
            except (PreconditionFailed, ObjectNotFound):
                self._say(f"{key} was replaced or removed while it was read; it is looked at again")
                return False
            words = [str(table), "--by", f"watch of {key}", *self._words, "--outcome", str(told)]
            code, line, stopped = _run([sys.executable, "-m", "training", "fit", *words])
            outcome = msgspec.json.decode(told.read_bytes(), type=Outcome) if told.exists() else None
        reason = line.replace(str(table), key)
        if stopped is not None and code not in (0, REFUSED):  # else it was publishing, and brought that to its end
            raise stopped
        if code not in (0, MISTAKE, REFUSED) and self._may_try_again(key, stat):
            self._say(f"{key}: {reason}; it is tried again")
            return False
        summary = Summary(
            outcome.status if outcome and code in (0, REFUSED) else "failed",
            reason or None,
            _input(key, stat),
            outcome.model if outcome else None,
            outcome.alias if outcome else None,
            outcome.metrics if outcome else {},
            started,
            round(time.monotonic() - began, 3),
        )
        self._source.put(summary_key(key), msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
        self._say(f"{key}: {summary.status}, see {summary_key(key)}")
        if stopped is not None:
            raise stopped
        return True

    def _fetch(self, key: str, stat: Stat, table: Path) -> None:
        with table.open("wb") as file:
            for start in range(0, stat.size, CHUNK):
                file.write(self._source.read(key, start, min(start + CHUNK, stat.size), etag=stat.etag))

    def _may_try_again(self, key: str, stat: Stat) -> bool:
        drop = (key, stat.etag)
        self._attempts[drop] = self._attempts.get(drop, 0) + 1
        return self._attempts[drop] < ATTEMPTS


def run(watch: Watch, *, every: float, once: bool, say: Callable[[str], None]) -> None:
    """Looks every so many seconds until it is stopped; `once`: until nothing is left.

    Raises StoreError at the first look, or with `once`; later ones are told, and it goes on.
    """
    left = watch.look()
    while left or not once:
        time.sleep(min(every, SETTLED) if left else every)
        try:
            left = watch.look()
        except StoreError as error:
            if once:
                raise
            say(f"error: {error.message}; it is looked again")


def summary_key(key: str) -> str:
    """`trained/<path>.summary.json`, beside the data, for `incoming-training/<path>`."""
    return f"{TRAINED}{key.removeprefix(INCOMING)}.summary.json"


def _input(key: str, stat: Stat) -> Input:
    return Input(key, stat.etag, stat.last_modified, stat.version_id, stat.size)


def _run(command: list[str]) -> tuple[int, str, Stopped | None]:
    """The exit code, the line it ended with where that was not well, and the stop that came meanwhile, which it got."""
    stopped: Stopped | None = None
    with subprocess.Popen(  # noqa: S603 # this program again
        command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="backslashreplace"
    ) as process:
        try:
            _, said = process.communicate()
        except Stopped as stop:
            stopped = stop
            process.terminate()
            _, said = process.communicate()
    code = process.returncode
    lines = said.strip().splitlines()
    ended = f"it ended with exit code {code}" if code >= 0 else f"it was ended by signal {-code}"
    return code, "" if code == 0 else lines[-1] if lines and code >= 0 else ended, stopped
