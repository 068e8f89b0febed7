"""The one place that builds objects. The doors import it; nothing else does."""

from functions import loader
from functions.errors import ModelError
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
    try:
        return loader.load(open_store(settings.store), reference)
    except ModelError as error:
        named = {"version": reference.version} if reference.version else {"alias": reference.alias}
        error.details = [{"model": reference.name, **named}]  # the answer names what was asked for
        raise
