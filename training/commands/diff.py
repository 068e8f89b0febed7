"""What is different between two versions, by their manifests and metrics. It changes nothing and loads no model."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from functions.errors import ObjectNotFound
from functions.registry import keys
from functions.registry.manifest import Manifest
from functions.registry.store import Store
from functions.signature import Feature
from training.commands import naming
from training.commands.show import range_of

PLAIN = ("created", "git_commit", "task", "target", "classes")


class Change(msgspec.Struct, frozen=True):
    """One thing that is not the same. before, after: JSON values; None where the version has no such thing."""

    what: str
    before: Any
    after: Any


class Difference(msgspec.Struct, frozen=True):
    """Of `after` from `before`; a list is empty where nothing is different."""

    name: str
    before: str
    after: str
    model: list[Change]
    features: list[Change]
    metrics: list[Change]
    parameters: list[Change]
    libraries: list[Change]
    engine: list[Change]
    data: list[Change]


PARTS = ("model", "features", "metrics", "parameters", "libraries", "engine", "data")


def diff(store: Store, name: str, before: str, after: str) -> Difference:
    """Raises Mistake where there is no such version, ModelRefused where a manifest cannot be read."""
    old, new = (naming.manifest_of(store, name, naming.version_of(store, name, one)) for one in (before, after))
    return Difference(
        name,
        old.version,
        new.version,
        _changes({one: getattr(old, one) for one in PLAIN}, {one: getattr(new, one) for one in PLAIN}),
        _features(old, new),
        _changes(old.metrics, new.metrics),
        _changes(_parameters(store, old), _parameters(store, new)),
        _changes(old.libraries, new.libraries),
        _changes(_flat(old.engine), _flat(new.engine)),
        _changes(_flat(old.data), _flat(new.data)),
    )


COLUMNS = ("", "what", "before", "after")


def rows(found: Difference) -> list[list[str]]:
    """For the columns of COLUMNS; the first names the part where it begins."""
    return [
        [part if index == 0 else "", change.what, _text(change.before), _text(change.after)]
        for part in PARTS
        for index, change in enumerate(getattr(found, part))
    ]


def _features(old: Manifest, new: Manifest) -> list[Change]:
    """Those of one only, those seen otherwise, and their order."""
    before, after = ({one.name: one for one in manifest.features} for manifest in (old, new))
    changes = _changes(
        {name: _feature(feature) for name, feature in before.items()},
        {name: _feature(feature) for name, feature in after.items()},
    )
    if [name for name in before if name in after] != [name for name in after if name in before]:
        changes.append(Change("order", list(before), list(after)))
    return changes


def _feature(feature: Feature) -> str:
    """What a caller has to know of it: type, gaps, range."""
    return f"{feature.dtype}{', may be missing' if feature.nullable else ''}, {range_of(feature)}"


def _parameters(store: Store, manifest: Manifest) -> Mapping[str, Any]:
    """What the search chose, out of the metrics' file; nothing where there is no such file or it says none."""
    try:
        body = store.get(keys.version_folder(manifest.name, manifest.version) + "metrics.json").body
        search = json.loads(body)["cross_validation"]
        chosen = search["candidates"][search["best"]]
        return {"model": chosen["model"], **chosen["parameters"]}
    except (ObjectNotFound, ValueError, LookupError, TypeError):
        return {}


def _flat(part: msgspec.Struct) -> dict[str, Any]:
    """Its fields, and those of the parts in it as `part field`."""
    fields: dict[str, Any] = {}
    for name, value in msgspec.to_builtins(part).items():
        inner = {f"{name} {one}": own for one, own in value.items()} if isinstance(value, dict) else {name: value}
        fields |= inner
    return fields


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    both = dict.fromkeys([*before, *after])
    return [Change(what, before.get(what), after.get(what)) for what in both if before.get(what) != after.get(what)]


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)
