"""Loading, refreshing and surviving, on real models in a store that can be made to fail."""

import json

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
from tests.models import VERSION, publish_iris
from tests.unit.live.fragile import NEWER, Clock, FragileStore, behind, lines, serving


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
