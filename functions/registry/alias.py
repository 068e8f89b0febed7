"""Aliases: the only thing in the registry that moves, by compare-and-swap."""

from datetime import UTC, datetime

import msgspec

from functions.errors import ModelNotFound, ObjectNotFound, PreconditionFailed, StoreError
from functions.registry import keys
from functions.registry.store import Reader, Store


class Alias(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which version an alias names, which it named before, since when (UTC, ISO 8601) and by whose hand."""

    version: str
    previous: str | None
    at: str
    by: str


def read(store: Reader, name: str, alias: str) -> Alias:
    """Raises ModelNotFound where the alias does not exist."""
    return current(store, name, alias)[0]


def current(store: Reader, name: str, alias: str, *, known: str | None = None) -> tuple[Alias, str]:
    """The alias and its ETag. Raises ModelNotFound where it does not exist, NotModified where its ETag is `known`."""
    try:
        found = store.get(keys.alias_key(name, alias), if_none_match=known)
    except ObjectNotFound:
        raise ModelNotFound(
            f"{name} has no alias {alias} in {store.url}; train and publish it, or name another"
        ) from None
    try:
        return msgspec.json.decode(found.body, type=Alias), found.etag
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise StoreError(f"the alias {alias} of {name} cannot be read: {error}") from None


def move(store: Store, name: str, alias: str, version: str, *, by: str) -> Alias:
    """Makes `alias` name `version`, which must have a manifest.

    Raises ModelNotFound for a version that does not exist, and PreconditionFailed where somebody else moved the
    alias meanwhile: of two at once exactly one wins. Moving to where it is already changes nothing.
    """
    try:
        store.stat(keys.version_folder(name, version) + keys.MANIFEST)
    except ObjectNotFound:
        raise ModelNotFound(f"{name} has no version {version}; nothing was promoted") from None
    key = keys.alias_key(name, alias)
    etag: str | None
    try:
        found, etag = current(store, name, alias)
    except ModelNotFound:
        moved, etag = _moved(version, None, by), None
    else:
        if found.version == version:
            return found
        moved = _moved(version, found.version, by)
    try:
        store.put(key, msgspec.json.encode(moved), create=etag is None, if_match=etag)
    except PreconditionFailed:
        if _is(store, name, alias, moved):
            return moved  # it was this move: its answer was lost, and the store's client had asked again
        raise PreconditionFailed(
            f"the alias {alias} of {name} was moved by somebody else at the same time; look, then promote again"
        ) from None
    return moved


def _moved(version: str, previous: str | None, by: str) -> Alias:
    return Alias(version, previous, datetime.now(UTC).isoformat(timespec="milliseconds"), by)


def _is(store: Store, name: str, alias: str, wanted: Alias) -> bool:
    try:
        return current(store, name, alias)[0] == wanted
    except ModelNotFound:
        return False
