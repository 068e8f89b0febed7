"""How long a request waits for a newer model, and what becomes of a look that it left behind."""

import threading

import pytest

from functions import live as live_module
from functions.errors import StoreUnavailable
from functions.live import LiveModel
from functions.registry import keys
from functions.registry.memory import MemoryStore
from tests.models import VERSION, publish_iris
from tests.unit.live.fragile import NEWER, Clock, SlowSource, behind, lines, serving


def test_a_store_that_hangs_delays_one_request_by_a_bounded_time_and_the_others_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_module, "PATIENCE_FOR_THE_ALIAS", 0.01)
    store, clock, live = serving()
    publish_iris(store, NEWER)
    store.gate.clear()
    clock.now += 60
    assert live.get().version == VERSION  # waited 0.01 s for the refresh it began
    store.reads.clear()
    clock.now += 600
    assert live.get().version == VERSION  # the refresh still hangs: no second one is begun
    assert store.reads == []
    store.gate.set()
    assert live._worker is not None
    live._worker.join(10)
    assert live.get().version == NEWER


def slowly_promoted() -> tuple[SlowSource, Clock, LiveModel]:
    """A model that is served, and a newer one that is live and takes until it is let go."""
    store, clock = MemoryStore(), Clock()
    publish_iris(store)
    source = SlowSource(store)
    live = LiveModel(source, 60, clock).start()
    publish_iris(store, NEWER)
    source.let_go.clear()
    return source, clock, live


def test_the_request_that_learns_of_a_newer_version_waits_until_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "PATIENCE_FOR_THE_ALIAS", 0.1)
    source, clock, live = slowly_promoted()
    threading.Timer(0.5, source.let_go.set).start()  # longer than it waits for the alias
    clock.now += 60
    assert live.get().version == NEWER


def test_a_load_that_outlasts_the_patience_of_one_request_goes_on_while_the_next_ones_wait_a_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_module, "PATIENCE_FOR_A_NEWER_ONE", 0.05)
    monkeypatch.setattr(live_module, "PATIENCE_FOR_A_LATE_ONE", 0.02)
    source, clock, live = slowly_promoted()
    clock.now += 60
    patience = []
    join = live_module._Look.join

    def watched(thread: live_module._Look, timeout: float | None = None) -> None:
        patience.append(timeout)
        join(thread, timeout)

    monkeypatch.setattr(live_module._Look, "join", watched)
    assert [live.get().version for _ in range(3)] == [VERSION] * 3
    assert patience == [0.05, 0.02, 0.02]
    source.let_go.set()
    behind(live).join(10)
    assert live.get().version == NEWER


def test_a_read_that_a_request_left_behind_and_that_failed_is_begun_again_before_anybody_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Lambda stops the process between requests: a read runs into its time-outs then, however well the store is."""
    monkeypatch.setattr(live_module, "PATIENCE_FOR_THE_ALIAS", 0.01)
    store, clock, live = serving()
    lines(capfd)

    def left_behind_and_failed() -> None:
        store.gate.clear()
        live.get()
        store.failure = StoreUnavailable("s3://models cannot be reached")
        store.gate.set()
        behind(live).join(10)

    clock.now += 60
    left_behind_and_failed()
    assert (lines(capfd), live.status()["refresh"]["error"]) == ([], None)
    store.failure = None
    store.reads.clear()
    live.get()  # no interval has passed
    behind(live).join(10)
    assert store.reads == [keys.alias_key("iris", "live")]
    clock.now += 60
    left_behind_and_failed()
    assert lines(capfd) == []  # the one that went well has cleared it
    left_behind_and_failed()
    (line,) = lines(capfd)
    assert (line["message"], line["code"]) == ("the model cannot be refreshed", "store_unavailable")
