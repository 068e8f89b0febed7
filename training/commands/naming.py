"""Which version is meant: by its own name, or by an alias that names it. It changes nothing."""

from collections.abc import Iterable
from contextlib import suppress

from functions.errors import ModelRefused, ObjectNotFound
from functions.registry import alias as aliases
from functions.registry import catalogue, keys
from functions.registry.manifest import Manifest, decode
from functions.registry.store import Store
from training.endings import Mistake

MOST_NAMED = 5


def version_of(store: Store, name: str, meant: str) -> str:
    """Raises Mistake where there is neither such a version nor such an alias, and says what there is."""
    with suppress(ObjectNotFound):
        store.stat(keys.version_folder(name, meant) + keys.MANIFEST)
        return meant
    found = aliases.seen(store, name, meant).alias
    if found is None:
        raise Mistake(f"{name} has no version and no alias {meant} in {store.url}; {_there_are(store, name)}")
    return found.version


def known(store: Store, name: str) -> catalogue.Contents:
    """What there is of the model. Raises Mistake where there is no version of it, and says which models there are."""
    found = catalogue.contents(store, name)
    if not found.versions:
        others = ", ".join(catalogue.models(store)[:MOST_NAMED]) or "none"
        raise Mistake(f"there is no version of {name} in {store.url}; the models there are: {others}")
    return found


def manifest_of(store: Store, name: str, version: str) -> Manifest:
    """Raises ModelRefused where it cannot be read, and ObjectNotFound where there is none."""
    try:
        return decode(store.get(keys.version_folder(name, version) + keys.MANIFEST).body)
    except ModelRefused as refused:
        raise ModelRefused(f"{name} {version}: {refused.message}") from None


def listed(versions: Iterable[str]) -> str:
    return ", ".join(versions) or "none"


def _there_are(store: Store, name: str) -> str:
    found = known(store, name)
    newest = found.versions[: -MOST_NAMED - 1 : -1]
    return f"the newest versions are {', '.join(newest)}; the aliases are {listed(found.aliases)}"
