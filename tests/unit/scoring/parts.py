"""Drops scored in parts, in memory, with limits so small that a short file has many; and a model that tells on them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import msgspec
import numpy as np

from functions import loader
from functions.inference.engine import Predictions
from functions.inference.model import ServedModel
from functions.inference.schema import Schema
from functions.registry.memory import MemoryStore
from functions.registry.memory_uploads import MemoryUploads
from functions.registry.store import Store
from functions.registry.uploads import Uploads
from functions.scoring import loop, windows
from functions.scoring.drop import DropPaths
from functions.scoring.fanout import cutting, plan
from functions.scoring.fanout.run import FanOut, Planned
from functions.scoring.loop import Options
from functions.scoring.models import Models
from functions.scoring.report import Report
from functions.scoring.worker import Worker
from functions.signature import Feature, Signature

KEY = "incoming/day/x.csv"
PATHS = DropPaths(KEY)
VERSION = "20260101T000000Z-00000001"
SIGNATURE = Signature("regression", [Feature("x", "float64", True, None, 0.0, 2.0, 1.0, 1.0)], "y", [])
HEADER = b"id,x\n"
LIMIT = 40
OPTIONS = Options(LIMIT, None, probabilities=False)
LEAST = 12  # bytes of a piece, which S3 has at five million


class TellingEngine:
    """Answers with how many rows it was asked about at once, and which of them this is: other blocks, other answers."""

    name = "onnx"  # as which it may be asked by several threads

    def predict_rows(self, rows: Sequence[Any]) -> Predictions:
        return Predictions(None, None, [0.0] * len(rows))

    def predict_columns(self, columns: Any) -> Predictions:
        count = len(columns[0])
        return Predictions(None, None, count + np.arange(count) / 1000)  # type: ignore[arg-type] # arrays, from columns


class OneModel(Models):
    """A registry of one version."""

    def __init__(self, served: ServedModel) -> None:
        super().__init__(MemoryStore(), loader.Reference(served.name))
        self._served = served

    def current(self) -> ServedModel:
        return self._served

    def version(self, version: str) -> ServedModel:
        assert version == self._served.version
        return self._served


TELLING = ServedModel("telling", VERSION, SIGNATURE, Schema(SIGNATURE), TellingEngine(), {})


@contextmanager
def small(block: int, *, slack: int = 0, piece: int = 16) -> Iterator[None]:
    """Blocks of so many bytes, and pieces; a file of a few hundred is then a huge one."""
    with (
        mock.patch.object(windows, "BLOCK", block),
        mock.patch.object(loop, "BLOCK", block),
        mock.patch.object(cutting, "SLACK", slack),
        mock.patch.object(plan, "LEAST_PIECE", piece),
    ):
        yield


def fan_out(data: Store, uploads: Uploads, part_bytes: int = 1, model: ServedModel = TELLING) -> FanOut:
    return FanOut(data, uploads, OneModel(model), OPTIONS, 0.5, part_bytes)


def single(body: bytes, model: ServedModel = TELLING) -> tuple[MemoryStore, Report]:
    """The drop, scored by one function."""
    store = MemoryStore()
    store.put(KEY, body)
    return store, Worker(store, OneModel(model), OPTIONS, 0.5).score(KEY)


def in_parts(store: MemoryStore, part_bytes: int = 1, order: Sequence[int] | None = None) -> tuple[Report, int]:
    """The drop in the store, scored in parts, in any order; how many there were."""
    uploads = MemoryUploads(store, LEAST)
    steps = fan_out(store, uploads, part_bytes)
    planned = steps.plan(KEY)
    if isinstance(planned, Report):
        return planned, 0
    for number in sorted(range(planned.parts), key=lambda one: order[one % len(order)] if order else one):
        steps.part(KEY, planned.digest, number)
    report = steps.finish(KEY, planned.digest)
    assert uploads.pending(PATHS.scored) == []
    return report, planned.parts


def planned(steps: FanOut) -> Planned:
    """The plan of a drop that can be cut."""
    found = steps.plan(KEY)
    assert isinstance(found, Planned), found
    return found


def results(store: Store) -> dict[str, Any]:
    """Everything beside the input; of the summary what does not differ from run to run, or from store to store."""
    found: dict[str, Any] = {
        key: store.get(key).body for key in store.keys("") if not key.startswith(("incoming/", "models/"))
    }
    if PATHS.summary in found:
        told = msgspec.json.decode(found[PATHS.summary])
        del told["started"], told["seconds"], told["input"]
        for output in filter(None, told["outputs"].values()):
            del output["etag"]
        found[PATHS.summary] = _rounded(told)
    return found


def _rounded(told: Any) -> Any:
    """Sums over parts differ in the last digits from sums over the whole."""
    if isinstance(told, dict):
        return {name: _rounded(one) for name, one in told.items()}
    return float(f"{told:.9g}") if isinstance(told, float) else told
