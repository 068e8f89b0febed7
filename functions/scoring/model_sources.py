"""The command line's model: from a registry in a store, or from a file with its manifest beside it.

Either way the loader checks the manifest, the digest and the golden rows; nothing is unpickled unseen, except a file
without a manifest whose user says so.
"""

from collections.abc import Callable
from pathlib import Path

from functions import loader
from functions.errors import ModelNotFound, ModelRefused, ObjectNotFound
from functions.inference.model import ServedModel
from functions.registry.folder import FolderStore
from functions.registry.manifest import decode
from functions.registry.store import Store, open_store
from functions.scoring.files import Mistake
from functions.scoring.trusted import trusted

FILE = ".joblib"


def model_from(
    source: str, name: str | None, alias: str, version: str | None, *, trust: bool, tell: Callable[[str], None]
) -> ServedModel:
    """The model in a store (`s3://bucket[/prefix]`, a folder) or in a `.joblib` file.

    `name` may be None where the store has one model only. trust: unpickle a file without its manifest, and `tell` in
    one line what is unchecked then. Raises Mistake, ModelError, StoreError.
    """
    if source.endswith(FILE):
        if name or version:
            raise Mistake(f"--name and --version choose in a store; {source} is one model")
        return _from_file(source, trust=trust, tell=tell)
    if not source.startswith(("s3://", "file://")) and not Path(source).is_dir():
        raise Mistake(f"{source} is neither a store (s3://bucket, a folder) nor a {FILE} file")
    if trust:
        raise Mistake(f"--trust is for a {FILE} file without its manifest; what is in a store is always checked")
    store = open_store(source)
    return loader.load(store, loader.Reference(name or _only(store), alias, version))


def _from_file(source: str, *, trust: bool, tell: Callable[[str], None]) -> ServedModel:
    if source.startswith("s3://"):
        raise Mistake(f"{source} is one object; name the store it was published to, s3://bucket[/prefix]")
    path = Path(source.removeprefix("file://"))
    manifest_path = path.with_suffix(".manifest.json")
    if not path.is_file():
        raise Mistake(f"there is no file {path}")
    store = FolderStore(path.parent)
    try:
        manifest = decode(store.get(manifest_path.name).body)
    except ObjectNotFound:
        if trust:
            return trusted(path, tell)
        raise Mistake(
            f"{path} has no {manifest_path.name} beside it, and a pickle runs whatever is in it; make both with: "
            f"python -m training fit data.csv --target column --output {path.name}, or add --trust if you made the "
            "file yourself: it is then run, and its digest, golden rows, types, missing values and ranges are unchecked"
        ) from None
    named = [artifact.key for artifact in manifest.artifacts]
    if path.name not in named:
        raise ModelRefused(f"{manifest_path} speaks of {', '.join(named)} and not of {path.name}; rename it back")
    return loader.load_from(store, "", manifest)


def _only(store: Store) -> str:
    names = sorted({key.split("/")[1] for key in store.keys("models/") if key.count("/") > 1})
    if not names:
        raise ModelNotFound(f"there is no model in {store.url}; train and publish one")
    if len(names) > 1:
        raise Mistake(f"there are several models in {store.url}: {', '.join(names)}; choose one with --name")
    return names[0]
