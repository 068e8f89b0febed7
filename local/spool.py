"""Asynchronous events on disk until they are done with; it must not know what an event says or who handles it."""

import fcntl
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SCHEMA = """
create table if not exists events (
    id text primary key, function text not null, payload blob not null, received real not null,
    state text not null default 'waiting', attempts integer not null default 0, due real not null,
    error text not null default ''
);
create index if not exists due on events (state, function, due);
create table if not exists seen (path text primary key, identity text not null);
"""


class SpoolInUse(Exception):
    """Another machine room works on this spool."""


class SpoolError(OSError):
    """The disk did not take it."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """One event. `received` is seconds since the epoch; `attempts` how often it was tried before."""

    id: str
    function: str
    payload: bytes
    received: float
    attempts: int
    error: str


class Spool:
    """A SQLite file in `folder`; what a method has returned from survives a crash of machine and process.

    An event is waiting, running, or dead. Whoever opens it to work (`own`) finds what ran before waiting again.
    """

    def __init__(self, folder: Path, *, own: bool) -> None:
        """Raises SpoolInUse, OSError. Every method may raise SpoolError."""
        folder.mkdir(parents=True, exist_ok=True)
        self._owner = (folder / "lock").open("ab") if own else None
        if self._owner is not None:
            try:
                fcntl.flock(self._owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self._owner.close()
                raise SpoolInUse(
                    f"another gateway works on {folder}; stop it, or give this one another folder"
                ) from None
        self._lock = threading.Lock()
        self._database = sqlite3.connect(
            folder / "events.sqlite3", timeout=30, isolation_level=None, check_same_thread=False
        )
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = full")
        self._database.executescript(SCHEMA)
        if own:
            self._database.execute("update events set state = 'waiting', due = 0 where state = 'running'")

    def close(self) -> None:
        with self._mapped():
            self._database.close()
        if self._owner is not None:
            self._owner.close()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        """One user at a time; SQLite's errors (a full disk, say) as what they are to everybody else."""
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise SpoolError(f"the spool cannot be written: {error}") from error

    def put(self, function: str, payload: bytes, *, seen: tuple[str, str] | None = None) -> str:
        """Keeps an event; gives its id. seen: path and identity of the file it tells of, kept in the same breath."""
        event_id, now = str(uuid.uuid4()), time.time()
        with self._mapped():
            self._database.execute("begin immediate")
            try:
                self._database.execute(
                    "insert into events (id, function, payload, received, due) values (?, ?, ?, ?, ?)",
                    (event_id, function, payload, now, now),
                )
                if seen is not None:
                    self._database.execute("insert or replace into seen values (?, ?)", seen)
                self._database.execute("commit")
            except BaseException:
                self._database.execute("rollback")
                raise
        return event_id

    def take(self, function: str) -> Spooled | None:
        """The event that is due first, now running; None where there is none."""
        with self._mapped():
            row = self._database.execute(
                "update events set state = 'running' where id = (select id from events where state = 'waiting'"
                " and function = ? and due <= ? order by due limit 1)"
                " returning id, function, payload, received, attempts, error",
                (function, time.time()),
            ).fetchall()
        return Spooled(*row[0]) if row else None

    def done(self, event_id: str) -> None:
        with self._mapped():
            self._database.execute("delete from events where id = ?", (event_id,))

    def postpone(self, event_id: str, seconds: float) -> None:
        """Lets it wait without counting an attempt."""
        with self._mapped():
            self._database.execute(
                "update events set state = 'waiting', due = ? where id = ?", (time.time() + seconds, event_id)
            )

    def failed(self, event_id: str, error: str, again_after: float | None) -> None:
        """Counts an attempt. again_after: seconds; None makes it a dead letter."""
        state = "dead" if again_after is None else "waiting"
        with self._mapped():
            self._database.execute(
                "update events set state = ?, attempts = attempts + 1, error = ?, due = ? where id = ?",
                (state, error, time.time() + (again_after or 0.0), event_id),
            )

    def dead(self) -> list[Spooled]:
        """Dead letters, oldest first."""
        with self._mapped():
            rows = self._database.execute(
                "select id, function, payload, received, attempts, error from events where state = 'dead'"
                " order by received"
            ).fetchall()
        return [Spooled(*row) for row in rows]

    def replay(self, ids: Iterable[str]) -> list[str]:
        """Makes dead letters wait again, with all their attempts before them; gives the ids it found."""
        found = []
        with self._mapped():
            for event_id in ids:
                changed = self._database.execute(
                    "update events set state = 'waiting', attempts = 0, due = 0 where id = ? and state = 'dead'",
                    (event_id,),
                )
                found += [event_id] * changed.rowcount
        return found

    def seen(self) -> dict[str, str]:
        """Every path whose file has made an event, with the file's identity then."""
        with self._mapped():
            return dict(self._database.execute("select path, identity from seen").fetchall())

    def forget(self, path: str) -> None:
        """The file is gone: whatever comes under its name is new."""
        with self._mapped():
            self._database.execute("delete from seen where path = ?", (path,))
