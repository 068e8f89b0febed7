"""Drops in a real store, scored by two versions of a model that answer differently, and what is checked of them."""

from functools import cache
from typing import Any

import msgspec
import pandas as pd
from sklearn.dummy import DummyClassifier

from functions import loader
from functions.errors import ObjectNotFound
from functions.registry import alias
from functions.registry.memory import MemoryStore
from functions.registry.store import Store
from functions.scoring.drop import DropPaths
from functions.scoring.loop import Options
from functions.scoring.models import Models
from functions.scoring.report import Report
from functions.scoring.worker import Worker
from functions.signature import Feature, Signature
from tests.models import publish_model

ONE, TWO = "20260101T000000Z-00000001", "20260102T000000Z-00000002"
LABELS = {ONE: b"one", TWO: b"two"}
KEY = "incoming/day/x.csv"
PATHS = DropPaths(KEY)
GOOD = b"id,x\na,1\nb,2\n"
WITH_BAD_ROW = b"id,x\na,1\nb,?\nc,3\n"
REFUSED = b"id,y\na,1\n"
OPTIONS = Options(1024, None, probabilities=False)


@cache
def _models() -> MemoryStore:
    store = MemoryStore()
    signature = Signature(
        "classification", [Feature("x", "float64", False, None, 0.0, 2.0, 1.0, 1.0)], "y", ["one", "two"]
    )
    for version, label in LABELS.items():
        pipeline: Any = DummyClassifier(strategy="constant", constant=label.decode())
        pipeline.fit(pd.DataFrame({"x": [0.0, 1.0]}), ["one", "two"])
        publish_model(store, pipeline, signature, [[0.0]], name="m", version=version, move=False)
    return store


_served: dict[str, Any] = {}


class Registry:
    """Two versions, `ONE` live at first. Loaded models are shared between registries, since a version never changes."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        for key in _models().keys(""):
            self.store.put(key, _models().get(key).body)
        self.promote(ONE)

    def promote(self, version: str) -> None:
        alias.move(self.store, "m", "live", version, by="test")

    def models(self) -> Models:
        return _SharedModels(self.store, loader.Reference("m"))


class _SharedModels(Models):
    def version(self, version: str) -> Any:
        if version not in _served:
            _served[version] = super().version(version)
        return _served[version]


def worker(data: Store, registry: Registry, *, max_rejected_share: float = 0.5) -> Worker:
    return Worker(data, registry.models(), OPTIONS, max_rejected_share)


def score(data: Store, registry: Registry) -> Report:
    return worker(data, registry).score(KEY)


def summary(data: Store) -> dict[str, Any] | None:
    """The summary, without what differs from run to run."""
    try:
        found: dict[str, Any] = msgspec.json.decode(data.get(PATHS.summary).body)
    except ObjectNotFound:
        return None
    del found["started"], found["seconds"]
    return found


def body(data: Store, key: str) -> bytes | None:
    try:
        return data.get(key).body
    except ObjectNotFound:
        return None


def results(data: Store) -> dict[str, Any]:
    """Everything that is there beside the input."""
    found: dict[str, Any] = {
        key: body(data, key) for key in data.keys("") if not key.startswith(("incoming/", "models/"))
    }
    if PATHS.summary in found:
        found[PATHS.summary] = summary(data)
    return found


def vouches(data: Store) -> bool:
    """Whether there is a summary, and input and outputs are the ones it names, by ETag and size."""
    found = summary(data)
    if found is None or body(data, KEY) is None:
        return False
    stat = data.stat(KEY)
    named = found["input"]
    same = (named["etag"], named["last_modified"], named["version_id"], named["bytes"]) == (
        stat.etag,
        stat.last_modified,
        stat.version_id,
        stat.size,
    )
    return same and all(_agrees(data, key, found["outputs"][name]) for name, key in _outputs())


def _outputs() -> list[tuple[str, str]]:
    return [("scored", PATHS.scored), ("rejected", PATHS.rejected)]


def _agrees(data: Store, key: str, named: dict[str, Any] | None) -> bool:
    if named is None:
        return body(data, key) is None
    if body(data, key) is None:
        return False
    stat = data.stat(key)
    return (named["key"], named["etag"], named["bytes"]) == (key, stat.etag, stat.size)


def assert_whole(data: Store) -> None:
    """Finished: the summary vouches, the outputs are what its model makes of the input, and no claim is left."""
    assert vouches(data), results(data)
    found = summary(data)
    assert found is not None
    assert not [key for key in data.keys("") if "claim" in key]
    if found["status"] == "refused":
        assert set(results(data)) == {PATHS.summary}
        return
    label = LABELS[found["model"]["version"]]
    scored, rejected = expected(body(data, KEY) or b"", label)
    assert (body(data, PATHS.scored), body(data, PATHS.rejected)) == (scored, rejected)
    rows = found["rows"]
    assert rows["input"] == rows["scored"] + rows["rejected"]


def expected(data: bytes, label: bytes) -> tuple[bytes, bytes | None]:
    """What the model that always answers `label` makes of `GOOD` or `WITH_BAD_ROW`."""
    lines = data.splitlines()
    good = [lines[0] + b",prediction", *(line + b"," + label for line in lines[1:] if b"?" not in line)]
    bad = [
        b"%d,not_a_number,\"column 'x': found '?', expected a number\",\"%s\"" % (number, line)
        for number, line in enumerate(lines, 1)
        if b"?" in line
    ]
    rejected = b"\n".join([b"line,reason,message,record", *bad, b""]) if bad else None
    return b"\n".join([*good, b""]), rejected
