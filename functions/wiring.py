"""The one place that builds objects. The doors import it; nothing else does."""

from contextlib import suppress
from typing import TYPE_CHECKING

from functions import libraries, telemetry
from functions.errors import NotConfigured
from functions.registry.ahead import begin_model
from functions.registry.store import open_store
from functions.settings import (
    BatchSettings,
    FanOutSettings,
    GateSettings,
    ModelSettings,
    SiteSettings,
    is_snap_start,
    separator_of,
)

if TYPE_CHECKING:  # predict begins to fetch before it imports the rest, and batch alone imports numpy
    from collections.abc import Callable

    from functions.candidates import Candidates
    from functions.inference.model import ServedModel
    from functions.live import LiveModel
    from functions.loader import Pointer, RegistrySource
    from functions.protocols.site import Site
    from functions.registry.store import Reader
    from functions.scoring.fanout.run import FanOut
    from functions.scoring.live_worker import LiveWorker
    from functions.scoring.models import Models
    from functions.scoring.run import Run
    from functions.scoring.worker import Worker


def live_model() -> "LiveModel":
    """The model the settings name, its load tried once. Never raises: a wrong setting is a failed load."""
    global _begun  # whoever asks first takes what was begun
    telemetry.warnings_as_lines()
    live, _begun = _begun or _live_model(), None
    live.start()
    libraries.give_back("onnxruntime", "obstore")
    return live


def begin_live_model() -> None:
    """Has what the model consists of travel already, until `live_model` loads it."""
    global _begun
    _begun = _live_model()


_begun: "LiveModel | None" = None


def _live_model() -> "LiveModel":
    try:
        settings = ModelSettings.read()
    except NotConfigured as error:
        from functions.live import LiveModel, Misconfigured

        return LiveModel(Misconfigured(error))
    source = _Registry(settings)
    source.begin()

    from functions.inference import onnx_runtime

    onnx_runtime.begin()

    from functions.live import LiveModel

    live = LiveModel(source, settings.refresh_seconds)
    if is_snap_start():
        from functions import snapshot

        snapshot.take_part(before=live.settle, after=(source.renew, live.restored))
    return live


class _Registry:
    """A source whose store is opened when it is first asked, so that a store that cannot be is a failed load."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._opened: RegistrySource | None = None
        self._begins = True

    def begin(self) -> None:
        """Begins to read what will be asked for. What cannot be opened here is told by the load."""
        with suppress(Exception):
            self._source()

    def renew(self) -> None:
        """Has the store opened anew when it is asked next: its connections and its credentials are of another time."""
        self._opened, self._begins = None, False

    def latest(self, known: str | None, /) -> "Pointer":
        return self._source().latest(known)

    def load(self, version: str, /) -> "ServedModel":
        return self._source().load(version)

    def _source(self) -> "RegistrySource":
        if self._opened is None:
            own = self._settings
            store: Reader = open_store(own.store)
            if self._begins:
                store = begin_model(store, own.name, own.alias, own.version)

            from functions.loader import Reference, RegistrySource

            self._opened = RegistrySource(store, Reference(own.name, own.alias, own.version))
        return self._opened


def site() -> "Site":
    """How predict is reached. Never raises: a wrong setting is logged, and none of these settings holds then."""
    from functions.protocols.site import Site

    try:
        settings = SiteSettings.read()
    except NotConfigured as error:
        telemetry.failure("the site's settings are left out", error)
        return Site()
    return Site(settings.base_path, settings.cors_origins)


def live_worker() -> "LiveWorker[Worker]":
    """What scores drops, its model loaded once. Never raises: a wrong setting is a failed load."""
    from functions.scoring.live_worker import LiveWorker

    telemetry.warnings_as_lines()
    return LiveWorker(_worker).start()


def _worker() -> "Worker":
    from functions.inference import onnx_runtime

    onnx_runtime.begin()  # while the rest is imported

    from functions.scoring.loop import Options
    from functions.scoring.malloc import keep_freed_memory
    from functions.scoring.worker import Worker

    keep_freed_memory()
    batch = BatchSettings.read()
    options = Options(batch.max_record_bytes, batch.separator, batch.probabilities)
    data = open_store(batch.store)
    hand_over = None
    if batch.fan_out:
        from functions.scoring.fanout.execution import StateMachine

        hand_over = StateMachine(batch.fan_out, data).take
    return Worker(data, _models(), options, batch.max_rejected_share, hand_over)


def live_fan_out() -> "LiveWorker[FanOut]":
    """What takes the steps of a run in parts, its model loaded once. Never raises, as `live_worker`."""
    from functions.scoring.live_worker import LiveWorker

    telemetry.warnings_as_lines()
    return LiveWorker(_fan_out).start()


def _fan_out() -> "FanOut":
    from functions.inference import onnx_runtime

    onnx_runtime.begin()  # while the rest is imported

    from functions.registry.uploads import open_uploads
    from functions.scoring.fanout.run import FanOut
    from functions.scoring.loop import Options
    from functions.scoring.malloc import keep_freed_memory

    keep_freed_memory()
    batch, settings = BatchSettings.read(), FanOutSettings.read()
    options = Options(batch.max_record_bytes, batch.separator, batch.probabilities)
    data = open_store(batch.store)
    return FanOut(data, open_uploads(data), _models(), options, batch.max_rejected_share, settings.part_bytes)


def candidates() -> "Candidates":
    """What judges and promotes newly trained versions. Raises NotConfigured, StoreError."""
    from functions.candidates import Candidates
    from functions.gate import Limits

    model, gate = ModelSettings.read(), GateSettings.read()
    # By the names that whoever set them gave them in template.yaml.
    limits = Limits(gate.min_score, gate.max_drop, ("RetrainingMinScore", "RetrainingMaxDropVsLive"))
    return Candidates(open_store(model.store), model.name, model.alias, limits)


def _models() -> "Models":
    from functions.loader import Reference
    from functions.scoring.models import Models

    model = ModelSettings.read()
    return Models(open_store(model.store), Reference(model.name, model.alias, model.version))


def scoring_run(
    *,
    model: str,
    name: str | None,
    alias: str,
    version: str | None,
    trust: bool,
    tell: "Callable[[str], None]",
    separator: str | None,
    probabilities: bool,
) -> "Run":
    """One run of the command line. What it does not say is taken from the BATCH_ settings.

    trust, tell: as in `model_from`. Raises Mistake, NotConfigured, ModelError, StoreError.
    """
    from functions.inference import onnx_runtime

    onnx_runtime.begin()  # while the rest is imported

    from functions.scoring.loop import Options
    from functions.scoring.malloc import keep_freed_memory
    from functions.scoring.model_sources import model_from
    from functions.scoring.run import Run

    keep_freed_memory()
    batch = BatchSettings.read(store=model)
    options = Options(
        batch.max_record_bytes,
        separator_of(separator, "--separator") or batch.separator,
        probabilities or batch.probabilities,
    )
    served = model_from(model, name, alias, version, trust=trust, tell=tell)
    return Run(served, options, batch.max_rejected_share)
