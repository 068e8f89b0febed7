"""One version, in words: what its manifest says, which aliases name it, who pinned it. It changes nothing."""

import msgspec

from functions.registry import alias as aliases
from functions.registry import catalogue
from functions.registry.catalogue import Pin
from functions.registry.manifest import Engine, Manifest
from functions.registry.store import Store
from functions.signature import Feature
from training.commands import naming

MOST_CATEGORIES_SHOWN = 8


class Shown(msgspec.Struct, frozen=True):
    manifest: Manifest
    store: str
    aliases: list[str]
    pin: Pin | None


def show(store: Store, name: str, meant: str) -> Shown:
    """Raises Mistake where there is no such version, ModelRefused where its manifest cannot be read."""
    version = naming.version_of(store, name, meant)
    named = [
        alias
        for alias in catalogue.contents(store, name).aliases
        if aliases.read(store, name, alias).version == version
    ]
    return Shown(naming.manifest_of(store, name, version), store.url, named, catalogue.pin(store, name, version))


def words(shown: Shown) -> list[str]:
    manifest = shown.manifest
    target = f"{manifest.target} ({', '.join(map(str, manifest.classes)) if manifest.classes else 'a number'})"
    dropped = f", {manifest.data.dropped} without a target left out" if manifest.data.dropped else ""
    pin = f"; pinned by {shown.pin.by} since {shown.pin.at}: {shown.pin.why}" if shown.pin else ""
    return [
        f"{manifest.name} {manifest.version} in {shown.store}",
        f"created    {manifest.created} from commit {manifest.git_commit or 'unknown'}",
        f"aliases    {naming.listed(shown.aliases)}{pin}",
        f"task       {manifest.task} of {target}",
        f"data       {manifest.data.rows} rows{dropped}, SHA-256 {manifest.data.sha256}",
        f"served by  {_engine(manifest.engine)}; {len(manifest.golden)} golden rows",
        "metrics    " + ", ".join(f"{name} {value:.4g}" for name, value in manifest.metrics.items()),
        "files      " + ", ".join(f"{one.key} ({one.size} bytes)" for one in manifest.artifacts),
        "libraries  " + ", ".join(f"{name} {version}" for name, version in manifest.libraries.items()),
    ]


COLUMNS = ("feature", "type", "missing", "seen in training")


def rows(shown: Shown) -> list[list[str]]:
    """Its features, for the columns of COLUMNS."""
    return [
        [one.name, one.dtype, "allowed" if one.nullable else "refused", range_of(one)]
        for one in shown.manifest.features
    ]


def range_of(feature: Feature) -> str:
    if feature.categories:
        more = len(feature.categories) - MOST_CATEGORIES_SHOWN
        few = ", ".join(map(str, feature.categories[:MOST_CATEGORIES_SHOWN]))
        return few + (f" and {more} more" if more > 0 else "")
    if feature.minimum is None or feature.maximum is None:
        return "-"
    return f"{feature.minimum:g} to {feature.maximum:g}"


def _engine(engine: Engine) -> str:
    if engine.parity is None:
        return f"{engine.name}{': ' + engine.reason if engine.reason else ''}"
    return f"{engine.name}, the same labels as scikit-learn on {engine.parity.rows} rows, {engine.parity.precision}"
