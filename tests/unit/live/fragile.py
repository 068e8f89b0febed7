"""A live model over a real one in a store that can be made to fail, to hang, or to take its time."""

import json
import threading
from typing import Any

import pytest

from functions.inference.model import ServedModel
from functions.live import LiveModel
from functions.loader import Reference, RegistrySource
from functions.registry.memory import MemoryStore
from functions.registry.store import Object
from tests.models import publish_iris

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
