"""One run of `fit`, from the order to the published version, in the order of its steps."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from functions.registry.manifest import Engine
from functions.registry.store import open_store
from training import versions
from training.describe import describe
from training.destinations import Destination, PlainFiles, Registry
from training.endings import Mistake
from training.fit import Fitted, fit
from training.progress import Narrator
from training.publication import Identity, assemble
from training.stopping import unstoppable
from training.table import Table, read_table
from training.target import FOLDS

MOST_CLASSES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for on the command line. Exactly one of `store` and `output`; `alias` None moves none."""

    table: Path
    target: str
    name: str | None
    store: str | None
    output: Path | None
    alias: str | None
    drop: tuple[str, ...]
    separator: str | None
    seed: int
    by: str


def run(order: Order) -> None:
    """Reads, checks the destination, fits, proves, publishes, telling each step. Raises what `endings` knows."""
    narrator = Narrator()
    destination, name = _destination(order)
    table = read_table(order.table, order.target, drop=order.drop, separator=order.separator)
    signature = describe(table)
    narrator.say(_read(order, table))
    identity = _identity(order, name, table)
    destination.check(identity.name, identity.version)
    fitted = fit(table.features, table.labels, seed=order.seed, narrator=narrator)
    for line in _chosen(fitted):
        narrator.say(line)
    artifact = order.output.name if order.output else "model.joblib"
    publication = assemble(identity, table, signature, fitted, artifact)
    narrator.say(_served_by(publication.manifest.engine))
    narrator.say(f"checked: it loads, and its {len(publication.manifest.golden)} golden rows come out the same")
    with unstoppable():
        told = destination.publish(publication)
        for line in (_scores(fitted), *told):
            narrator.say(line)


def _destination(order: Order) -> tuple[Destination, str]:
    if order.store and order.output:
        raise Mistake("give --store or --output, not both")
    if order.store:
        if not order.name:
            raise Mistake("--store needs --name, the model's name in the registry")
        return Registry(open_store(order.store), order.alias, order.by), order.name
    if order.output:
        return PlainFiles(order.output), order.name or _named_after(order.output)
    raise Mistake("say where to publish: --store s3://bucket[/prefix] or a folder, or --output model.joblib")


def _named_after(output: Path) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", output.stem).strip("-._")[:100] or "model"


def _identity(order: Order, name: str, table: Table) -> Identity:
    created = datetime.now(UTC).replace(microsecond=0)
    libraries = versions.libraries()
    parameters = {"target": table.target, "drop": sorted(order.drop), "folds": FOLDS, "pipeline": "reference"}
    version = versions.version_id(created, table.sha256, parameters, order.seed, libraries)
    return Identity(name, version, created, libraries, versions.git_commit(Path(__file__).parent.parent))


def _read(order: Order, table: Table) -> str:
    rows, columns = table.features.shape
    classes, counts = np.unique(table.labels, return_counts=True)
    shown = [f"{label} {count}" for label, count in zip(classes.tolist(), counts.tolist(), strict=True)]
    few = ", ".join(shown[:MOST_CLASSES_SHOWN]) + (", ..." if len(shown) > MOST_CLASSES_SHOWN else "")
    dropped = f"; {table.dropped} without a target left out" if table.dropped else ""
    gaps = [str(name) for name in table.features.columns if table.features[name].isna().any()]
    medians = f"; medians stand in for what is missing in {', '.join(gaps)}" if gaps else ""
    return (
        f"read {order.table}: {rows} rows, {columns} feature{'s' if columns > 1 else ''}, "
        f"{table.target} with {len(classes)} classes ({few}){dropped}{medians}"
    )


def _chosen(fitted: Fitted) -> list[str]:
    chosen = fitted.best.parameters
    width = chosen["reduce__n_components"]
    best = f"{width} PCA component{'s' if width > 1 else ''}, C={chosen['classify__C']:g}"
    return [
        *(f"note: {warning}" for warning in fitted.warnings),
        f"chose {best} out of {len(fitted.candidates)} candidates",
    ]


def _served_by(engine: Engine) -> str:
    if engine.parity is None:
        return f"served by scikit-learn: {engine.reason}"
    same = f"the same labels on {engine.parity.rows} rows, numbers within {engine.tolerance:g}"
    return f"served by its ONNX twin, in {engine.parity.precision} precision: {same}"


def _scores(fitted: Fitted) -> str:
    return (
        f"accuracy {fitted.best.accuracy:.3f} ± {fitted.best.std:.3f} in {FOLDS}-fold cross-validation; "
        f"always answering the commonest class: {fitted.baseline:.3f}"
    )
