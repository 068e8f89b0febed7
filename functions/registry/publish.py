"""Publishing a version: artifacts first, the manifest last, nothing ever overwritten."""

from collections.abc import Mapping

from functions.errors import PreconditionFailed
from functions.registry import keys
from functions.registry.manifest import Manifest, encode
from functions.registry.store import Store


def publish(store: Store, manifest: Manifest, files: Mapping[str, bytes]) -> str:
    """Writes the version and gives the key of its folder. It exists for readers once the manifest does.

    `files` holds the artifacts the manifest lists, and any others (metrics, report), by name.
    Raises PreconditionFailed where this version exists already.
    """
    folder = keys.version_folder(manifest.name, manifest.version)
    try:
        for name, body in files.items():
            store.put(folder + name, body, create=True)
        store.put(folder + keys.MANIFEST, encode(manifest), create=True)
    except PreconditionFailed:
        raise PreconditionFailed(
            f"version {manifest.version} of {manifest.name} exists already, and a version never changes; train again"
        ) from None
    return folder
