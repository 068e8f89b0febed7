"""Loading, refreshing and surviving, on real models in a store that can be made to fail."""

import json
import threading
import time
from typing import Any

import msgspec
import pytest

from functions import live as live_module
from functions.errors import ModelError, ModelNotFound, StoreUnavailable
from functions.inference.model import ServedModel
from functions.live import LiveModel
from functions.loader import Pointer, Reference, RegistrySource
from functions.registry import alias, keys
from functions.registry.manifest import decode, encode
from functions.registry.memory import MemoryStore
from functions.registry.store import Object
from tests.models import VERSION, publish_iris

NEWER = "20261123T080000Z-2b7e1516"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class FragileStore(MemoryStore):
    """A memory store whose reads can be made to fail or to hang; it counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.reads: list[str] = []

    def get(self, key: str, *, if_none_match: str | None = None) -> Object:
        self.reads.append(key)
        self.gate.wait()
        if self.failure:
            raise self.failure
        return super().get(key, if_none_match=if_none_match)


def serving(refresh_seconds: float = 60.0, version: str | None = None) -> tuple[FragileStore, Clock, LiveModel]:
    store, clock = FragileStore(), Clock()
    publish_iris(store)
    source = RegistrySource(store, Reference("iris", "live", version))
    return store, clock, LiveModel(source, refresh_seconds, clock).start()


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    for line in found:
        del line["timestamp"]
        line.pop("milliseconds", None)
    return found


def test_within_the_interval_nothing_is_asked() -> None:
    store, clock, live = serving()
    before = len(store.reads)
    clock.now += 59.9
    assert live.get() is live.get()
    assert len(store.reads) == before


def test_after_the_interval_one_conditional_read_of_the_alias_and_nothing_else() -> None:
    store, clock, live = serving()
    store.reads.clear()
    for _ in range(3):
        clock.now += 60
        live.get()
        live.get()
    assert store.reads == [keys.alias_key("iris", "live")] * 3


def test_a_promotion_is_served_by_the_next_request_after_the_interval_and_a_rollback_too() -> None:
    store, clock, live = serving()
    publish_iris(store, NEWER)
    assert live.get().version == VERSION
    clock.now += 60
    assert live.get().version == NEWER
    alias.move(store, "iris", "live", VERSION, by="test")
    clock.now += 60
    assert live.get().version == VERSION


def test_an_interval_of_zero_never_asks_again() -> None:
    store, clock, live = serving(refresh_seconds=0)
    publish_iris(store, NEWER)
    clock.now += 1e9
    assert live.get().version == VERSION


def test_a_pinned_version_is_served_whatever_the_alias_names() -> None:
    store, clock, live = serving(version=VERSION)
    publish_iris(store, NEWER)
    store.reads.clear()
    clock.now += 60
    assert live.get().version == VERSION
    assert store.reads == []


def test_while_the_store_is_out_the_last_good_model_answers_and_says_so_once(
    capfd: pytest.CaptureFixture[str],
) -> None:
    store, clock, live = serving()
    store.failure = StoreUnavailable("s3://models cannot be reached")
    lines(capfd)
    for _ in range(3):
        clock.now += 60
        assert live.get().version == VERSION
    assert lines(capfd) == [
        {
            "level": "ERROR",
            "message": "the model cannot be refreshed",
            "code": "store_unavailable",
            "error": "s3://models cannot be reached",
            "version": VERSION,
            "serving": VERSION,
        }
    ]
    error = live.status()["refresh"]["error"]
    assert error == {"code": "model_unavailable", "details": []}
    store.failure = None
    clock.now += 60
    live.get()
    assert live.status()["refresh"]["error"] is None


@pytest.mark.parametrize("damage", ["flipped byte", "truncated", "missing", "golden row", "unknown manifest"])
def test_a_newer_version_that_is_not_fit_never_takes_over(damage: str, capfd: pytest.CaptureFixture[str]) -> None:
    store, clock, live = serving()
    publish_iris(store, NEWER, move=False)
    folder = keys.version_folder("iris", NEWER)
    body = store.get(folder + "model.joblib").body
    manifest = decode(store.get(folder + keys.MANIFEST).body)
    if damage == "flipped byte":
        store.put(folder + "model.joblib", body[:-1] + bytes([body[-1] ^ 1]))
    elif damage == "truncated":
        store.put(folder + "model.joblib", body[:100])
    elif damage == "missing":
        store.delete(folder + "model.joblib")
    elif damage == "golden row":
        wrong = [msgspec.structs.replace(row, prediction="virginica") for row in manifest.golden]
        store.put(folder + keys.MANIFEST, encode(msgspec.structs.replace(manifest, golden=wrong)))
    else:
        store.put(folder + keys.MANIFEST, encode(msgspec.structs.replace(manifest, manifest_version=99)))
    alias.move(store, "iris", "live", NEWER, by="test")
    lines(capfd)
    for _ in range(2):
        clock.now += 60
        assert live.get().version == VERSION
    (line,) = lines(capfd)
    assert (line["message"], line["code"], line["version"], line["serving"]) == (
        "the model cannot be refreshed", "model_refused", NEWER, VERSION
    )  # fmt: skip
    assert live.status()["refresh"]["error"] == {
        "code": "model_refused", "details": [{"model": "iris", "version": NEWER}]
    }  # fmt: skip
    alias.move(store, "iris", "live", VERSION, by="test")
    clock.now += 60
    live.get()
    assert live.status()["refresh"]["error"] is None


def test_a_version_that_was_refused_is_not_loaded_again_before_a_restore() -> None:
    store, clock, live = serving()
    publish_iris(store, NEWER)
    folder = keys.version_folder("iris", NEWER)
    whole = store.get(folder + "model.joblib").body
    store.put(folder + "model.joblib", whole[:100])
    store.reads.clear()
    for _ in range(3):
        clock.now += 60
        assert live.get().version == VERSION
    assert store.reads.count(folder + "model.joblib") == 1
    assert store.reads.count(keys.alias_key("iris", "live")) == 3
    error = live.status()["refresh"]["error"]
    assert error == {"code": "model_refused", "details": [{"model": "iris", "version": NEWER}]}
    alias.move(store, "iris", "live", VERSION, by="test")
    clock.now += 60
    live.get()
    assert live.status()["refresh"]["error"] is None
    alias.move(store, "iris", "live", NEWER, by="test")
    clock.now += 60
    assert live.get().version == VERSION
    assert live.status()["refresh"]["error"] == error
    store.put(folder + "model.joblib", whole)  # what refused it was of the place, say
    clock.now += 60
    assert live.get().version == VERSION
    live.restored()
    assert live.version == NEWER
    assert live.status()["refresh"]["error"] is None


def test_a_version_that_could_not_be_fetched_is_asked_for_again() -> None:
    failures = [StoreUnavailable("s3://models cannot be reached")]

    class Failing(RegistrySource):
        def load(self, version: str, /) -> ServedModel:
            if version == NEWER and failures:
                raise failures.pop()
            return super().load(version)

    store, clock = MemoryStore(), Clock()
    publish_iris(store)
    live = LiveModel(Failing(store, Reference("iris")), 60, clock).start()
    publish_iris(store, NEWER)
    served = []
    for _ in range(2):
        clock.now += 60
        served.append(live.get().version)
    assert served == [VERSION, NEWER]


def test_running_out_of_memory_while_refreshing_keeps_the_model() -> None:
    store, clock, live = serving()
    store.failure = MemoryError()
    clock.now += 60
    assert live.get().version == VERSION
    assert live.status()["refresh"]["error"] == {"code": "model_unavailable", "details": []}


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


class SlowSource(RegistrySource):
    """Every load but the first takes until it is let go."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store, Reference("iris"))
        self.let_go = threading.Event()
        self.let_go.set()
        self.loading = threading.Event()

    def load(self, version: str, /) -> ServedModel:
        self.loading.set()
        self.let_go.wait()
        return super().load(version)


def behind(live: LiveModel) -> threading.Thread:
    """What goes on behind."""
    assert live._worker is not None
    return live._worker


def test_the_request_that_learns_of_a_newer_version_waits_until_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "PATIENCE_FOR_THE_ALIAS", 0.1)
    store, clock = MemoryStore(), Clock()
    publish_iris(store)
    source = SlowSource(store)
    live = LiveModel(source, 60, clock).start()
    publish_iris(store, NEWER)
    source.let_go.clear()
    threading.Timer(0.5, source.let_go.set).start()  # longer than it waits for the alias
    clock.now += 60
    assert live.get().version == NEWER


def test_a_load_that_outlasts_the_patience_of_one_request_goes_on_while_the_next_ones_wait_a_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_module, "PATIENCE_FOR_A_NEWER_ONE", 0.05)
    monkeypatch.setattr(live_module, "PATIENCE_FOR_A_LATE_ONE", 0.02)
    store, clock = MemoryStore(), Clock()
    publish_iris(store)
    source = SlowSource(store)
    live = LiveModel(source, 60, clock).start()
    publish_iris(store, NEWER)
    source.let_go.clear()
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


def test_a_first_load_that_failed_after_everybody_left_it_behind_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live_module, "PATIENCE_AT_START", 0.01)
    store = FragileStore()
    store.gate.clear()
    live = LiveModel(RegistrySource(store, Reference("iris")), 60).start()
    store.failure = StoreUnavailable("s3://models cannot be reached")
    store.gate.set()
    behind(live).join(10)
    (line,) = lines(capfd)
    assert (line["message"], line["code"]) == ("the model cannot be loaded", "store_unavailable")


def test_a_failed_first_load_is_remembered_logged_once_and_tried_again_after_a_second(
    capfd: pytest.CaptureFixture[str],
) -> None:
    store, clock = FragileStore(), Clock()
    source = RegistrySource(store, Reference("iris"))
    live = LiveModel(source, 60, clock).start()
    assert live.version is None
    with pytest.raises(ModelNotFound) as refused:
        live.get()
    assert refused.value.details == [{"model": "iris", "alias": "live"}]
    assert len(store.reads) == 1  # within the second nothing is tried
    for _ in range(3):
        clock.now += 1
        with pytest.raises(ModelNotFound):
            live.get()
    assert len(store.reads) == 4
    assert lines(capfd) == [
        {
            "level": "ERROR",
            "message": "the model cannot be loaded",
            "code": "model_not_found",
            "error": "iris has no alias live in memory:; train and publish it, or name another",
        }
    ]
    publish_iris(store)
    clock.now += 1
    assert live.get().version == VERSION


def test_a_wrong_pin_is_logged_once_and_named(capfd: pytest.CaptureFixture[str]) -> None:
    store, clock = FragileStore(), Clock()
    publish_iris(store)
    live = LiveModel(RegistrySource(store, Reference("iris", version="20990101T000000Z-00000000")), 60, clock).start()
    for _ in range(2):
        clock.now += 1
        with pytest.raises(ModelNotFound) as refused:
            live.get()
    assert refused.value.details == [{"model": "iris", "version": "20990101T000000Z-00000000"}]
    (line,) = lines(capfd)
    assert (line["code"], line["version"]) == ("model_not_found", "20990101T000000Z-00000000")


def test_a_defect_in_loading_is_logged_with_its_traceback_and_told_without(capfd: pytest.CaptureFixture[str]) -> None:
    class Broken:
        def latest(self, _known: str | None, /) -> Pointer:
            raise ZeroDivisionError("secret")

        def load(self, _version: str, /) -> ServedModel:
            raise AssertionError

    live = LiveModel(Broken(), 60, Clock()).start()
    assert "ZeroDivisionError" in json.loads(capfd.readouterr().out)["trace"]
    with pytest.raises(ModelError) as refused:
        live.get()
    assert refused.value.message == "the model cannot be loaded: ZeroDivisionError"


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
