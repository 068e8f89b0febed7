"""Removes versions that nothing refers to: no alias, no history of one, no pin. The newest are always kept.

A version's manifest goes first, so that one that was removed in part does not exist for readers. Once it is gone it is
looked again who refers to the version: a promotion or a pin that came meanwhile gets it back, whole.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from functions.errors import ObjectNotFound
from functions.registry import catalogue, keys
from functions.registry.store import Store
from training.commands import naming
from training.stopping import unstoppable

FORGOTTEN = timedelta(days=1)
"""How long nothing was written to a version without a manifest before it counts as left by a killed run."""


class Kept(msgspec.Struct, frozen=True):
    version: str
    why: str


class Pruned(msgspec.Struct, frozen=True):
    """removed, leftovers: those that were removed, or would be where `done` is not set. leftovers had no manifest."""

    name: str
    store: str
    done: bool
    removed: list[str]
    leftovers: list[str]
    kept: list[Kept]


def prune(store: Store, name: str, *, keep: int, pinned: list[str], done: bool) -> Pruned:
    """keep: how many of the newest stay whatever refers to them. pinned: versions to keep beside those with a pin.

    done: remove; else only tell. Raises Mistake for a pinned version that does not exist, StoreError.
    """
    found = naming.known(store, name)
    wanted = {naming.version_of(store, name, one): "named by --keep-version" for one in pinned}
    reasons = _reasons(store, name, found) | wanted
    reasons |= {version: f"one of the newest {keep}" for version in found.versions[-keep:] if version not in reasons}
    kept = [Kept(version, reasons[version]) for version in found.versions if version in reasons]
    removed = []
    for version in found.versions:
        if version in reasons:
            continue
        with unstoppable():
            again = _remove(store, name, version) if done else None
        if again is None:
            removed.append(version)
        else:
            kept.append(Kept(version, again))
    leftovers = [version for version, own in found.unfinished.items() if _forgotten(store, own)]
    for version in leftovers if done else []:
        _clear(store, found.unfinished[version])
    return Pruned(name, store.url, done, removed, sorted(leftovers), sorted(kept, key=lambda one: one.version))


def words(pruned: Pruned) -> list[str]:
    gone = "removed" if pruned.done else "would remove"
    told = [f"kept {one.version}: {one.why}" for one in pruned.kept]
    told += [f"{gone} {version}" for version in pruned.removed]
    told += [f"{gone} {version}: it never had a manifest, or was removed in part" for version in pruned.leftovers]
    if not (pruned.removed or pruned.leftovers):
        return [*told, "nothing to remove"]
    return told if pruned.done else [*told, "nothing was removed; say --yes to do it"]


def _reasons(store: Store, name: str, found: catalogue.Contents) -> dict[str, str]:
    """Why versions stay. An alias or a pin that cannot be read raises StoreError: then nothing is removed."""
    moves = {alias: catalogue.history(store, name, alias) for alias in found.histories}
    reasons = {
        version: f"in the history of {alias}" for alias, own in moves.items() for version in catalogue.referred(own)
    }
    reasons |= dict.fromkeys(found.pins, "pinned")
    return reasons | {moves[alias][-1].version: f"{alias} names it" for alias in found.aliases}


def _remove(store: Store, name: str, version: str) -> str | None:
    """None once it is gone; else why it is there again."""
    manifest = keys.version_folder(name, version) + keys.MANIFEST
    try:
        body = store.get(manifest).body
    except ObjectNotFound:  # by somebody who prunes at the same time
        return None
    store.delete(manifest)
    now = catalogue.contents(store, name)
    reason = _reasons(store, name, now).get(version)
    if reason is not None:
        store.put(manifest, body, create=True)
        return f"{reason} since a moment ago"
    _clear(store, now.unfinished.get(version, []))
    return None


def _clear(store: Store, objects: list[str]) -> None:
    for key in objects:
        store.delete(key)


def _forgotten(store: Store, objects: list[str]) -> bool:
    """Nothing was written to it for so long that no publication can be under way."""
    try:
        last = max(datetime.fromisoformat(store.stat(key).last_modified) for key in objects)
    except ObjectNotFound:
        return False
    return datetime.now(UTC) - last > FORGOTTEN
