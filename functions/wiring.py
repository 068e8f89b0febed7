"""The one place that builds objects. The doors import it; nothing else does."""

from functions import loader
from functions.inference.model import ServedModel
from functions.live import LiveModel
from functions.registry.store import open_store
from functions.settings import ModelSettings


def live_model() -> LiveModel:
    """The model the settings name, its load tried once. Never raises: a wrong setting is a failed load."""
    return LiveModel(_load).start()


def _load() -> ServedModel:
    settings = ModelSettings.read()
    reference = loader.Reference(settings.name, settings.alias, settings.version)
    return loader.load(open_store(settings.store), reference)
