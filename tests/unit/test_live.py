import json
from collections.abc import Iterator

import pytest

from functions import loader
from functions.errors import ModelError, ModelNotFound, StoreUnavailable
from functions.inference.model import ServedModel
from functions.live import LiveModel
from functions.registry.memory import MemoryStore
from tests.models import VERSION, publish_iris


def served() -> ServedModel:
    store = MemoryStore()
    publish_iris(store)
    return loader.load(store, loader.Reference("iris"))


def test_a_load_that_succeeds_at_start_is_not_repeated() -> None:
    calls: list[int] = []

    def load() -> ServedModel:
        calls.append(1)
        return served()

    live = LiveModel(load).start()
    assert live.get() is live.get()
    assert live.version == VERSION
    assert len(calls) == 1


def test_a_failed_load_is_remembered_and_tried_again_after_a_second() -> None:
    now = [100.0]
    outcomes: Iterator[Exception | None] = iter([StoreUnavailable("no network"), ModelNotFound("no alias"), None])

    def load() -> ServedModel:
        outcome = next(outcomes)
        if outcome:
            raise outcome
        return served()

    live = LiveModel(load, clock=lambda: now[0]).start()
    assert live.version is None
    with pytest.raises(ModelError, match="the model store cannot be read: no network"):
        live.get()  # within the second: nothing is tried
    now[0] += 1.0
    with pytest.raises(ModelNotFound, match="no alias"):
        live.get()
    now[0] += 1.0
    assert live.get().version == VERSION


def test_a_failed_load_is_logged_once_with_its_reason(capfd: pytest.CaptureFixture[str]) -> None:
    def load() -> ServedModel:
        raise ModelNotFound("iris has no alias live")

    LiveModel(load, clock=lambda: 10.0).start()
    line = json.loads(capfd.readouterr().out)
    del line["time"]
    assert line == {
        "level": "ERROR",
        "message": "the model cannot be loaded",
        "code": "model_not_found",
        "error": "iris has no alias live",
    }


def test_a_defect_in_loading_is_logged_with_its_traceback_and_told_without(capfd: pytest.CaptureFixture[str]) -> None:
    def load() -> ServedModel:
        raise ZeroDivisionError("secret")

    live = LiveModel(load, clock=lambda: 10.0).start()
    assert "ZeroDivisionError" in json.loads(capfd.readouterr().out)["trace"]
    with pytest.raises(ModelError) as refused:
        live.get()
    assert refused.value.message == "the model cannot be loaded: ZeroDivisionError"
