"""Sees files dropped into a folder bucket's `incoming/`; it must not know what is done about them."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from functions.errors import ServingError
from functions.registry.folder import FolderStore
from functions.registry.store import Stat

INCOMING = "incoming"
LOOK = 0.3  # seconds between looks
SETTLED = 1.0  # seconds a file must not have moved
# How programs name what they are still writing.
UNFINISHED = ("~", ".part", ".partial", ".crdownload", ".download", ".tmp", ".swp")


class Watcher:
    """Looks at the folder in turns; a file counts once neither its size nor its time have moved for a second.

    seen: key -> ETag of what was told before. tell: key and what the store says of it, on the watcher's thread.
    forget: the key is gone. note: a line for people.
    """

    def __init__(self, root: Path, seen: dict[str, str], tell: Callable[[str, Stat], None],
                 forget: Callable[[str], None], note: Callable[[str], None]) -> None:  # fmt: skip
        self._root = root
        self._store = FolderStore(root)
        self._seen = seen
        self._tell = tell
        self._forget = forget
        self._note = note
        self._moving: dict[str, tuple[str, float]] = {}
        self._unreadable: set[str] = set()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        (self._root / INCOMING).mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._closing.wait(LOOK):
            try:
                self.look(time.monotonic())
            except OSError as error:
                self._note(f"looking into {self._root / INCOMING}: {error.strerror or error}")

    def look(self, now: float) -> None:
        """One turn, at this many seconds on any clock that only goes forward."""
        present = self._present()
        for key, stat in present.items():
            if self._seen.get(key) == stat.etag:
                self._moving.pop(key, None)
                continue
            etag, since = self._moving.get(key, ("", now))
            if etag != stat.etag:
                self._moving[key] = (stat.etag, now)
            elif now - since >= SETTLED:
                self._tell(key, stat)
                self._seen[key] = stat.etag
                del self._moving[key]
        for key in [key for key in self._seen if key not in present]:
            self._forget(key)
            del self._seen[key]
        for key in [key for key in self._moving if key not in present]:
            del self._moving[key]

    def _present(self) -> dict[str, Stat]:
        present = {}
        for folder, folders, files in os.walk(self._root / INCOMING):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                if name.startswith(".") or name.endswith(UNFINISHED):
                    continue
                path = Path(folder) / name
                key = path.relative_to(self._root).as_posix()
                try:
                    key.encode()
                    present[key] = self._store.stat(key)
                except ServingError as error:
                    self._complain(key, error.message if path.is_file() else "it is no file")
                except UnicodeEncodeError:
                    self._complain(key, "its name is not UTF-8")
        return present

    def _complain(self, key: str, words: str) -> None:
        """Once for each file, since it is looked at again and again."""
        if key not in self._unreadable:
            self._unreadable.add(key)
            self._note(f"{key.encode(errors='replace').decode()} is left alone: {words}")
