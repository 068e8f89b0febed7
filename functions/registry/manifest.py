"""The manifest: strict, versioned JSON that says what a version is and how to check it. It loads no model.

To bump MANIFEST_VERSION: 1. raise the number; 2. keep a manifest of the old number in `tests/unit/manifests/`, for
ever; 3. teach `decode` to read it, or to refuse it saying what to do; 4. write what changed in the list below.

1   first
"""

from typing import Literal

import msgspec

from functions.errors import ModelRefused
from functions.registry.digest import sha256
from functions.signature import Cell, Feature, Label, Signature, Task

MANIFEST_VERSION = 1

EngineName = Literal["joblib", "onnx"]


class Artifact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the version. `key` is relative to the manifest; `sha256` in lower-case hex."""

    key: str
    size: int = msgspec.field(name="bytes")
    sha256: str

    @classmethod
    def of(cls, key: str, body: bytes) -> "Artifact":
        return cls(key, len(body), sha256(body))


class Parity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a twin engine compared with scikit-learn when it was made: on `rows` rows, `made` of them not training's.

    `ties` of those have two best classes as good as each other; `label_differences` are among these.
    """

    rows: int
    ties: int
    label_differences: int
    largest_difference: float
    precision: Literal["double", "single"]
    made: int = 0


class Engine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What serves the version. `tolerance` is absolute for probabilities, relative for regression."""

    name: EngineName
    tolerance: float
    parity: Parity | None = None
    reason: str | None = None


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the version was fitted on: digest of the file's bytes, rows used, rows dropped for a missing target."""

    sha256: str
    rows: int
    dropped: int


class GoldenRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row the trainer predicted: `prediction` is a class label, or the number in regression."""

    row: list[Cell]
    prediction: Label | float
    probabilities: list[float] | None


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    manifest_version: int
    name: str
    version: str
    created: str
    task: Task
    features: list[Feature]
    target: str
    classes: list[Label]
    metrics: dict[str, float]
    artifacts: list[Artifact]
    engine: Engine
    libraries: dict[str, str]
    git_commit: str | None
    data: Data
    golden: list[GoldenRow]

    @property
    def signature(self) -> Signature:
        return Signature(self.task, self.features, self.target, self.classes)

    def public(self) -> dict[str, object]:
        """What anybody who may predict may know: no rows, no digests of data, no file names."""
        return {
            "name": self.name,
            "version": self.version,
            "created": self.created,
            "task": self.task,
            "features": [msgspec.to_builtins(feature) for feature in self.features],
            "target": self.target,
            "classes": self.classes,
            "metrics": self.metrics,
            "engine": self.engine.name,
            "libraries": self.libraries,
        }


UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Version(msgspec.Struct):
    manifest_version: int


def encode(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode(body: bytes) -> Manifest:
    """Reads a manifest. Raises ModelRefused where its number is unknown or its content does not fit."""
    try:
        found = msgspec.json.decode(body, type=_Version).manifest_version
    except UNREADABLE as error:
        raise ModelRefused(f"the manifest is not JSON with a manifest_version: {error}") from None
    if found != MANIFEST_VERSION:
        raise ModelRefused(
            f"the manifest's version is {found}, this code reads {MANIFEST_VERSION}; "
            "train the model again, or deploy the image that matches it"
        )
    try:
        return msgspec.json.decode(body, type=Manifest)
    except UNREADABLE as error:
        raise ModelRefused(f"the manifest does not fit version {found}: {error}") from None
