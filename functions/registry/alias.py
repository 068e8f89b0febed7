"""Aliases: the only thing in the registry that moves, by compare-and-swap, and the history of their moves.

What an alias says is copied into its history before it is replaced, so at any moment the history and the alias
together tell every move there was and none that was not, wherever a process was killed.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from functions.errors import ModelNotFound, ObjectNotFound, PreconditionFailed, StoreError, StoreUnavailable
from functions.registry import keys
from functions.registry.digest import sha256
from functions.registry.store import Reader, Store


class Alias(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which version an alias names, which it named before, since when (UTC, ISO 8601) and by whose hand."""

    version: str
    previous: str | None
    at: str
    by: str


class Seen(msgspec.Struct, frozen=True):
    """An alias as somebody read it, with its ETag; both are None where there was none."""

    alias: Alias | None
    etag: str | None


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
    return decode(found.body, f"the alias {alias} of {name}"), found.etag


def seen(store: Reader, name: str, alias: str) -> Seen:
    """The alias as it is now, or that there is none."""
    try:
        return Seen(*current(store, name, alias))
    except ModelNotFound:
        return Seen(None, None)


def decode(body: bytes, what: str) -> Alias:
    """Raises StoreError where the body is none, naming it as `what`."""
    try:
        return msgspec.json.decode(body, type=Alias)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise StoreError(f"{what} cannot be read: {error}") from None


def move(store: Store, name: str, alias: str, version: str, *, by: str, found: Seen | None = None) -> Alias:
    """Makes `alias` name `version`, which must have a manifest.

    found: how the alias was when it was decided to move it; without it, how it is now.

    Raises ModelNotFound for a version that does not exist, and PreconditionFailed where somebody else moved the
    alias meanwhile: of two at once exactly one wins. Moving to where it is already changes nothing.
    """
    _must_exist(store, name, version)
    found = found or seen(store, name, alias)
    before = found.alias
    if before is not None and before.version == version:
        return before
    if before is not None:
        _keep(store, name, alias, before)
    moved = Alias(version, before.version if before else None, _later_than(before), by)
    now = _swap(store, name, alias, found, moved)
    # Who removes a version looks at the aliases once more after it, and this one at the version: one sees the other.
    try:
        _must_exist(store, name, version)
    except ModelNotFound:
        if before is not None:
            move(store, name, alias, before.version, by=by, found=now)
        raise ModelNotFound(f"{name} {version} was removed while {alias} was moved to it; promote another") from None
    return moved


def _swap(store: Store, name: str, alias: str, found: Seen, moved: Alias) -> Seen:
    """Raises PreconditionFailed where the alias is no longer as it was found, StoreUnavailable."""
    key, body = keys.alias_key(name, alias), msgspec.json.encode(moved)
    try:
        try:
            written = store.put(key, body, create=found.etag is None, if_match=found.etag)
        except StoreUnavailable:  # a connection that broke leaves open whether it was done; the same condition tells
            written = store.put(key, body, create=found.etag is None, if_match=found.etag)
    except PreconditionFailed:
        now = seen(store, name, alias)
        if now.alias == moved:
            return now  # it was this move: its answer was lost, and it was asked again
        raise PreconditionFailed(
            f"the alias {alias} of {name} was moved by somebody else at the same time; look, then promote again"
        ) from None
    return Seen(moved, written.etag)


def _must_exist(store: Store, name: str, version: str) -> None:
    try:
        store.stat(keys.version_folder(name, version) + keys.MANIFEST)
    except ObjectNotFound:
        raise ModelNotFound(f"{name} has no version {version}; nothing was promoted") from None


def _keep(store: Store, name: str, alias: str, before: Alias) -> None:
    """Writes what is about to be replaced into the history. Its key follows from it: written twice it is the same."""
    body = msgspec.json.encode(before)
    store.put(f"{keys.history_folder(name, alias)}{_moment(before):%Y%m%dT%H%M%S.%fZ}-{sha256(body)[:8]}.json", body)


def _later_than(before: Alias | None) -> str:
    """Now, or a millisecond after the last move where this machine's clock is behind: moves are in order by time."""
    now = datetime.now(UTC)
    if before is not None:
        now = max(now, _moment(before) + timedelta(milliseconds=1))
    return now.isoformat(timespec="milliseconds")


def _moment(alias: Alias) -> datetime:
    """Raises StoreError where somebody wrote into the alias what is no time."""
    try:
        moment = datetime.fromisoformat(alias.at)
    except ValueError:
        raise StoreError(f"the alias that names {alias.version} says 'at' {alias.at!r}, which is no time") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
