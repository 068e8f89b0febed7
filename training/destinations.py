"""Where a publication goes: a registry in a store, or files in a folder. Each is tried before the long fit."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from functions.errors import ModelNotFound, ObjectNotFound, PreconditionFailed, StoreError
from functions.registry import alias as aliases
from functions.registry import evidence as evidences
from functions.registry import keys
from functions.registry.evidence import Evidence
from functions.registry.manifest import encode
from functions.registry.publish import publish
from functions.registry.store import Store
from functions.whole_file import write_whole
from training.endings import Failure, Mistake
from training.publication import Publication


@dataclass(frozen=True, slots=True)
class Published:
    """alias: what the alias says now, where it was moved. told: lines for people."""

    told: list[str]
    alias: aliases.Alias | None = None


class Destination(Protocol):
    def check(self, name: str, version: str) -> None:
        """Raises what `publish` would raise for a bad name, or a place that cannot be reached or written."""

    def live(self, name: str) -> str | None:
        """The version whose place the new one would take; None where there is none. Raises Mistake, StoreError."""

    def publish(self, publication: Publication, *, promote: bool = True) -> Published:
        """Publishes, moves the alias if there is one to move and `promote` says so, and gives what to tell."""

    def check_evidence(self, name: str, run: str) -> None:
        """Raises what `leave_evidence` would raise for a name that is none or is taken."""

    def leave_evidence(self, name: str, evidence: Evidence) -> list[str]:
        """Leaves under the run's name what a gate looks at, and gives what to tell. Raises Failure, Mistake."""


class Registry:
    """Versions and an alias in a store. `alias` None: the version is published and no alias moves."""

    def __init__(self, store: Store, alias: str | None, by: str, compared: str = "live") -> None:
        """compared: the alias whose version a new one is judged by; it may be moved or not."""
        self.store = store
        self._alias = alias
        self._by = by
        self._compared = alias or compared
        self._seen: aliases.Seen | None = None

    def check(self, name: str, version: str) -> None:
        manifest = keys.version_folder(name, version) + keys.MANIFEST
        with suppress(ObjectNotFound):  # reading first: it learns soonest that nobody answers
            self.store.get(manifest)
        # A write whose condition cannot hold needs the permissions of a write, and changes nothing.
        with suppress(PreconditionFailed, ObjectNotFound):
            self.store.put(manifest, b"", if_match='"never"')
        if self._alias is not None:
            with suppress(ModelNotFound):
                aliases.read(self.store, name, self._alias)

    def live(self, name: str) -> str | None:
        """Also remembers how the alias was: who judged by it moves it only from there."""
        self._seen = aliases.seen(self.store, name, self._compared)
        return self._seen.alias.version if self._seen.alias else None

    def publish(self, publication: Publication, *, promote: bool = True) -> Published:
        name, version = publication.manifest.name, publication.manifest.version
        folder = publish(self.store, publication.manifest, publication.files)
        told = [f"published {name} {version} at {self.store.url}/{folder}"]
        if self._alias is None or not promote:
            return Published([*told, "no alias was moved"])
        try:
            moved = aliases.move(self.store, name, self._alias, version, by=self._by, found=self._seen)
        except StoreError as error:
            raise Failure(f"{name} {version} is published, but {self._alias} was not moved: {error.message}") from error
        before = f", before it {moved.previous}" if moved.previous else ""
        return Published([*told, f"{self._alias} is now {version}{before}"], moved)

    def check_evidence(self, name: str, run: str) -> None:
        evidences.check(self.store, name, run)

    def leave_evidence(self, name: str, evidence: Evidence) -> list[str]:
        try:
            evidences.leave(self.store, name, evidence)
        except StoreError as error:
            what = f"{name} {evidence.version} is published, but no gate will judge it"
            raise Failure(f"{what}: {error.message}") from error
        return [f"left what a gate looks at as {self.store.url}/{keys.evidence_key(name, evidence.run)}"]


class PlainFiles:
    """`model.joblib`, its twin `model.onnx`, `model.report.html`, `model.metrics.json` and `model.manifest.json`.

    Each appears whole or not, the manifest last.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix != ".joblib":
            raise Mistake(f"--output {path} must end in .joblib")
        if path.is_dir():
            raise Mistake(f"--output {path} is a folder; name a file in it")
        self._path = path
        self._manifest = path.with_suffix(".manifest.json")

    def check(self, name: str, version: str) -> None:
        keys.version_folder(name, version)
        folder = self._path.absolute().parent
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            raise Failure(f"{folder} is not a folder; nothing can be written there")
        if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
            raise Failure(f"{folder} cannot be written; give --output another folder, or mend its permissions")

    def live(self, name: str) -> str | None:
        raise Mistake(f"--max-drop-vs-live needs --store, where the live version of {name} lies")

    def check_evidence(self, name: str, run: str) -> None:
        raise Mistake(f"the evidence of {run} needs --store, where a gate of {name} will look for it")

    def leave_evidence(self, name: str, evidence: Evidence) -> list[str]:
        self.check_evidence(name, evidence.run)
        return []

    def publish(self, publication: Publication, *, promote: bool = True) -> Published:  # noqa: ARG002 # no alias here
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            for name, body in self._named(publication).items():
                write_whole(self._path.with_name(name), body)
            write_whole(self._manifest, encode(publication.manifest))
        except OSError as error:
            raise Failure(f"{self._path} cannot be written: {error.strerror}") from error
        written = ", ".join(str(self._path.with_name(name)) for name in self._named(publication))
        return Published([f"wrote {written} and {self._manifest}, version {publication.manifest.version}"])

    def _named(self, publication: Publication) -> dict[str, bytes]:
        """The files by their names here: what is no artifact is named after the model."""
        artifacts = {artifact.key for artifact in publication.manifest.artifacts}
        return {
            key if key in artifacts else f"{self._path.stem}.{key}": body for key, body in publication.files.items()
        }
