"""What became of a run, for the program that started it: JSON in a file. It knows no store."""

from pathlib import Path

import msgspec

from functions.registry.alias import Alias
from functions.registry.manifest import Manifest
from functions.whole_file import write_whole
from training.endings import Failure


class Model(msgspec.Struct, frozen=True):
    name: str
    version: str


class Outcome(msgspec.Struct, frozen=True):
    """status: promoted; published, where no alias was to be moved; refused, where the gate let none move.

    alias: what it says now, where it was moved. reasons: of the gate, where it refused.
    """

    status: str
    model: Model
    alias: Alias | None
    metrics: dict[str, float]
    reasons: list[str]


def outcome_of(manifest: Manifest, alias: Alias | None, reasons: tuple[str, ...]) -> Outcome:
    status = "refused" if reasons else "promoted" if alias else "published"
    return Outcome(status, Model(manifest.name, manifest.version), alias, manifest.metrics, list(reasons))


def write(path: Path, outcome: Outcome) -> None:
    """Raises Failure where the file cannot be written."""
    try:
        write_whole(path, msgspec.json.format(msgspec.json.encode(outcome), indent=2) + b"\n")
    except OSError as error:
        raise Failure(f"the model is {outcome.status}, but {path} cannot be written: {error.strerror}") from error
