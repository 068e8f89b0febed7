"""One run of `fit`, from the order to the published version, in the order of its steps."""

import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from functions.gate import judge
from functions.registry.evidence import Evidence as RunEvidence
from functions.registry.manifest import Manifest
from functions.registry.store import open_store
from functions.signature import Signature
from training import learning, outcome, versions
from training.describe import describe
from training.destinations import Destination, PlainFiles, Registry
from training.endings import Mistake, Refused
from training.evidence import Candidate, Evidence
from training.judging import looked_at
from training.models.own import Own, own
from training.order import Order
from training.progress import Narrator
from training.publication import Identity, assemble
from training.stopping import unstoppable
from training.tables.show import lines_of
from training.tables.table import Table, called, read_table
from training.tables.target import FOLDS

MOST_CLASSES_SHOWN = 10


def run(order: Order) -> None:
    """Reads, checks the destination, fits, proves, publishes, telling each step. Raises what `endings` knows."""
    pd.set_option("mode.string_storage", "python")  # as in the functions, which have no pyarrow
    narrator = Narrator()
    destination, name = _destination(order)
    table = read_table(order.table, order.wanted, separator=order.separator, task=order.task)
    signature = describe(table)
    for line in (*lines_of(table.columns), _read(order, table)):
        narrator.say(line)
    brought = own(order.pipeline, signature, order.seed) if order.pipeline else None
    known = brought.plan.notes if brought else ()  # before a fit that may be long
    for note in known:
        narrator.say(f"note: {note}")
    identity = _identity(order, name, table, brought)
    destination.check(identity.name, identity.version)
    if order.limits.max_drop is not None:
        destination.live(name)
    if order.evidence is not None:
        destination.check_evidence(name, order.evidence)
    evidence = learning.learn(order, table, signature, brought, narrator)
    for line in (*(f"note: {note}" for note in evidence.notes if note not in known), _chosen(evidence)):
        narrator.say(line)
    artifact = order.output.name if order.output else "model.joblib"
    publication = assemble(identity, table, evidence, artifact)
    narrator.say(_served_by(publication.manifest))
    narrator.say(f"checked: it loads, and its {len(publication.manifest.golden)} golden rows come out the same")
    beside_live = order.limits.max_drop is not None or order.evidence is not None
    figure, comparison = looked_at(evidence, destination, name, table.sha256, live=beside_live)
    verdict = judge(order.limits, figure, comparison)
    with unstoppable():
        published = destination.publish(publication, promote=verdict.passed)
        left = []
        if order.evidence is not None and comparison is not None:
            found = RunEvidence.of(order.evidence, identity.version, figure, comparison)
            left = destination.leave_evidence(name, found)
        for line in (*_scores(evidence, signature), *verdict.told, *published.told, *left):
            narrator.say(line)
        if order.outcome is not None:
            outcome.write(order.outcome, outcome.outcome_of(publication.manifest, published.alias, verdict.reasons))
    if not verdict.passed:
        done = "published" if order.store else "written"
        raise Refused(f"{name} {identity.version} is {done} and not promoted: {'; '.join(verdict.reasons)}")


def _destination(order: Order) -> tuple[Destination, str]:
    if order.store and order.output:
        raise Mistake("give --store or --output, not both")
    if order.store:
        if not order.name:
            raise Mistake("--store needs --name, the model's name in the registry")
        return Registry(open_store(order.store), order.alias, order.by, order.compared), order.name
    if order.evidence is not None:
        raise Mistake("--evidence needs --store, where a gate will look for it")
    if order.output:
        return PlainFiles(order.output), order.name or _named_after(order.output)
    raise Mistake("say where to publish: --store s3://bucket[/prefix] or a folder, or --output model.joblib")


def _named_after(output: Path) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", output.stem).strip("-._")[:100] or "model"


def _identity(order: Order, name: str, table: Table, brought: Own | None) -> Identity:
    created = datetime.now(UTC).replace(microsecond=0)
    libraries = versions.libraries()
    parameters = {**order.parameters(brought.identity if brought else ""), "folds": FOLDS}
    version = versions.version_id(created, table.sha256, parameters, order.seed, libraries)
    return Identity(name, version, created, libraries, versions.git_commit(Path(__file__).parent.parent))


def _read(order: Order, table: Table) -> str:
    rows, columns = table.features.shape
    dropped = f"; {table.dropped} without a target left out" if table.dropped else ""
    what = f"read {called(order.table)}: {rows} rows, {columns} feature{'s' if columns > 1 else ''}, {table.target}"
    if table.task == "regression":
        low, middle, high = np.quantile(table.labels, [0, 0.5, 1])
        return f"{what} is a number ({low:g} to {high:g}, half of it up to {middle:g}){dropped}"
    classes, counts = np.unique(table.labels, return_counts=True)
    shown = [f"{label} {count}" for label, count in zip(classes.tolist(), counts.tolist(), strict=True)]
    few = ", ".join(shown[:MOST_CLASSES_SHOWN]) + (", ..." if len(shown) > MOST_CLASSES_SHOWN else "")
    return f"{what} with {len(classes)} classes ({few}){dropped}"


def _chosen(evidence: Evidence) -> str:
    best = evidence.candidates[evidence.best]
    several = len({one.model for one in evidence.candidates}) > 1
    what = ", ".join([*([best.model] if several else []), *_words(best)])
    return f"chose {what or best.model} out of {len(evidence.candidates)} candidate" + "s" * (
        len(evidence.candidates) > 1
    )


def _words(best: Candidate) -> list[str]:
    """`3 PCA components, C=10`, and for others `max_depth=3`."""
    words = []
    for name, value in sorted(best.parameters.items(), reverse=True):
        shown = f"{value:g}" if isinstance(value, float) else " ".join(str(value).split())
        if name == "reduce__n_components":
            words.append(f"{value} PCA component{'s' if value > 1 else ''}")
        else:
            words.append(f"{name.rpartition('__')[2]}={shown[:60]}")
    return words


def _served_by(manifest: Manifest) -> str:
    engine = manifest.engine
    if engine.parity is None:
        return f"served by scikit-learn: {engine.reason}"
    same = "the same labels" if manifest.task == "classification" else "the same answers"
    return (
        f"served by its ONNX twin, in {engine.parity.precision} precision: {same} on {engine.parity.rows} rows, "
        f"numbers within {engine.tolerance:g}"
    )


def _scores(evidence: Evidence, signature: Signature) -> list[str]:
    best = evidence.candidates[evidence.best]
    main = evidence.metrics[0]
    name = {"accuracy": "accuracy", "r2": "R²"}[main.name]
    on = f"{len(evidence.held_out.truth)} held-out rows" if evidence.held_out else "the folds' own rows"
    within = f" (95 % interval {main.low:.3f} to {main.high:.3f})" if main.low is not None else ""
    guess = "always answering the commonest class" if signature.task == "classification" else "always the mean"
    searched = {"accuracy": "accuracy", "r2": "R²"}.get(evidence.scoring, evidence.scoring)
    return [
        f"{searched} {best.mean:.3f} ± {best.std:.3f} in {len(best.fold_scores)}-fold cross-validation",
        f"{name} {main.value:.3f}{within} on {on}; {guess}: {main.baseline:.3f}",
    ]
