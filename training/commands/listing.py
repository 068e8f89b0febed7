"""What there is: models with their versions and aliases, and how an alias came to be where it is. Changes nothing."""

from collections import defaultdict

import msgspec

from functions.errors import ModelRefused
from functions.registry import alias as aliases
from functions.registry import catalogue
from functions.registry.store import Store
from training.commands import naming
from training.endings import Mistake


class Listed(msgspec.Struct, frozen=True):
    """One version. problem: why its manifest cannot be read, where the fields in the middle are not known."""

    version: str
    created: str | None
    task: str | None
    engine: str | None
    rows: int | None
    metrics: dict[str, float]
    aliases: list[str]
    pinned: str | None
    problem: str | None


class ListedAlias(msgspec.Struct, frozen=True):
    alias: str
    version: str
    previous: str | None
    at: str
    by: str


class ListedModel(msgspec.Struct, frozen=True):
    """versions: newest first. unfinished: without a manifest, so that for readers they do not exist."""

    name: str
    versions: list[Listed]
    aliases: list[ListedAlias]
    unfinished: list[str]


class Listing(msgspec.Struct, frozen=True):
    store: str
    models: list[ListedModel]


class History(msgspec.Struct, frozen=True):
    """moves: oldest first; the last one is where the alias is now."""

    name: str
    alias: str
    moves: list[aliases.Alias]


def listing(store: Store, name: str | None) -> Listing:
    """One model, or all. Raises Mistake where there is no version of the one that was asked for."""
    if name is not None:
        return Listing(store.url, [_model(store, name, naming.known(store, name))])
    found = {one: catalogue.contents(store, one) for one in catalogue.models(store)}
    return Listing(store.url, [_model(store, one, contents) for one, contents in found.items()])


def history(store: Store, name: str, alias: str) -> History:
    """Raises Mistake where there never was such an alias."""
    moves = catalogue.history(store, name, alias)
    if not moves:
        there_are = naming.listed(catalogue.contents(store, name).aliases)
        raise Mistake(f"{name} has no alias {alias} in {store.url}; the aliases are {there_are}")
    return History(name, alias, moves)


def rows(listing: Listing) -> list[list[str]]:
    """For the columns of COLUMNS."""
    return [
        [
            model.name,
            one.version,
            one.task or "-",
            one.engine or "-",
            "-" if one.rows is None else str(one.rows),
            one.problem or next((f"{name} {value:.4g}" for name, value in one.metrics.items()), "-"),
            ", ".join(one.aliases + (["(pinned)"] if one.pinned is not None else [])) or "-",
        ]
        for model in listing.models
        for one in model.versions
    ]


COLUMNS = ("model", "version", "task", "engine", "rows", "score", "aliases")


def notes(listing: Listing) -> list[str]:
    """What a table of versions does not show."""
    return [
        *([] if any(model.versions for model in listing.models) else [f"there is no version in {listing.store}"]),
        *(
            f"{model.name}: without a manifest, so not there for readers: {', '.join(model.unfinished)}"
            for model in listing.models
            if model.unfinished
        ),
    ]


def moves(history: History) -> list[list[str]]:
    """For the columns of MOVES."""
    return [[one.at, one.by, one.version, one.previous or "-"] for one in history.moves]


MOVES = ("at", "by", "version", "before it")


def _model(store: Store, name: str, found: catalogue.Contents) -> ListedModel:
    named = [(alias, aliases.read(store, name, alias)) for alias in found.aliases]
    by_version = defaultdict(list)
    for alias, at in named:
        by_version[at.version].append(alias)
    pinned = {version: pin.why for version in found.pins if (pin := catalogue.pin(store, name, version))}
    return ListedModel(
        name,
        [_version(store, name, one, by_version[one], pinned.get(one)) for one in reversed(found.versions)],
        [ListedAlias(alias, at.version, at.previous, at.at, at.by) for alias, at in named],
        sorted(found.unfinished),
    )


def _version(store: Store, name: str, version: str, named: list[str], pinned: str | None) -> Listed:
    try:
        manifest = naming.manifest_of(store, name, version)
    except ModelRefused as refused:
        return Listed(version, None, None, None, None, {}, named, pinned, refused.message)
    return Listed(
        version, manifest.created, manifest.task, manifest.engine.name, manifest.data.rows, manifest.metrics, named,
        pinned, None,
    )  # fmt: skip
