"""What is known of a version once its files are made, beside what the run found. It knows no store."""

from collections.abc import Mapping
from dataclasses import dataclass

from functions.registry.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Facts:
    """load_seconds: by an artifact's key, how long reading it from memory took where it was made."""

    manifest: Manifest
    load_seconds: Mapping[str, float]
