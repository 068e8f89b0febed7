"""Says of a version that something uses it without an alias, so that it is never pruned; and takes that back."""

from datetime import UTC, datetime

import msgspec

from functions.errors import PreconditionFailed
from functions.registry import keys
from functions.registry.catalogue import Pin
from functions.registry.store import Store
from training.commands import naming
from training.endings import Mistake


def pin(store: Store, name: str, meant: str, *, by: str, why: str) -> Pin:
    """Raises Mistake where there is no such version, or it is pinned already."""
    version = naming.version_of(store, name, meant)
    made = Pin(version, datetime.now(UTC).isoformat(timespec="milliseconds"), by, why)
    try:
        store.put(keys.pin_key(name, version), msgspec.json.encode(made), create=True)
    except PreconditionFailed:
        raise Mistake(f"{name} {version} is pinned already; unpin it first to give it another reason") from None
    store.stat(
        keys.version_folder(name, version) + keys.MANIFEST
    )  # who prunes looks for a pin after it: one of the two sees the other
    return made


def unpin(store: Store, name: str, version: str) -> str:
    """Gives the version. Raises Mistake where it is not pinned."""
    pinned = naming.known(store, name).pins
    if version not in pinned:
        raise Mistake(f"{name} {version} is not pinned; the pins are {naming.listed(pinned)}")
    store.delete(keys.pin_key(name, version))
    return version
