"""Which column plays which part, as the command line names them. It sees names alone."""

from collections import Counter
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal, TypeAlias

from training.endings import Mistake
from training.tables.columns import Kind

Role: TypeAlias = Literal["feature", "target", "group", "time", "weight", "dropped"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for, by column. features: only these, where any are named. types: the kind of some."""

    target: str
    features: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    types: dict[str, Kind] = field(default_factory=dict)
    group: str | None = None
    time: str | None = None
    weight: str | None = None

    def parts(self) -> dict[str, Role]:
        """The columns that are no features, by name."""
        named: list[tuple[str, Role, str | None]] = [
            ("--target", "target", self.target),
            ("--group", "group", self.group),
            ("--time", "time", self.time),
            ("--weight", "weight", self.weight),
        ]
        parts: dict[str, Role] = {}
        for option, role, name in named:
            if name is None:
                continue
            if name in parts:
                raise Mistake(f"{name!r} is the {parts[name]} and cannot be {option} as well")
            parts[name] = role
        return parts


def assign(names: list[str], wanted: Wanted) -> dict[int, Role]:
    """The role of every column of the header, by place. Raises Mistake for names that cannot be meant."""
    parts = wanted.parts()
    for option, chosen in (
        ("to drop", wanted.drop),
        ("for --features", wanted.features),
        ("for --type", tuple(wanted.types)),
        *((f"for --{role}", (name,)) for name, role in parts.items()),
    ):
        for name in chosen:
            if name not in names:
                raise Mistake(f"there is no column {name!r} {option}; {_there_are(names, name)}")
    for name, role in parts.items():
        if name in wanted.drop:
            raise Mistake(f"{name!r} is the {role} and cannot be dropped")
        if name in wanted.features:
            raise Mistake(f"{name!r} is the {role} and cannot be a feature")
    for name in wanted.features:
        if name in wanted.drop:
            raise Mistake(f"{name!r} is given to --features and to --drop; leave out one")
    roles: dict[int, Role] = {
        place: parts.get(name) or ("dropped" if _left_out(name, wanted) else "feature")
        for place, name in enumerate(names)
    }
    _refuse_unclear(names, roles)
    if "feature" not in roles.values():
        raise Mistake(
            f"there is no column beside {wanted.target!r} to learn from; is the separator right? (--separator)"
        )
    return roles


def _left_out(name: str, wanted: Wanted) -> bool:
    return name in wanted.drop or bool(wanted.features and name not in wanted.features)


def _refuse_unclear(names: list[str], roles: dict[int, Role]) -> None:
    kept = [name for place, name in enumerate(names) if roles[place] != "dropped"]
    repeated = [name for name, times in Counter(kept).items() if times > 1]
    if repeated:
        raise Mistake(f"there is more than one column {repeated[0]!r}; rename them, so that each name stands once")
    if "" in kept:
        raise Mistake(f"column {names.index('') + 1} has no name; name it, or leave it out with --drop ''")


def _there_are(names: list[str], wanted: str) -> str:
    near = get_close_matches(wanted, names, n=1)
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return f"the columns are {shown}" + (f"; did you mean {near[0]!r}?" if near else "")
