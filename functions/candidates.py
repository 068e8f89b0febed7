"""Newly trained versions on their way before users: judged by what their training left, promoted, told of.

Nothing is trained here, and no step knows another: each looks at the registry anew, so any of them may run twice.
"""

from typing import Literal

import msgspec

from functions import loader
from functions.errors import ModelNotFound, ModelRefused, PreconditionFailed
from functions.gate import Limits, Verdict, judge
from functions.registry import alias as aliases
from functions.registry import evidence as evidences
from functions.registry import keys
from functions.registry.evidence import Evidence
from functions.registry.store import Store

Decision = Literal["passed", "refused", "overtaken", "outdated"]
LONGEST_SUBJECT = 100  # characters; source: Amazon SNS API Reference, "Publish"


class Notice(msgspec.Struct, frozen=True):
    """What a person is told: a line of ASCII, and a text."""

    subject: str
    message: str


class Judged(msgspec.Struct, frozen=True):
    """decision: passed; refused by the gate, or by the loader; overtaken, a newer version is live; outdated, another
    is live than the one it was compared with.

    live: what the alias names now; seen: its ETag, from which alone a promotion may start. None where there is none.
    """

    decision: Decision
    version: str
    live: str | None
    seen: str | None
    reasons: tuple[str, ...]
    notice: Notice


class Promoted(msgspec.Struct, frozen=True):
    decision: Literal["promoted"]
    version: str
    previous: str | None
    notice: Notice


class Candidates:
    """Of one model and the alias that its functions follow."""

    def __init__(self, store: Store, name: str, alias: str, limits: Limits) -> None:
        self._store = store
        self._name = name
        self._alias = alias
        self._limits = limits

    def judge(self, run: str, execution: str) -> Judged:
        """What the version of this run of training may do. Raises ObjectNotFound without evidence, StoreError."""
        evidence = evidences.read(self._store, self._name, run)
        found = aliases.seen(self._store, self._name, self._alias)
        live = found.alias.version if found.alias else None
        decision, reasons = self._decide(evidence, live)
        notice = self._notice(decision, evidence, live, reasons, execution)
        return Judged(decision, evidence.version, live, found.etag, reasons, notice)

    def promote(self, run: str, seen: str | None, execution: str) -> Promoted:
        """Moves the alias, if it still is as the judgement saw it. Raises PreconditionFailed where it is not.

        Where it names the version already it stays: the promotion was made before, by this very step.
        """
        evidence = evidences.read(self._store, self._name, run)
        found = aliases.seen(self._store, self._name, self._alias)
        is_there = found.alias is not None and found.alias.version == evidence.version
        if found.etag != seen and not is_there:
            raise PreconditionFailed(f"{self._alias} of {self._name} was moved since it was judged; judge again")
        by = f"retraining {execution.rpartition(':')[2]}"
        now = aliases.move(self._store, self._name, self._alias, evidence.version, by=by, found=found)
        before = f", before it {now.previous}" if now.previous else ""
        back = f"Back: python -m training rollback {self._options}" if now.previous else ""
        lines = [
            f"{self._name} {now.version} is {self._alias} now{before}.",
            *self._figures(evidence),
            "",
            self._card(evidence),
            *([back] if back else []),
            _told_by(execution),
        ]
        notice = _notice(f"{self._name}: {now.version} is {self._alias}", lines)
        return Promoted("promoted", now.version, now.previous, notice)

    def failed(self, why: str, execution: str) -> Notice:
        """What to tell of an execution that failed for this reason."""
        alias = aliases.seen(self._store, self._name, self._alias).alias
        lines = [
            f"Retraining {self._name} failed: {why}",
            "",
            f"{self._alias} {f'is {alias.version}' if alias else 'names nothing yet'}.",
            _told_by(execution),
        ]
        return _notice(f"{self._name}: retraining failed", lines)

    def _decide(self, evidence: Evidence, live: str | None) -> tuple[Decision, tuple[str, ...]]:
        if live == evidence.version:
            return "passed", ()
        if live is not None and live > evidence.version:  # a version's name begins with its time
            return "overtaken", (f"{live}, which is newer, is {self._alias} already",)
        if self._limits.max_drop is not None and evidence.compared.version != live:
            with_what = evidence.compared.version or "nothing"
            return "outdated", (f"it was compared with {with_what}, and {self._alias} is {live or 'nothing'} now",)
        refused = (*self._verdict(evidence).reasons, *self._refused_by_the_loader(evidence.version))
        return ("refused" if refused else "passed"), refused

    def _verdict(self, evidence: Evidence) -> Verdict:
        return judge(self._limits, evidence.figure, evidence.comparison)

    def _refused_by_the_loader(self, version: str) -> tuple[str, ...]:
        """Loads it as predict will, by the very image: what it would refuse is not promoted."""
        try:
            loader.load_version(self._store, self._name, version)
        except (ModelRefused, ModelNotFound) as error:
            return (f"the functions would refuse it: {error.message}",)
        return ()

    def _notice(
        self, decision: Decision, evidence: Evidence, live: str | None, reasons: tuple[str, ...], execution: str
    ) -> Notice:
        told = {
            "passed": "passed the gate",
            "refused": "was refused by the gate",
            "overtaken": "was overtaken",
            "outdated": "was compared with what is no longer live",
        }[decision]
        lines = [
            f"{self._name} {evidence.version} is published and {told}.",
            *(f"- {reason}" for reason in reasons),
            f"{self._alias} {f'is {live}' if live else 'names nothing yet'}.",
            "",
            *self._figures(evidence),
            self._card(evidence),
            f"To promote it all the same: python -m training promote {evidence.version} {self._options}",
            _told_by(execution),
        ]
        return _notice(f"{self._name}: {evidence.version} {told}", lines)

    def _figures(self, evidence: Evidence) -> list[str]:
        figure, one = evidence.figure, evidence.comparison
        lines = [f"{figure.name} {figure.value:.4g} on {figure.on}."]
        if one.version is None:
            return lines
        if one.problem:
            return [*lines, f"It could not be compared with {one.version}: {one.problem}."]
        beside = f"{figure.name} {one.own:.4g} against {one.live:.4g} of {one.version} on the same {one.rows} rows."
        return [*lines, beside, *(f"{note[0].upper()}{note[1:]}." for note in one.notes)]

    def _card(self, evidence: Evidence) -> str:
        return f"Its card: {self._store.url}/{keys.version_folder(self._name, evidence.version)}report.html"

    @property
    def _options(self) -> str:
        return f"--name {self._name} --store {self._store.url} --alias {self._alias}"


def _told_by(execution: str) -> str:
    return f"Execution: {execution}"


def _notice(subject: str, lines: list[str]) -> Notice:
    return Notice(subject[:LONGEST_SUBJECT], "\n".join(lines) + "\n")
