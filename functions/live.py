"""The model this environment serves: loaded in INIT, refreshed while warm, kept when a refresh fails.

At most every `refresh_seconds` one conditional GET asks whether the alias moved. A newer version is loaded beside the
old one and takes over once its golden rows came out right. All of that happens in a thread that requests wait for only
so long, so a slow store delays answers by a bounded time.

Lambda stops the process between two requests. What a thread does behind therefore goes on only while a request is
there, and the request that learns of a newer version waits until it is loaded: nothing else would ever load it.
"""

import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from functions import telemetry
from functions.errors import ModelError, ModelRefused, NotConfigured, NotModified, StoreError
from functions.inference.model import ServedModel
from functions.loader import Pointer

RETRY_SECONDS = 1.0  # a load that fails is not repeated by every request of a burst
PATIENCE_AT_START = 8.0  # seconds that INIT waits for its model; Lambda ends an INIT that takes ten
PATIENCE_WITHOUT_A_MODEL = 5.0  # seconds a request waits for a model where there is none
PATIENCE_FOR_THE_ALIAS = 0.5  # seconds the request that asks what is live waits for the answer
PATIENCE_FOR_A_NEWER_ONE = 10.0  # seconds one request waits for a version that is being loaded, of the 29 it has
PATIENCE_FOR_A_LATE_ONE = 0.5  # seconds each further request waits for it, where those ten did not do
PATIENCE_BEFORE_A_SNAPSHOT = 60.0  # seconds that loads may still take; Lambda gives an INIT with SnapStart 130
PATIENCE_AFTER_A_RESTORE = 5.0  # seconds; Lambda ends what takes ten there


class Source(Protocol):
    """Where models come from. Both raise ServingError where they cannot."""

    def latest(self, known: str | None, /) -> Pointer:
        """What to serve now. Raises NotModified where the alias still has the ETag `known`."""

    def load(self, version: str, /) -> ServedModel:
        """The version, checked and ready."""


class _Look(threading.Thread):
    """One look for a newer model. It goes on behind where nobody waits for it any more."""

    def __init__(self, look: Callable[["_Look"], None]) -> None:
        super().__init__(name="refresh", daemon=True)
        self._look = look
        self._known = threading.Event()
        self._waited_for = False
        self.left_behind = False
        """Whether a request was answered without it, so that the process may have been stopped in the middle of it."""

    def run(self) -> None:
        try:
            self._look(self)
        finally:
            self._known.set()

    def loads(self) -> None:
        """Tells who waits that there is a newer version, and that it is being loaded."""
        self._known.set()

    def wait(self, seconds: float) -> None:
        """Waits for its end."""
        self.join(seconds)
        self.left_behind = self.is_alive()

    def wait_for_news(self, seconds: float) -> None:
        """Waits for what the alias names; if that is another version, until it is loaded."""
        if self._known.wait(seconds):
            self.wait(PATIENCE_FOR_A_LATE_ONE if self._waited_for else PATIENCE_FOR_A_NEWER_ONE)
            self._waited_for = True
        else:
            self.left_behind = True


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
        self._forgiven = False
        self._refused: tuple[str, ModelRefused] | None = None
        self._tried_at = 0.0
        self._checked: str | None = None
        self._worker: _Look | None = None

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
        self._logged = self._refused = None
        self._try_for(PATIENCE_AFTER_A_RESTORE)

    @property
    def version(self) -> str | None:
        """The version served now, if any; asking loads nothing."""
        return self._model.version if self._model else None

    def get(self) -> ServedModel:
        """The model. Raises ModelError while none can be loaded."""
        if self._worker is not None and self._worker.is_alive():
            self._wait_for(self._worker, 0.0)
        elif self._is_due():
            self._wait_for(self._begin(), PATIENCE_FOR_THE_ALIAS)
        if self._model is None:
            raise self._error or ModelError("the model is still being loaded")
        return self._model

    def status(self) -> dict[str, Any]:
        """How the model is kept up to date, for GET /model: JSON-ready, without detail of the store."""
        error = self._error
        failed = {"code": error.code, "details": error.details} if error else None
        return {"refresh": {"seconds": self._refresh_seconds, "checked": self._checked, "error": failed}}

    def _wait_for(self, worker: _Look, seconds: float) -> None:
        """As a request does: for as long as it takes where there is no model, else for no more than news."""
        if self._model is None:
            worker.wait(PATIENCE_WITHOUT_A_MODEL)
        else:
            worker.wait_for_news(seconds)

    def _is_due(self) -> bool:
        waited = self._clock() - self._tried_at
        if self._model is None:
            return waited >= RETRY_SECONDS
        return 0.0 < self._refresh_seconds <= waited

    def _try_for(self, seconds: float) -> None:
        """Begins to look for a newer model, and waits for it for so long."""
        self._begin().wait(seconds)

    def _begin(self) -> _Look:
        self._worker = _Look(self._try)
        self._tried_at = self._clock()
        self._worker.start()
        return self._worker

    def _try(self, worker: _Look) -> None:
        self._tried_at = self._clock()
        started = time.perf_counter()
        pointer = self._pointer
        try:
            pointer = self._source.latest(pointer.etag if pointer else None)
            if self._model is not None and self._refused is not None and pointer.version == self._refused[0]:
                # A version never changes: what was refused would be again, and every load delays a request.
                raise self._refused[1].with_traceback(None)
            if self._model is None or pointer.version != self._model.version:
                worker.loads()
                model = self._source.load(pointer.version)
                if worker is not self._worker:
                    return
                milliseconds = round((time.perf_counter() - started) * 1000, 1)
                telemetry.log("model loaded", model=model.name, version=model.version, milliseconds=milliseconds)
                self._model = model
            self._pointer = pointer
        except NotModified:
            pass
        except Exception as error:
            self._failed(worker, error, pointer)
            return
        self._checked = datetime.now(UTC).isoformat(timespec="seconds")
        self._error = self._logged = None
        self._forgiven = False

    def _failed(self, worker: _Look, error: Exception, pointer: Pointer | None) -> None:
        """Remembers the failure; logs it unless the same was logged last.

        A read that was stopped in the middle runs into its time-outs, however well the store is: it is begun again by
        the next request, and told of if it fails once more.
        """
        if worker is not self._worker:  # of before a restore that has asked again since
            return
        may_go_on = self._model is not None and self._refresh_seconds > 0
        if may_go_on and worker.left_behind and isinstance(error, StoreError) and not self._forgiven:
            self._forgiven = True
            self._tried_at = -math.inf
            return
        self._error = _as_model_error(error)
        if isinstance(error, ModelRefused) and pointer is not None:
            self._refused = pointer.version, error
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
