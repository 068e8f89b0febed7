"""Reads that were begun early give what a read gives, and are made once."""

import threading

import pytest

from functions.errors import ObjectNotFound, StoreUnavailable
from functions.registry import alias, keys
from functions.registry.ahead import ReadAhead, begin_model
from functions.registry.memory import MemoryStore
from functions.registry.store import Object
from tests.models import VERSION, publish_iris

ALIAS = keys.alias_key("iris", "live")
FOLDER = keys.version_folder("iris", VERSION)
NEWER = "20261123T080000Z-2b7e1516"


class WatchedStore(MemoryStore):
    """A memory store that notes what is read, and gives the keys of `meeting` once all are asked for."""

    def __init__(self, meeting: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.reads: list[str] = []
        self.failure: Exception | None = None
        self._meeting = meeting
        self._barrier = threading.Barrier(max(1, len(meeting)))

    def get(self, key: str, *, if_none_match: str | None = None) -> Object:
        self.reads.append(key)
        if key in self._meeting:
            self._barrier.wait(30)
        if self.failure:
            raise self.failure
        return super().get(key, if_none_match=if_none_match)


def test_the_alias_then_manifest_and_twin_at_once_are_read_before_anybody_asks_and_not_again() -> None:
    store = WatchedStore(frozenset({FOLDER + keys.MANIFEST, FOLDER + keys.TWIN}))
    publish_iris(store)
    store.put(FOLDER + keys.TWIN, b"twin")
    store.reads.clear()
    ahead = begin_model(store, "iris", "live", None)
    wanted = [ALIAS, FOLDER + keys.MANIFEST, FOLDER + keys.TWIN]
    found = [ahead.get(key) for key in wanted]
    assert sorted(store.reads) == sorted(wanted)
    assert found == [MemoryStore.get(store, key) for key in wanted]


def test_a_pinned_version_is_read_without_its_alias() -> None:
    store = WatchedStore()
    publish_iris(store)
    store.reads.clear()
    ahead = begin_model(store, "iris", "live", VERSION)
    assert ahead.get(FOLDER + keys.MANIFEST) == MemoryStore.get(store, FOLDER + keys.MANIFEST)
    with pytest.raises(ObjectNotFound):
        ahead.get(FOLDER + keys.TWIN)
    assert sorted(store.reads) == [FOLDER + keys.MANIFEST, FOLDER + keys.TWIN]


def test_what_was_read_early_is_given_once_and_later_reads_see_what_is_there_then() -> None:
    store = WatchedStore()
    publish_iris(store)
    ahead = begin_model(store, "iris", "live", None)
    first = alias.current(ahead, "iris", "live")
    publish_iris(store, NEWER)
    assert (first[0].version, alias.current(ahead, "iris", "live")[0].version) == (VERSION, NEWER)


def test_a_conditional_read_asks_the_store() -> None:
    store = WatchedStore()
    publish_iris(store)
    ahead = ReadAhead(store)
    ahead.begin(ALIAS)
    publish_iris(store, NEWER)
    etag = ahead.get(ALIAS, if_none_match="another").etag
    assert etag == MemoryStore.get(store, ALIAS).etag


def test_a_read_that_failed_is_told_to_whoever_asks_without_a_second_try() -> None:
    store = WatchedStore()
    publish_iris(store)
    store.failure = StoreUnavailable("memory: cannot be reached")
    store.reads.clear()
    ahead = begin_model(store, "iris", "live", None)
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        ahead.get(ALIAS)
    assert store.reads == [ALIAS]


@pytest.mark.parametrize("body", [b"no alias", b"\xff", b'{"version": "../..", "previous": null, "at": "", "by": ""}'])
def test_an_alias_that_names_no_version_is_given_as_it_is_and_nothing_follows(body: bytes) -> None:
    store = WatchedStore()
    store.put(ALIAS, body)
    assert begin_model(store, "iris", "live", None).get(ALIAS).body == body
    assert store.reads == [ALIAS]


def test_for_a_name_that_is_no_part_of_a_key_nothing_is_read() -> None:
    store = WatchedStore()
    begin_model(store, "../iris", "live", None)
    begin_model(store, "iris", "live", "../..")
    assert store.reads == []
