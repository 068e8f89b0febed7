"""A file becomes features and a target, every column's kind settled and said. It fits nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from functions.signature import Task
from training.endings import Mistake
from training.evidence import ColumnProfile
from training.tables.columns import Kind, Lines, Spelled
from training.tables.kinds import FEATURES, Finding, kind_of
from training.tables.parquet import read_parquet
from training.tables.records import frame
from training.tables.roles import Role, Wanted, assign
from training.tables.source import STANDARD_INPUT, Raw, read_source
from training.tables.target import Labels, Target, read_target
from training.tables.values import groups_of, times_of, values_of, weights_of

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Table:
    """What there is to learn from: the n rows that have a target.

    features: one column for each feature, in the file's order, as `training.tables.values` gives them. labels: n class
    labels (int64, bool or object of str), or n float64 numbers in regression. dropped: rows left out because their
    target was missing. sha256: of the file's bytes, lower-case hex. groups, times, weights: n each, where asked for.
    """

    features: pd.DataFrame
    labels: Labels
    target: str
    dropped: int
    sha256: str
    task: Task = "classification"
    columns: tuple[ColumnProfile, ...] = ()
    groups: Any = None
    times: Any = None
    weights: Any = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _File:
    """Every kept column's texts by name, and the line (of a Parquet file the row, from 1) where each record is."""

    names: list[str]
    roles: dict[int, Role]
    columns: dict[str, Spelled]
    lines: Lines


def read_table(where: str, wanted: Wanted, *, separator: str | None = None, task: Task | None = None) -> Table:
    """Reads a table. Raises Mistake for what cannot be learnt from, naming line and column where there are any."""
    label = called(where)
    raw = _read_source(where, label)
    try:
        file = _parquet(raw, wanted) if raw.is_parquet else _csv(raw, wanted, separator)
        return _table(file, wanted, task, raw.sha256)
    except Mistake as mistake:
        raise Mistake(f"{label}: {mistake}") from None


def called(where: str) -> str:
    """A table's place, as messages name it."""
    return "standard input" if where == STANDARD_INPUT else where


def _read_source(where: str, label: str) -> Raw:
    try:
        return read_source(where)
    except Mistake as mistake:
        if label in str(mistake) or "standard input" in str(mistake):
            raise
        raise Mistake(f"{label}: {mistake}") from None


def _csv(raw: Raw, wanted: Wanted, separator: str | None) -> _File:
    roles: dict[int, Role] = {}
    framing = frame(raw.body, wanted.target, separator, lambda names: _kept(names, wanted, roles))
    kept = [framing.names[place] for place, role in roles.items() if role != "dropped"]
    columns: dict[str, Spelled] = {}
    for name in kept:
        columns[name] = Spelled.of(name, framing.columns[len(columns)])
        framing.columns[len(columns) - 1] = []  # no longer needed
    return _File(framing.names, roles, columns, np.asarray(framing.lines))


def _parquet(raw: Raw, wanted: Wanted) -> _File:
    roles: dict[int, Role] = {}
    found = read_parquet(raw.body, lambda names: _kept(names, wanted, roles))
    kept = [found.names[place] for place, role in roles.items() if role != "dropped"]
    columns = {
        name: Spelled.of(name, texts, declared)
        for name, texts, declared in zip(kept, found.texts, found.declared, strict=True)
    }
    return _File(found.names, roles, columns, np.arange(1, len(found.texts[0]) + 1))


def _kept(names: list[str], wanted: Wanted, roles: dict[int, Role]) -> Sequence[int]:
    roles.update(assign(names, wanted))
    return [place for place, role in roles.items() if role != "dropped"]


def _table(file: _File, wanted: Wanted, task: Task | None, digest: str) -> Table:
    target = read_target(file.columns[wanted.target], file.lines, task)
    lines = file.lines[target.present]
    columns = {name: column.only(target.present) for name, column in file.columns.items()}
    features: dict[str, pd.Series[Any]] = {}
    profiles = []
    seen: dict[bytes, str] = {}
    notes = [f"{wanted.target}: {target.reason}"] if target.reason else []
    for place, name in enumerate(file.names):
        role = file.roles[place]
        if role == "dropped":
            profiles.append(_unread(name, wanted))
            continue
        column = columns[name]
        if role != "feature":
            profiles.append(_of_a_part(column, role, target, file.columns[name]))
            continue
        finding = kind_of(column, wanted.types.get(name), lines)
        if finding.kind in FEATURES:
            values = values_of(column, finding.kind, lines)
            finding = _unless_repeated(finding, name, values, seen, column, columns[wanted.target], wanted)
            if finding.kind in FEATURES:
                features[name] = values
                notes += _gives_away(column, columns[wanted.target], target)
        profiles.append(_profile(column, finding))
    if not features:
        raise _nothing_left(profiles, wanted)
    own = {role: columns[name] for name, role in wanted.parts().items() if role != "target"}
    return Table(
        pd.DataFrame(features, copy=False),
        target.truth,
        wanted.target,
        int((~target.present).sum()),
        digest,
        target.task,
        tuple(profiles),
        groups_of(own["group"], lines) if "group" in own else None,
        times_of(own["time"], lines) if "time" in own else None,
        weights_of(own["weight"], lines) if "weight" in own else None,
        tuple(notes),
    )


def _unless_repeated(
    finding: Finding,
    name: str,
    values: "pd.Series[Any]",
    seen: dict[bytes, str],
    column: Spelled,
    target: Spelled,
    wanted: Wanted,
) -> Finding:
    """The same values as a column before, or the very texts of the target, are nothing to learn from."""
    if np.array_equal(column.codes, target.codes) and column.texts == target.texts:
        return Finding("duplicate", f"the same as the target {target.name!r} in every row")
    dtype = str(values.dtype)
    held = column.codes.tobytes() + repr(column.texts).encode() if dtype == "str" else values.to_numpy().tobytes()
    other = seen.setdefault(dtype.encode() + held, name)
    if other != name and name not in wanted.types:
        return Finding("duplicate", f"the same as {other!r} in every row")
    return finding


def _gives_away(column: Spelled, target: Spelled, read: Target) -> list[str]:
    """A column whose values stand one to one for the classes was perhaps made from them."""
    if read.task == "regression" or not np.array_equal(column.codes, target.codes):
        return []
    return [f"{column.name!r} has one value for each class of {target.name!r}; is it known before the answer is?"]


def _unread(name: str, wanted: Wanted) -> ColumnProfile:
    reason = "as --drop says" if name in wanted.drop else "not among --features"
    return ColumnProfile(name, "", "dropped", reason, 0, 0, [])


OF_A_PART: dict[Role, Kind] = {"group": "category", "time": "date", "weight": "number"}


def _of_a_part(column: Spelled, role: Role, target: Target, whole: Spelled) -> ColumnProfile:
    if role != "target":
        return _profile(column, Finding(OF_A_PART[role]), role)
    of_classes: Kind = "boolean" if target.truth.dtype == bool else "category"
    found = _profile(column, Finding("number" if target.task == "regression" else of_classes), role)
    missing = int(whole.counts()[whole.missing()].sum())
    reason = f"{missing} row{'s' if missing > 1 else ''} without it left out" if missing else ""
    return replace(found, reason=reason, missing=missing)


def _profile(column: Spelled, finding: Finding, role: Role | None = None) -> ColumnProfile:
    missing = column.missing()
    present = [text for text, gap in zip(column.texts, missing, strict=True) if not gap]
    return ColumnProfile(
        name=column.name,
        kind=finding.kind,
        role=role or ("feature" if finding.kind in FEATURES else "dropped"),
        reason=finding.reason,
        missing=int(column.counts()[missing].sum()),
        distinct=len(present),
        examples=present[:EXAMPLES],
    )


def _nothing_left(profiles: list[ColumnProfile], wanted: Wanted) -> Mistake:
    left = [one for one in profiles if one.role == "dropped" and one.kind]
    if all(one.kind in ("constant", "empty") for one in left):
        return Mistake("no feature varies; there is nothing to learn from")
    told = "; ".join(f"{one.name!r}: {one.reason}" for one in left[:5])
    return Mistake(f"no column beside {wanted.target!r} is left to learn from: {told}")
