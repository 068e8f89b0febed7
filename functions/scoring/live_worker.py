"""The worker this environment scores with: built in INIT, its failure remembered, tried again when needed."""

import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from functions import telemetry
from functions.inference.model import ServedModel


class Worker(Protocol):
    """What scores, by a model that can be loaded before there is anything to score."""

    def warm(self) -> ServedModel: ...


W = TypeVar("W", bound=Worker)


class LiveWorker(Generic[W]):
    """Holds what `build` gives. `build` raises ServingError for a wrong setting; nothing is raised at start."""

    def __init__(self, build: Callable[[], W]) -> None:
        self._build = build
        self._worker: W | None = None

    def start(self) -> "LiveWorker[W]":
        """Builds the worker and loads the live model, once; a failure is logged, and met again by the first drop."""
        started = time.perf_counter()
        try:
            model = self.get().warm()
        except Exception as error:
            telemetry.failure("the model cannot be loaded", error)
        else:
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            telemetry.log("model loaded", model=model.name, version=model.version, milliseconds=milliseconds)
        return self

    def get(self) -> W:
        """The worker. Raises ServingError while the settings allow none."""
        if self._worker is None:
            self._worker = self._build()
        return self._worker
