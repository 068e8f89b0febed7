"""A warm function over a real bucket: promotion, rollback, and an alias that broke, seen at the door."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.live import LiveModel
from functions.loader import Reference, RegistrySource
from functions.predict import PredictDoor
from functions.registry import alias
from functions.registry.store import open_store
from tests.minio_server import Credentials, Minio, allow_s3
from tests.models import VERSION, publish_iris

EVENTS = Path(__file__).parents[2] / "events"
NEWER = "20261123T080000Z-2b7e1516"
ROW = {"instances": [[5.1, 3.5, 1.4, 0.2]]}


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def as_trainer(minio: Minio, model_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in minio.environment(minio.user(allow_s3(model_bucket))).items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("as_trainer")
def test_promotion_and_rollback_reach_a_warm_function_that_may_only_read(
    minio: Minio,
    model_bucket: str,
    predict_credentials: Credentials,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trainers = open_store(f"s3://{model_bucket}")
    publish_iris(trainers)
    for name, value in minio.environment(predict_credentials).items():
        monkeypatch.setenv(name, value)
    clock = Clock()
    source = RegistrySource(open_store(f"s3://{model_bucket}"), Reference("iris"))
    door = PredictDoor(LiveModel(source, 60, clock).start())

    def served() -> Any:
        return door(ROW, None)["model"]["version"]

    assert served() == VERSION
    publish_iris(trainers, NEWER)
    assert served() == VERSION
    clock.now += 60
    assert served() == NEWER
    alias.move(trainers, "iris", "live", VERSION, by="test")
    clock.now += 60
    assert served() == VERSION


@pytest.mark.usefixtures("as_trainer")
def test_an_alias_that_cannot_be_read_costs_no_answer_and_shows_in_model(
    model_bucket: str, capfd: pytest.CaptureFixture[str]
) -> None:
    store = open_store(f"s3://{model_bucket}")
    publish_iris(store)
    clock = Clock()
    door = PredictDoor(LiveModel(RegistrySource(store, Reference("iris")), 60, clock).start())
    store.put("models/iris/aliases/live.json", b"no alias at all")
    for _ in range(2):
        clock.now += 60
        assert door(ROW, None)["model"]["version"] == VERSION
    get_model = json.loads((EVENTS / "http-api-model.json").read_text())
    shown = json.loads(door(get_model, None)["body"])
    assert shown["refresh"]["error"] == {"code": "model_unavailable", "details": []}
    errors = [line for line in capfd.readouterr().out.splitlines() if '"level":"ERROR"' in line]
    assert len(errors) == 1
