"""The model before a snapshot and after a restore."""

import threading
import time

import pytest

from functions import live as live_module
from functions.errors import StoreUnavailable
from functions.inference.model import ServedModel
from functions.live import LiveModel
from functions.loader import Reference, RegistrySource
from functions.registry import keys
from functions.registry.memory import MemoryStore
from tests.models import VERSION, publish_iris
from tests.unit.live.fragile import NEWER, FragileStore, SlowSource, serving


def test_before_a_snapshot_a_slow_load_is_waited_for() -> None:
    store = FragileStore()
    publish_iris(store)
    store.reads.clear()
    store.gate.clear()
    live = LiveModel(RegistrySource(store, Reference("iris")))
    starting = threading.Thread(target=live.start)
    starting.start()
    threading.Timer(0.2, store.gate.set).start()
    while not store.reads:
        time.sleep(0.001)
    live.settle()
    assert (live.version, store.reads.count(keys.alias_key("iris", "live"))) == (VERSION, 1)
    starting.join()


def test_before_a_snapshot_a_load_slower_than_the_patience_is_not_begun_a_second_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_module, "PATIENCE_AT_START", 0.05)
    monkeypatch.setattr(live_module, "PATIENCE_BEFORE_A_SNAPSHOT", 0.05)
    store = FragileStore()
    publish_iris(store)
    store.reads.clear()
    store.gate.clear()
    live = LiveModel(RegistrySource(store, Reference("iris"))).start()
    live.settle()
    assert (live.version, store.reads) == (None, [keys.alias_key("iris", "live")])
    store.gate.set()
    assert live._worker is not None
    live._worker.join(10)
    assert live.version == VERSION  # it went on behind, and what it brought is served
    assert store.reads.count(keys.alias_key("iris", "live")) == 1


def test_before_a_snapshot_a_load_that_failed_late_is_tried_again_for_what_is_left_of_the_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patience: list[float | None] = []

    def join(thread: threading.Thread, timeout: float | None = None) -> None:
        """Keeps how long somebody was ready to wait."""
        patience.append(timeout)
        threading.Thread.join(thread)

    monkeypatch.setattr(live_module._Look, "join", join)
    store = FragileStore()
    store.failure = StoreUnavailable("s3://models cannot be reached")
    live = LiveModel(RegistrySource(store, Reference("iris"))).start()
    now = time.monotonic()
    moments = iter([now, now + 59.0])
    monkeypatch.setattr("functions.live.time.monotonic", lambda: next(moments, now + 59.0))
    live.settle()
    assert patience[1:] == [60.0, 1.0]


def test_before_a_snapshot_a_load_that_failed_is_tried_once_more_and_a_failure_is_remembered() -> None:
    store = FragileStore()
    publish_iris(store)
    store.failure = StoreUnavailable("s3://models cannot be reached")
    live = LiveModel(RegistrySource(store, Reference("iris"))).start()
    store.reads.clear()
    live.settle()
    assert (live.version, store.reads) == (None, [keys.alias_key("iris", "live")])
    store.failure = None
    live.settle()
    assert live.version == VERSION


@pytest.mark.parametrize("refresh_seconds", [0.0, 60.0])
def test_after_a_restore_the_alias_is_asked_at_once_whatever_the_clock_and_the_interval_say(
    refresh_seconds: float,
) -> None:
    store, clock, live = serving(refresh_seconds)
    publish_iris(store, NEWER)
    clock.now -= 1000  # a restored machine's clock may stand anywhere
    store.reads.clear()
    live.restored()
    assert (live.version, store.reads[0]) == (NEWER, keys.alias_key("iris", "live"))
    store.reads.clear()
    assert live.get().version == NEWER
    assert store.reads == []


def test_after_a_restore_the_model_of_the_snapshot_answers_while_the_store_is_out() -> None:
    store, _clock, live = serving()
    store.failure = StoreUnavailable("s3://models cannot be reached")
    live.restored()
    assert live.get().version == VERSION
    assert live.status()["refresh"]["error"] == {"code": "model_unavailable", "details": []}


def test_what_was_under_way_over_the_snapshot_does_not_undo_what_was_found_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_module, "PATIENCE_BEFORE_A_SNAPSHOT", 0.05)
    held = threading.Event()
    store = MemoryStore()
    publish_iris(store)

    class Lost(RegistrySource):
        """Its first answer comes long after everybody has given it up."""

        loads = 0

        def load(self, version: str, /) -> ServedModel:
            self.loads += 1
            model = super().load(version)
            if self.loads == 1:
                held.wait()
            return model

    live = LiveModel(Lost(store, Reference("iris")))
    monkeypatch.setattr(live_module, "PATIENCE_AT_START", 0.05)
    live.start()
    late = threading.enumerate()
    publish_iris(store, NEWER)
    live.restored()
    assert live.version == NEWER
    held.set()
    for thread in late:
        if thread.name == "refresh":
            thread.join()
    assert live.version == NEWER


def test_after_a_restore_the_first_request_waits_for_a_version_that_the_restore_had_no_time_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_module, "PATIENCE_AFTER_A_RESTORE", 0.05)
    store = MemoryStore()
    publish_iris(store)
    source = SlowSource(store)
    live = LiveModel(source).start()
    publish_iris(store, NEWER)
    source.let_go.clear()
    source.loading.clear()
    live.restored()
    assert source.loading.wait(10)
    assert live.version == VERSION
    threading.Timer(0.7, source.let_go.set).start()
    assert live.get().version == NEWER
