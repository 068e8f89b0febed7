"""Moves an alias to a version that a function would serve, or back to where it was. It publishes nothing."""

import msgspec

from functions.errors import ModelNotFound
from functions.registry import alias as aliases
from functions.registry.store import Store
from training.commands import naming, verify
from training.endings import Mistake, Refused


class Moved(msgspec.Struct, frozen=True):
    """Where the alias is now, and whether it was elsewhere before. `previous`: what it named before, if anything."""

    name: str
    alias: str
    version: str
    previous: str | None
    at: str
    by: str
    moved: bool


def promote(store: Store, name: str, alias: str, meant: str, *, by: str, checked: bool) -> Moved:
    """Raises Mistake for a version that is not there, Refused for one that fails its check, PreconditionFailed."""
    found = aliases.seen(store, name, alias)
    version = naming.version_of(store, name, meant)
    if checked:
        one = verify.check(store, name, version)
        if not one.ok:
            raise Refused(f"{name} {version} was not promoted, a function would refuse it: {'; '.join(one.problems)}")
    return _moved(store, name, alias, version, by, found)


def rollback(store: Store, name: str, alias: str, *, by: str) -> Moved:
    """A promotion of what the alias named before. Raises Mistake where that is nothing, or is no longer there."""
    found = aliases.seen(store, name, alias)
    if found.alias is None:
        raise Mistake(f"{name} has no alias {alias} in {store.url}; promote a version first")
    previous = found.alias.previous
    if previous is None:
        raise Mistake(f"{alias} of {name} named nothing before {found.alias.version}; promote the version you want")
    try:
        return _moved(store, name, alias, previous, by, found)
    except ModelNotFound as gone:
        raise Mistake(f"{gone.message}; promote the version you want") from None


def words(done: Moved) -> list[str]:
    if not done.moved:
        return [f"{done.alias} is at {done.version} already, since {done.at} by {done.by}; nothing was moved"]
    return [f"{done.alias} is now {done.version}" + (f", before it {done.previous}" if done.previous else "")]


def _moved(store: Store, name: str, alias: str, version: str, by: str, found: aliases.Seen) -> Moved:
    now = aliases.move(store, name, alias, version, by=by, found=found)
    return Moved(name, alias, now.version, now.previous, now.at, now.by, now != found.alias)
