"""Reads that begin before they are asked for, so that what a cold start needs travels while it imports.

It decides nothing: whoever asks for a key gets what a read of it gave, found or failed.
"""

import threading
from collections.abc import Callable
from contextlib import suppress

import msgspec

from functions.errors import NotConfigured
from functions.registry import keys
from functions.registry.alias import Alias
from functions.registry.store import Object, Reader


class ReadAhead:
    """A reader over another. A key that was begun is given once as it was read then, and afterwards afresh."""

    def __init__(self, store: Reader) -> None:
        self.url = store.url
        self._store = store
        self._begun: dict[str, _Reading] = {}

    def begin(self, key: str, then: Callable[[Object], None] | None = None) -> None:
        """Starts to read. `then` gets the object before anybody else does, and may begin what follows from it."""
        reading = self._begun[key] = _Reading(self._store, key, then)
        reading.start()

    def get(self, key: str, *, if_none_match: str | None = None) -> Object:
        reading = self._begun.pop(key, None)
        if reading is None or if_none_match is not None:
            return self._store.get(key, if_none_match=if_none_match)
        return reading.result()


def begin_model(store: Reader, name: str, alias: str, version: str | None) -> ReadAhead:
    """Begins what loading the model will ask for: its alias if no version is pinned, then manifest and twin at once.

    A version without a twin costs one request in vain. Begins nothing for a name that cannot be part of a key.
    """
    ahead = ReadAhead(store)

    def begin_version(version: str) -> None:
        folder = keys.version_folder(name, version)
        ahead.begin(folder + keys.MANIFEST)
        ahead.begin(folder + keys.TWIN)

    def follow(found: Object) -> None:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, NotConfigured):  # told when the alias is read
            begin_version(msgspec.json.decode(found.body, type=Alias).version)

    with suppress(NotConfigured):  # told when it is loaded
        if version is not None:
            begin_version(version)
        else:
            ahead.begin(keys.alias_key(name, alias), follow)
    return ahead


class _Reading(threading.Thread):
    def __init__(self, store: Reader, key: str, then: Callable[[Object], None] | None) -> None:
        super().__init__(name=f"read {key}", daemon=True)
        self._store, self._key, self._then = store, key, then
        self._found: Object | None = None
        self._error: Exception

    def run(self) -> None:
        try:
            self._found = self._store.get(self._key)
        except Exception as error:
            self._error = error
        else:
            if self._then is not None:
                self._then(self._found)

    def result(self) -> Object:
        self.join()
        if self._found is None:
            raise self._error
        return self._found
