"""What is measured: which file, by which model, by whom, from where to where. It measures nothing."""

from dataclasses import dataclass

from benchmarks.batch.contestants import BY_JOBLIB, DOOR, RIVALS, SCORE, SEED


@dataclass(frozen=True, slots=True)
class Case:
    """`rows` of a table of this `kind`; `in_minio`: from bucket to bucket instead of from disk to disk; `packed`: input
    and output by gzip."""

    name: str
    kind: str
    rows: int
    model: str
    contestants: tuple[str, ...] = (SCORE, *RIVALS)
    in_minio: bool = False
    packed: bool = False


CASES = [
    Case("flowers", "flowers", 5_000_000, "flowers"),
    Case("minio", "flowers", 5_000_000, "flowers", (SCORE, DOOR, *RIVALS), in_minio=True),
    Case("forest", "flowers", 200_000, "forest", (SCORE, BY_JOBLIB, *RIVALS)),
    Case("wide", "wide", 50_000, "wide"),
    Case("wide_quoted", "wide_quoted", 50_000, "wide"),
    Case("quoted", "quoted", 1_000_000, "flowers"),
    Case("packed", "flowers", 1_000_000, "flowers", (SCORE, SEED), packed=True),
    Case("exponents", "exponents", 1_000_000, "flowers"),
    Case("odd", "odd", 500_000, "flowers", (SCORE, SEED, "pandas in chunks")),
]
