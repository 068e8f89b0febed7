"""The summary of a drop: what was done with it, and the ETags by which it vouches for its results. It does no I/O."""

from typing import Literal, TypeAlias

import msgspec

from functions.registry.store import Stat

Status: TypeAlias = Literal["scored", "failed", "refused"]


class Input(msgspec.Struct, frozen=True):
    """The drop: this key, with this ETag, of this time (or this version, in a bucket that keeps them)."""

    key: str
    etag: str
    last_modified: str
    version_id: str | None
    size: int = msgspec.field(name="bytes")

    @classmethod
    def of(cls, key: str, stat: Stat) -> "Input":
        return cls(key, stat.etag, stat.last_modified, stat.version_id, stat.size)


class Model(msgspec.Struct, frozen=True):
    name: str
    version: str
    engine: str


class Rows(msgspec.Struct, frozen=True):
    """`input` = `scored` + `rejected`, always. `blank`: lines that are no records. All 0 where the drop was refused."""

    input: int
    scored: int
    rejected: int
    blank: int


class Output(msgspec.Struct, frozen=True):
    key: str
    etag: str
    size: int = msgspec.field(name="bytes")

    @classmethod
    def of(cls, key: str, stat: Stat | None) -> "Output | None":
        return None if stat is None else cls(key, stat.etag, stat.size)


class Outputs(msgspec.Struct, frozen=True):
    """None: there is no such object."""

    scored: Output | None
    rejected: Output | None


class ClassCounts(msgspec.Struct, frozen=True):
    """Scored rows by predicted class, each class of the model named."""

    classes: dict[str, int]


class Spread(msgspec.Struct, frozen=True):
    """Predicted numbers, in the target's unit; None without rows."""

    minimum: float | None
    mean: float | None
    maximum: float | None


class FeatureReport(msgspec.Struct, frozen=True):
    """One feature over the scored rows, against what training saw. None where it does not apply.

    missing: share of rows without a value. out_of_range: share of the values outside the training range.
    unseen: share of the values that are no category of the training data.
    drift: (mean here - mean in training) / standard deviation in training.
    """

    missing: float | None
    out_of_range: float | None
    unseen: float | None
    drift: float | None


class Summary(msgspec.Struct, frozen=True):
    """status: `failed` is scored, with too large a share of rows rejected; `refused`: nothing of it was scored.

    reason: code, None where scored. message: the reason and its remedy in words. warnings: what passed and is odd, with
    counts. started: UTC, ISO 8601; seconds: of the work that counted.
    """

    status: Status
    reason: str | None
    message: str | None
    input: Input
    model: Model
    rows: Rows
    rejected_by_reason: dict[str, int]
    warnings: dict[str, int]
    outputs: Outputs
    predictions: ClassCounts | Spread | None
    features: dict[str, FeatureReport]
    started: str
    seconds: float


class Vouched(msgspec.Struct, frozen=True):
    """What must be readable of a summary, whoever wrote it, for it to vouch for anything."""

    status: Status
    reason: str | None
    input: Input
    model: Model
    rows: Rows
    outputs: Outputs


def encode(summary: Summary) -> bytes:
    return msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"


def decode(body: bytes) -> Vouched | None:
    """What the summary vouches for; None where it is none, and vouches for nothing."""
    try:
        return msgspec.json.decode(body, type=Vouched)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
