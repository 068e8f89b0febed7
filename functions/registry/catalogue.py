"""What there is in a registry: models, versions, aliases with their history, pins. It changes nothing.

Nothing that answers a request needs it: it lists, and listing takes as long as there are objects.
"""

from collections.abc import Iterable

import msgspec

from functions.errors import ObjectNotFound
from functions.registry import alias as aliases
from functions.registry import keys
from functions.registry.alias import Alias
from functions.registry.store import Store


class Contents(msgspec.Struct, frozen=True):
    """What lies under one model. versions: those with a manifest, oldest first; each list is in lexical order.

    unfinished: version -> its objects, where there is no manifest: a publication under way, or what a killed one left.
    histories: the aliases that ever moved, also one that is no longer there.
    """

    versions: list[str]
    unfinished: dict[str, list[str]]
    aliases: list[str]
    histories: list[str]
    pins: list[str]


def models(store: Store) -> list[str]:
    """The names of the models of which there is anything."""
    return sorted({key.split("/")[1] for key in store.keys("models/") if key.count("/") > 1})


def contents(store: Store, name: str) -> Contents:
    """All of one model; empty lists where there is none of it. Raises NotConfigured for a name that can be none."""
    folder = keys.model_folder(name)
    objects: dict[str, list[str]] = {}
    named, histories, pins = [], [], []
    for key in store.keys(folder):
        parts = key.removeprefix(folder).split("/")
        match parts:
            case ["versions", version, *_, _]:
                objects.setdefault(version, []).append(key)
            case ["aliases", file] if file.endswith(".json"):
                named.append(file.removesuffix(".json"))
            case ["aliases", own, _] if own.endswith(".history"):
                histories.append(own.removesuffix(".history"))
            case ["pins", file] if file.endswith(".json"):
                pins.append(file.removesuffix(".json"))
    whole = [version for version, own in objects.items() if keys.version_folder(name, version) + keys.MANIFEST in own]
    unfinished = {version: own for version, own in objects.items() if version not in whole}
    return Contents(sorted(whole), unfinished, named, sorted({*histories, *named}), pins)


def history(store: Store, name: str, alias: str) -> list[Alias]:
    """Every move of the alias, oldest first, the last being what it says now; empty where there is no such alias."""
    now = aliases.seen(store, name, alias).alias  # before the others, so that none between is missed
    kept = [
        aliases.decode(store.get(key).body, key)
        for key in store.keys(keys.history_folder(name, alias))
        if key.endswith(".json")
    ]
    if now is None:
        return kept
    return kept[: kept.index(now) + 1] if now in kept else [*kept, now]


def referred(moves: Iterable[Alias]) -> set[str]:
    """The versions that these moves speak of."""
    return {version for move in moves for version in (move.version, move.previous) if version}


class Pin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version that something uses without an alias: since when (UTC, ISO 8601), by whose hand, and what for."""

    version: str
    at: str
    by: str
    why: str


def pin(store: Store, name: str, version: str) -> Pin | None:
    """The pin of a version, if it has one; one that cannot be read pins none the less."""
    try:
        return msgspec.json.decode(store.get(keys.pin_key(name, version)).body, type=Pin)
    except ObjectNotFound:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Pin(version, "", "", "what its pin says cannot be read")
