"""Stores around a real one, for tests of what happens between two calls: a worker that dies, others that come in."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from functions.registry.store import Object, Stat, Store, Writer

T = TypeVar("T")


class Killed(BaseException):
    """The process is gone."""


class WatchedStore:
    """Passes every call on to `inner`, after `before(number)` and then `after(number)`; calls count from 1."""

    def __init__(
        self,
        inner: Store,
        before: Callable[[int], None] = lambda _: None,
        after: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._inner = inner
        self._before = before
        self._after = after
        self.calls = 0
        self.url = inner.url
        self.bucket = inner.bucket
        self.prefix = inner.prefix
        self.longest_part = inner.longest_part

    def call(self, act: Callable[[], T]) -> T:
        self.calls += 1
        number = self.calls
        self._before(number)
        found = act()
        self._after(number)
        return found

    def get(self, key: str, *, if_none_match: str | None = None) -> Object:
        return self.call(lambda: self._inner.get(key, if_none_match=if_none_match))

    def stat(self, key: str) -> Stat:
        return self.call(lambda: self._inner.stat(key))

    def read(self, key: str, start: int, end: int, *, etag: str) -> bytes:
        return self.call(lambda: self._inner.read(key, start, end, etag=etag))

    def put(self, key: str, body: bytes, *, create: bool = False, if_match: str | None = None) -> Stat:
        return self.call(lambda: self._inner.put(key, body, create=create, if_match=if_match))

    def writer(self, key: str) -> Writer:
        return WatchedWriter(self, self.call(lambda: self._inner.writer(key)))

    def delete(self, key: str) -> None:
        self.call(lambda: self._inner.delete(key))

    def keys(self, prefix: str) -> Iterator[str]:
        return self.call(lambda: self._inner.keys(prefix))


class WatchedWriter:
    def __init__(self, store: WatchedStore, inner: Writer) -> None:
        self._store = store
        self._inner = inner

    def write(self, data: bytes) -> None:
        self._store.call(lambda: self._inner.write(data))

    def commit(self) -> Stat:
        return self._store.call(self._inner.commit)

    def abort(self) -> None:
        self._store.call(self._inner.abort)


def dying_at(inner: Store, last: int, *, done: bool) -> WatchedStore:
    """A store whose process dies at call `last`, after the call took effect if `done`; nothing works from then on."""

    def die(number: int) -> None:
        if number >= last:
            raise Killed

    def die_before(number: int) -> None:
        if number > last:
            raise Killed

    return WatchedStore(inner, die_before, die) if done else WatchedStore(inner, die)


def interrupted_at(inner: Store, number: int, act: Callable[[], object]) -> WatchedStore:
    """A store in which `act` happens right before call `number`."""

    def perhaps(call: int) -> None:
        if call == number:
            act()

    return WatchedStore(inner, perhaps)
