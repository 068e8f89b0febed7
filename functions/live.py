"""The model this environment serves: loaded in INIT, remembered when that fails, tried again when it is needed."""

import time
from collections.abc import Callable

from functions import telemetry
from functions.errors import ModelError, ServingError, StoreError
from functions.inference.model import ServedModel

RETRY_SECONDS = 1.0  # a load that fails is not repeated by every request of a burst


class LiveModel:
    """Holds what `load` gives. `load` raises ServingError where it cannot; nothing here is raised at start."""

    def __init__(self, load: Callable[[], ServedModel], clock: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._clock = clock
        self._model: ServedModel | None = None
        self._error: ModelError | None = None
        self._failed_at = 0.0

    def start(self) -> "LiveModel":
        """Tries to load once; a failure is logged and remembered, never raised."""
        self._try()
        return self

    @property
    def version(self) -> str | None:
        """The version served now, if any; asking loads nothing."""
        return self._model.version if self._model else None

    def get(self) -> ServedModel:
        """The model. Raises ModelError while none can be loaded."""
        if self._model is None and self._clock() - self._failed_at >= RETRY_SECONDS:
            self._try()
        if self._model is None:
            raise self._error or ModelError("no model was loaded")
        return self._model

    def _try(self) -> None:
        started = time.perf_counter()
        try:
            self._model = self._load()
        except Exception as error:
            self._failed_at = self._clock()
            self._error = _as_model_error(error)
            # A deliberate refusal says enough by its message; only a defect needs its traceback.
            trace = None if isinstance(error, ServingError) else telemetry.traceback_of(error)
            telemetry.log(
                "the model cannot be loaded", level="ERROR", code=self._error.code, error=str(error), trace=trace
            )
            return
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        telemetry.log("model loaded", model=self._model.name, version=self._model.version, milliseconds=milliseconds)


def _as_model_error(error: Exception) -> ModelError:
    if isinstance(error, ModelError):
        return error
    if isinstance(error, StoreError):
        return ModelError(f"the model store cannot be read: {error.message}")
    return ModelError(f"the model cannot be loaded: {type(error).__name__}")
