"""Whether what lies in the registry is what was published: every digest, every golden row. It changes nothing."""

from importlib.metadata import version as installed

import msgspec

from functions import loader
from functions.errors import ModelRefused, ObjectNotFound
from functions.registry import alias as aliases
from functions.registry import keys
from functions.registry.digest import sha256
from functions.registry.manifest import EngineName, Manifest
from functions.registry.memory import MemoryStore
from functions.registry.store import Store
from training.commands import naming


class Checked(msgspec.Struct, frozen=True):
    """One version. bytes: of its artifacts, fetched and digested. engines: those that gave the golden rows again.

    problems: why a function would refuse it, or could not trust it. notes: what could not be looked at here.
    """

    version: str
    ok: bool
    files: int
    size: int = msgspec.field(name="bytes")
    golden_rows: int
    engines: list[str]
    problems: list[str]
    notes: list[str]


class CheckedAlias(msgspec.Struct, frozen=True):
    alias: str
    version: str
    ok: bool
    problems: list[str]


class Verified(msgspec.Struct, frozen=True):
    name: str
    store: str
    ok: bool
    versions: list[Checked]
    aliases: list[CheckedAlias]


def verify(store: Store, name: str, meant: str | None) -> Verified:
    """One version, or all of them and the aliases. Raises Mistake where there is none."""
    if meant is not None:
        checked = [check(store, name, naming.version_of(store, name, meant))]
        named = []
    else:
        found = naming.known(store, name)
        checked = [check(store, name, version) for version in found.versions]
        named = [_alias(store, name, alias, found.versions) for alias in found.aliases]
    ok = all(one.ok for one in checked) and all(one.ok for one in named)
    return Verified(name, store.url, ok, checked, named)


def words(verified: Verified) -> list[str]:
    told = []
    for one in verified.versions:
        good = f"{one.files} files, {one.size} bytes, {one.golden_rows} golden rows by {' and '.join(one.engines)}"
        told += [f"{one.version}: ok, {good}" if one.ok else f"{one.version}: {'; '.join(one.problems)}"]
        told += [f"{one.version}: note: {note}" for note in one.notes]
    for alias in verified.aliases:
        told.append(f"{alias.alias} -> {alias.version}: {'ok' if alias.ok else '; '.join(alias.problems)}")
    return told


def check(store: Store, name: str, version: str) -> Checked:
    """Fetches every artifact anew and loads it as a function does."""
    folder = keys.version_folder(name, version)
    try:
        manifest = naming.manifest_of(store, name, version)
    except (ObjectNotFound, ModelRefused) as error:
        return Checked(version, False, 0, 0, 0, [], [error.message], [])
    fetched, problems = _fetched(store, folder, manifest)
    engines: list[str] = []
    notes: list[str] = []
    for engine in _engines(manifest) if not problems else []:
        elsewhere = None if engine == manifest.engine.name else _other_library(manifest)
        if elsewhere is not None:
            notes.append(elsewhere)
            continue
        try:
            _load(fetched, name, version, engine)
        except ModelRefused as refused:
            problems.append(refused.message.removeprefix(f"version {version}: "))
        else:
            engines.append(engine)
    size = sum(artifact.size for artifact in manifest.artifacts)
    golden = len(manifest.golden)
    return Checked(version, not problems, len(manifest.artifacts), size, golden, engines, problems, notes)


def _fetched(store: Store, folder: str, manifest: Manifest) -> tuple[MemoryStore, list[str]]:
    """A copy of the version as it was fetched now, and which of its artifacts are not what the manifest says."""
    copy, problems = MemoryStore(), []
    copy.put(folder + keys.MANIFEST, store.get(folder + keys.MANIFEST).body)
    for artifact in manifest.artifacts:
        try:
            body = store.get(folder + artifact.key).body
        except ObjectNotFound:
            problems.append(f"{artifact.key} is missing")
            continue
        found = sha256(body)
        if (len(body), found) != (artifact.size, artifact.sha256):
            expected = f"expected {artifact.size} with {artifact.sha256}"
            problems.append(f"{artifact.key} has {len(body)} bytes with SHA-256 {found}, {expected}")
        copy.put(folder + artifact.key, body)
    return copy, problems


def _engines(manifest: Manifest) -> list[EngineName]:
    endings: dict[EngineName, str] = {"onnx": ".onnx", "joblib": ".joblib"}
    return [engine for engine, ending in endings.items() if any(one.key.endswith(ending) for one in manifest.artifacts)]


def _load(fetched: MemoryStore, name: str, version: str, engine: EngineName) -> None:
    """Through the loader, by this engine. Raises ModelRefused."""
    folder = keys.version_folder(name, version)
    manifest = naming.manifest_of(fetched, name, version)
    if engine == manifest.engine.name:
        loader.load_version(fetched, name, version)
        return
    other = msgspec.structs.replace(manifest.engine, name=engine)
    loader.load_from(fetched, folder, msgspec.structs.replace(manifest, engine=other))


def _other_library(manifest: Manifest) -> str | None:
    """Why the pipeline itself is not asked here, where the twin serves it."""
    trained, here = manifest.libraries.get("scikit-learn"), installed("scikit-learn")
    if trained == here:
        return None
    return f"the pipeline itself was not loaded: fitted with scikit-learn {trained}, this is {here}"


def _alias(store: Store, name: str, alias: str, versions: list[str]) -> CheckedAlias:
    found = aliases.read(store, name, alias)
    missing = [f"{version} does not exist" for version in (found.version,) if version not in versions]
    return CheckedAlias(alias, found.version, not missing, missing)
