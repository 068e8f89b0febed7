"""What was asked for on the command line, checked as far as no table is needed for it."""

import math
from dataclasses import dataclass, field
from pathlib import Path

from functions.gate import Limits
from functions.signature import Task
from training.endings import Mistake
from training.tables.columns import Kind
from training.tables.kinds import FEATURES
from training.tables.roles import Wanted
from training.workers import check_address

HELD_OUT = 0.2


@dataclass(frozen=True, slots=True)
class Order:
    """Exactly one of `store` and `output`; `alias` None moves none. command: the words that reproduce it.

    limits: what the gate asks; compared: the alias whose version it looks at. outcome: where to say what became of it.
    evidence: the run's name under which to leave what a later gate looks at, where that is to judge.
    """

    table: str
    wanted: Wanted
    name: str | None
    store: str | None
    output: Path | None
    alias: str | None
    separator: str | None
    seed: int
    by: str
    task: Task | None = None
    positive: str | None = None
    share: float = HELD_OUT
    models: bool = False
    pipeline: str | None = None
    jobs: int = 1
    scheduler: str | None = None
    command: str = ""
    compared: str = "live"
    limits: Limits = field(default_factory=Limits)
    outcome: Path | None = None
    evidence: str | None = None

    def __post_init__(self) -> None:
        if self.models and self.pipeline:
            raise Mistake("give --models or --pipeline, not both")
        if self.wanted.group is not None and self.wanted.time is not None:
            raise Mistake("give --group or --time, not both")
        if self.jobs == 0 or self.jobs < -1:
            raise Mistake(f"--jobs is {self.jobs}; give a number of processes, or -1 for one on each core")
        if self.scheduler is not None and self.jobs != 1:
            raise Mistake("give --jobs or --scheduler, not both")
        if self.scheduler is not None:
            check_address(self.scheduler)
        if not 0 <= self.share < 1:
            raise Mistake(f"--test-share is {self.share:g}; give a share of the rows from 0 to less than 1")
        if self.evidence is not None and self.limits != Limits():
            raise Mistake("--evidence leaves the judgement to a later gate; give it --min-score and --max-drop-vs-live")

    def parameters(self, own: str) -> dict[str, object]:
        """All that shapes the pipeline beside data and seed, JSON-ready; `own` is the user's pipeline's identity."""
        wanted = self.wanted
        return {
            "target": wanted.target,
            "features": sorted(wanted.features),
            "drop": sorted(wanted.drop),
            "types": dict(wanted.types),
            "group": wanted.group,
            "time": wanted.time,
            "weight": wanted.weight,
            "separator": self.separator,
            "task": self.task,
            "positive": self.positive,
            "share": self.share,
            "pipeline": own or ("models" if self.models else "reference"),
        }


def limits_of(min_score: float | None, max_drop: float | None) -> Limits:
    """Raises Mistake for what is no finite number."""
    limits = Limits(min_score, max_drop)
    for option, value in zip(limits.called, (min_score, max_drop), strict=True):
        if value is not None and not math.isfinite(value):
            raise Mistake(f"{option} is {value}; give a number")
    return limits


def kinds_of(given: tuple[str, ...]) -> dict[str, Kind]:
    """`column=kind`, each; the last `=` counts, for names may hold one. Raises Mistake."""
    kinds: dict[str, Kind] = {}
    for one in given:
        name, equals, kind = one.rpartition("=")
        known = [known for known in FEATURES if known == kind]
        if not equals or not known:
            raise Mistake(f"--type is {one!r}; write column=kind, with {', '.join(FEATURES)} for a kind")
        kinds[name.strip()] = known[0]
    return kinds


def task_of(given: str | None) -> Task | None:
    """Raises Mistake for any other word."""
    if given is None:
        return None
    tasks: dict[str, Task] = {"classification": "classification", "regression": "regression"}
    if given not in tasks:
        raise Mistake(f"--task is {given!r}; write classification or regression")
    return tasks[given]
