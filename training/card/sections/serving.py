"""What serves the version, how it compares with what was fitted, and what its files weigh."""

import msgspec

from training.card.facts import Facts


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """load_seconds: from memory, where it was made, with its libraries imported."""

    key: str
    size: int = msgspec.field(name="bytes")
    sha256: str
    load_seconds: float | None


class TwinParity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the ONNX twin compared with scikit-learn, as the manifest says it."""

    rows: int
    made: int
    ties: int
    label_differences: int
    largest_difference: float
    precision: str


class Serving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """reason: why there is no twin. tolerance: of golden rows; absolute for probabilities, else relative."""

    engine: str
    reason: str | None
    tolerance: float
    parity: TwinParity | None
    files: list[File]
    golden_rows: int


def measure(facts: Facts) -> Serving:
    manifest = facts.manifest
    parity = manifest.engine.parity
    return Serving(
        engine=manifest.engine.name,
        reason=manifest.engine.reason,
        tolerance=manifest.engine.tolerance,
        parity=None
        if parity is None
        else TwinParity(
            rows=parity.rows,
            made=parity.made,
            ties=parity.ties,
            label_differences=parity.label_differences,
            largest_difference=parity.largest_difference,
            precision=parity.precision,
        ),
        files=[File(one.key, one.size, one.sha256, facts.load_seconds.get(one.key)) for one in manifest.artifacts],
        golden_rows=len(manifest.golden),
    )
