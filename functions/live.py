"""The model this environment serves: loaded in INIT, refreshed while warm, kept when a refresh fails.

At most every `refresh_seconds` one conditional GET asks whether the alias moved. A newer version is loaded beside the
old one and takes over once its golden rows came out right. All of that happens in a thread that a request waits for
only so long, so a slow store delays one answer by a bounded time and the others not at all.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from functions import telemetry
from functions.errors import ModelError, NotConfigured, NotModified, StoreError
from functions.inference.model import ServedModel
from functions.loader import Pointer

RETRY_SECONDS = 1.0  # a load that fails is not repeated by every request of a burst
PATIENCE_AT_START = 8.0  # seconds that INIT waits for its model; Lambda ends an INIT that takes ten
PATIENCE_WITHOUT_A_MODEL = 5.0  # seconds a request waits for a model where there is none
PATIENCE_FOR_A_NEWER_ONE = 0.5  # seconds the request that starts a refresh waits for it
PATIENCE_BEFORE_A_SNAPSHOT = 60.0  # seconds that loads may still take; Lambda gives an INIT with SnapStart 130
PATIENCE_AFTER_A_RESTORE = 5.0  # seconds; Lambda ends what takes ten there


class Source(Protocol):
    """Where models come from. Both raise ServingError where they cannot."""

    def latest(self, known: str | None, /) -> Pointer:
        """What to serve now. Raises NotModified where the alias still has the ETag `known`."""

    def load(self, version: str, /) -> ServedModel:
        """The version, checked and ready."""


class LiveModel:
    """Holds the model. Nothing here is raised at start; `get` raises ModelError while there is none."""

    def __init__(
        self,
        source: Source,
        refresh_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._model: ServedModel | None = None
        self._pointer: Pointer | None = None
        self._error: ModelError | None = None
        self._logged: str | None = None
        self._tried_at = 0.0
        self._checked: str | None = None
        self._worker: threading.Thread | None = None

    def start(self) -> "LiveModel":
        """Tries to load once; a failure is logged and remembered, never raised. A slow load goes on behind."""
        self._try_for(PATIENCE_AT_START)
        return self

    def settle(self) -> None:
        """Waits until nothing is under way, and tries once more where that ended without a model. Raises nothing.

        All of it takes PATIENCE_BEFORE_A_SNAPSHOT at most; what is under way even then is not begun a second time.
        """
        until = time.monotonic() + PATIENCE_BEFORE_A_SNAPSHOT
        if self._worker is not None:
            self._worker.join(PATIENCE_BEFORE_A_SNAPSHOT)
            if self._worker.is_alive():
                return
        if self._model is None:
            self._try_for(max(0.0, until - time.monotonic()))

    def restored(self) -> None:
        """Looks what is to be served now, however long ago that was asked last, and at whatever refresh is set.

        As with any refresh the last good model stays where the store cannot be read. Raises nothing.
        """
        self._logged = None
        self._try_for(PATIENCE_AFTER_A_RESTORE)

    @property
    def version(self) -> str | None:
        """The version served now, if any; asking loads nothing."""
        return self._model.version if self._model else None

    def get(self) -> ServedModel:
        """The model. Raises ModelError while none can be loaded."""
        if self._is_due():
            self._try_for(PATIENCE_FOR_A_NEWER_ONE if self._model else PATIENCE_WITHOUT_A_MODEL)
        elif self._model is None and self._worker is not None:
            self._worker.join(PATIENCE_WITHOUT_A_MODEL)
        if self._model is None:
            raise self._error or ModelError("the model is still being loaded")
        return self._model

    def status(self) -> dict[str, Any]:
        """How the model is kept up to date, for GET /model: JSON-ready, without detail of the store."""
        error = self._error
        failed = {"code": error.code, "details": error.details} if error else None
        return {"refresh": {"seconds": self._refresh_seconds, "checked": self._checked, "error": failed}}

    def _is_due(self) -> bool:
        if self._worker is not None and self._worker.is_alive():
            return False
        waited = self._clock() - self._tried_at
        if self._model is None:
            return waited >= RETRY_SECONDS
        return 0.0 < self._refresh_seconds <= waited

    def _try_for(self, seconds: float) -> None:
        """Begins to look for a newer model, and waits for it for so long."""
        self._worker = threading.Thread(target=self._try, name="refresh", daemon=True)
        self._tried_at = self._clock()
        self._worker.start()
        self._worker.join(seconds)

    def _try(self) -> None:
        self._tried_at = self._clock()
        started = time.perf_counter()
        pointer = self._pointer
        try:
            pointer = self._source.latest(pointer.etag if pointer else None)
            if self._model is None or pointer.version != self._model.version:
                model = self._source.load(pointer.version)
                if self._is_late():
                    return
                milliseconds = round((time.perf_counter() - started) * 1000, 1)
                telemetry.log("model loaded", model=model.name, version=model.version, milliseconds=milliseconds)
                self._model = model
            self._pointer = pointer
        except NotModified:
            pass
        except Exception as error:
            self._failed(error, pointer)
            return
        self._checked = datetime.now(UTC).isoformat(timespec="seconds")
        self._error = self._logged = None

    def _is_late(self) -> bool:
        """Whether this thread's answer is of before a restore that has asked again since."""
        return threading.current_thread() is not self._worker

    def _failed(self, error: Exception, pointer: Pointer | None) -> None:
        """Remembers the failure; logs it unless the same was logged last."""
        if self._is_late():
            return
        self._error = _as_model_error(error)
        text = f"{type(error).__name__}: {error}"
        if text == self._logged:
            return
        self._logged = text
        telemetry.failure(
            "the model cannot be loaded" if self._model is None else "the model cannot be refreshed",
            error,
            version=pointer.version if pointer else None,
            serving=self.version,
        )


class Misconfigured:
    """A source that says what is wrong with the settings, for as long as they are."""

    def __init__(self, error: NotConfigured) -> None:
        self._error = error

    def latest(self, _known: str | None, /) -> Pointer:
        raise self._error

    def load(self, _version: str, /) -> ServedModel:
        raise self._error


def _as_model_error(error: Exception) -> ModelError:
    if isinstance(error, ModelError):
        return error
    if isinstance(error, StoreError):
        return ModelError(f"the model store cannot be read: {error.message}")
    return ModelError(f"the model cannot be loaded: {type(error).__name__}")
