"""Puts the one model that an image is to serve into the image's own store, after that image's loader has served it.

    bake.py <published store> <store in the image>

MODEL_NAME, MODEL_ALIAS and MODEL_VERSION choose it, as for a function; without MODEL_NAME the store stays empty.
It runs once, while the image is built, on the image's own Python and packages: what this image cannot serve is refused
here, in the loader's words. It knows no Docker.
"""

import os
import shutil
import sys
from pathlib import Path

from functions import loader
from functions.errors import ServingError
from functions.registry import keys
from functions.registry.folder import FolderStore
from functions.registry.manifest import decode

READ_BY = {"onnx": ".onnx", "joblib": ".joblib"}
"""The ending of the artifact that each engine reads; the image needs no other."""


def bake(given: Path, to: Path, reference: loader.Reference) -> str:
    """Copies what serving needs; gives the version. Raises ServingError where the loader does."""
    version = loader.resolve(FolderStore(given), reference)
    loader.load_version(FolderStore(given), reference.name, version)
    folder = keys.version_folder(reference.name, version)
    manifest = decode((given / folder / keys.MANIFEST).read_bytes())
    needed = [folder + keys.MANIFEST]
    needed += [folder + one.key for one in manifest.artifacts if one.key.endswith(READ_BY[manifest.engine.name])]
    if reference.version is None:
        needed.append(keys.alias_key(reference.name, reference.alias))
    for key in needed:
        (to / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(given / key, to / key)  # the contents alone: whichever user runs the image may read them
    return version


def main(given: Path, to: Path) -> None:
    to.mkdir(parents=True)
    name = os.environ.get("MODEL_NAME")
    if not name:
        return
    reference = loader.Reference(name, os.environ.get("MODEL_ALIAS") or "live", os.environ.get("MODEL_VERSION") or None)
    try:
        version = bake(given, to, reference)
    except ServingError as error:
        raise SystemExit(f"cannot bake in {name}: {error}") from None
    sys.stdout.write(f"baked in: {name} {version}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
