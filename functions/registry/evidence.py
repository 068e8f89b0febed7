"""What a run of training leaves for a later gate: its version's figure, and the live version's on the same rows.

It lies beside the versions under the run's name, is written once, after the version is there, and judges nothing.
"""

import math

import msgspec

from functions.errors import ObjectNotFound, PreconditionFailed, StoreError
from functions.gate import Comparison, Figure
from functions.registry import keys
from functions.registry.store import Store


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `gate.Figure`; value: None where the rows define none."""

    name: str
    value: float | None
    on: str


class Compared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `gate.Comparison`; own, live: None where there are no such figures."""

    version: str | None
    own: float | None
    live: float | None
    rows: int
    problem: str
    notes: list[str]


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of one run: which version it published, and what a gate looks at."""

    run: str
    version: str
    measured: Measured
    compared: Compared

    @classmethod
    def of(cls, run: str, version: str, figure: Figure, comparison: Comparison) -> "Evidence":
        return cls(
            run,
            version,
            Measured(figure.name, _finite(figure.value), figure.on),
            Compared(
                comparison.version,
                _finite(comparison.own),
                _finite(comparison.live),
                comparison.rows,
                comparison.problem,
                list(comparison.notes),
            ),
        )

    @property
    def figure(self) -> Figure:
        return Figure(self.measured.name, _number(self.measured.value), self.measured.on)

    @property
    def comparison(self) -> Comparison:
        one = self.compared
        return Comparison(
            one.version, _number(one.own), _number(one.live), one.rows, problem=one.problem, notes=tuple(one.notes)
        )


def leave(store: Store, name: str, evidence: Evidence) -> None:
    """Raises PreconditionFailed where a run of this name has left some."""
    body = msgspec.json.format(msgspec.json.encode(evidence), indent=2) + b"\n"
    try:
        store.put(keys.evidence_key(name, evidence.run), body, create=True)
    except PreconditionFailed:
        raise PreconditionFailed(_taken(name, evidence.run)) from None


def check(store: Store, name: str, run: str) -> None:
    """Raises PreconditionFailed where a run of this name has left some, NotConfigured for what can name none."""
    try:
        store.stat(keys.evidence_key(name, run))
    except ObjectNotFound:
        return
    raise PreconditionFailed(_taken(name, run))


def read(store: Store, name: str, run: str) -> Evidence:
    """Raises ObjectNotFound where the run has left none, StoreError where it cannot be read."""
    key = keys.evidence_key(name, run)
    try:
        return msgspec.json.decode(store.get(key).body, type=Evidence)
    except ObjectNotFound:
        raise ObjectNotFound(
            f"the run {run} of {name} left no evidence in {store.url}/{key}; train with fit --evidence, by an image "
            "built from the same code as the functions"
        ) from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise StoreError(f"{store.url}/{key} cannot be read: {error}") from None


def _taken(name: str, run: str) -> str:
    return f"a run called {run} of {name} has left its evidence already; give each run a name of its own"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else value
