"""The one place that builds objects. The doors import it; nothing else does."""

from typing import TYPE_CHECKING

from functions import loader, telemetry
from functions.errors import NotConfigured
from functions.inference.model import ServedModel
from functions.live import LiveModel
from functions.registry.store import open_store
from functions.settings import BatchSettings, ModelSettings, separator_of

if TYPE_CHECKING:  # batch alone imports numpy; predict stays light
    from functions.scoring.live_worker import LiveWorker
    from functions.scoring.run import Run
    from functions.scoring.worker import Worker


def live_model() -> LiveModel:
    """The model the settings name, its load tried once. Never raises: a wrong setting is a failed load."""
    telemetry.warnings_as_lines()
    try:
        settings = ModelSettings.read()
    except NotConfigured as error:
        return LiveModel(_Misconfigured(error)).start()
    return LiveModel(_Registry(settings), settings.refresh_seconds).start()


class _Registry:
    """A source whose store is opened when it is first asked, so that a store that cannot be is a failed load."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._opened: loader.RegistrySource | None = None

    def latest(self, known: str | None, /) -> loader.Pointer:
        return self._source().latest(known)

    def load(self, version: str, /) -> ServedModel:
        return self._source().load(version)

    def _source(self) -> loader.RegistrySource:
        if self._opened is None:
            named = loader.Reference(self._settings.name, self._settings.alias, self._settings.version)
            self._opened = loader.RegistrySource(open_store(self._settings.store), named)
        return self._opened


class _Misconfigured:
    """A source that says what is wrong with the settings, for as long as they are."""

    def __init__(self, error: NotConfigured) -> None:
        self._error = error

    def latest(self, _known: str | None, /) -> loader.Pointer:
        raise self._error

    def load(self, _version: str, /) -> ServedModel:
        raise self._error


def live_worker() -> "LiveWorker":
    """What scores drops, its model loaded once. Never raises: a wrong setting is a failed load."""
    from functions.scoring.live_worker import LiveWorker

    telemetry.warnings_as_lines()
    return LiveWorker(_worker).start()


def _worker() -> "Worker":
    from functions.scoring.loop import Options
    from functions.scoring.models import Models
    from functions.scoring.worker import Worker

    model, batch = ModelSettings.read(), BatchSettings.read()
    reference = loader.Reference(model.name, model.alias, model.version)
    options = Options(batch.max_record_bytes, batch.separator, batch.probabilities)
    models = Models(open_store(model.store), reference)
    return Worker(open_store(batch.store), models, options, batch.max_rejected_share)


def scoring_run(
    *, model: str, name: str | None, alias: str, version: str | None, separator: str | None, probabilities: bool
) -> "Run":
    """One run of the command line. What it does not say is taken from the BATCH_ settings.

    Raises Mistake, NotConfigured, ModelError, StoreError.
    """
    from functions.scoring.loop import Options
    from functions.scoring.model_sources import model_from
    from functions.scoring.run import Run

    batch = BatchSettings.read(store=model)
    options = Options(
        batch.max_record_bytes,
        separator_of(separator, "--separator") or batch.separator,
        probabilities or batch.probabilities,
    )
    return Run(model_from(model, name, alias, version), options, batch.max_rejected_share)
