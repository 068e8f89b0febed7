"""Where a publication goes: a registry in a store, or files in a folder. Each is tried before the long fit."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from functions.errors import ModelNotFound, ObjectNotFound, PreconditionFailed, StoreError
from functions.registry import alias as aliases
from functions.registry import keys
from functions.registry.manifest import encode
from functions.registry.publish import publish
from functions.registry.store import Store
from functions.whole_file import write_whole
from training.endings import Failure, Mistake
from training.publication import Publication


class Destination(Protocol):
    def check(self, name: str, version: str) -> None:
        """Raises what `publish` would raise for a bad name, or a place that cannot be reached or written."""

    def publish(self, publication: Publication) -> list[str]:
        """Publishes, and gives what to tell."""


class Registry:
    """Versions and an alias in a store. `alias` None: the version is published and no alias moves."""

    def __init__(self, store: Store, alias: str | None, by: str) -> None:
        self._store = store
        self._alias = alias
        self._by = by

    def check(self, name: str, version: str) -> None:
        manifest = keys.version_folder(name, version) + keys.MANIFEST
        with suppress(ObjectNotFound):  # reading first: it learns soonest that nobody answers
            self._store.get(manifest)
        # A write whose condition cannot hold needs the permissions of a write, and changes nothing.
        with suppress(PreconditionFailed, ObjectNotFound):
            self._store.put(manifest, b"", if_match='"never"')
        if self._alias is not None:
            with suppress(ModelNotFound):
                aliases.read(self._store, name, self._alias)

    def publish(self, publication: Publication) -> list[str]:
        name, version = publication.manifest.name, publication.manifest.version
        folder = publish(self._store, publication.manifest, publication.files)
        told = [f"published {name} {version} at {self._store.url}/{folder}"]
        if self._alias is None:
            return [*told, "no alias was moved"]
        try:
            moved = aliases.move(self._store, name, self._alias, version, by=self._by)
        except StoreError as error:
            raise Failure(f"{name} {version} is published, but {self._alias} was not moved: {error.message}") from error
        before = f", before it {moved.previous}" if moved.previous else ""
        return [*told, f"{self._alias} is now {version}{before}"]


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

    def publish(self, publication: Publication) -> list[str]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            for name, body in self._named(publication).items():
                write_whole(self._path.with_name(name), body)
            write_whole(self._manifest, encode(publication.manifest))
        except OSError as error:
            raise Failure(f"{self._path} cannot be written: {error.strerror}") from error
        written = ", ".join(str(self._path.with_name(name)) for name in self._named(publication))
        return [f"wrote {written} and {self._manifest}, version {publication.manifest.version}"]

    def _named(self, publication: Publication) -> dict[str, bytes]:
        """The files by their names here: what is no artifact is named after the model."""
        artifacts = {artifact.key for artifact in publication.manifest.artifacts}
        return {
            key if key in artifacts else f"{self._path.stem}.{key}": body for key, body in publication.files.items()
        }
