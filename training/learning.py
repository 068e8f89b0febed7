"""From a table to evidence: split, search, judge on rows that no search saw, then fit on all. It publishes nothing."""

from typing import Any

import numpy as np
from sklearn.base import clone

from functions.signature import Label, Signature
from training.endings import Mistake
from training.evaluation.judged import Answers, answers_of, dummy, fold_answers, metrics
from training.evidence import Evidence, HeldOut
from training.models.own import Own
from training.models.plan import Plan, weighted
from training.models.reference import linear
from training.models.shortlist import shortlist
from training.order import Order
from training.progress import Narrator
from training.search import SCORING, Found, Rows, Where, refitted, search
from training.splitting import Split, split
from training.tables.table import Table

PUBLISHED = (
    "the published pipeline is the chosen one fitted again on all {all} rows; the figures are of the one fitted on the "
    "{train} that were not held out"
)


def learn(order: Order, table: Table, signature: Signature, brought: Own | None, narrator: Narrator) -> Evidence:
    """The same table and order give the same evidence. Raises Mistake."""
    positive = _positive(order, signature)
    cut = split(table.labels, table.task, share=order.share, seed=order.seed, groups=table.groups, times=table.times)
    narrator.say(cut.words)
    plans = _plans(order, signature, cut, brought)
    strict = table.groups is not None or table.times is not None
    rows = Rows(
        table.features.iloc[cut.train], table.labels[cut.train], _of(table.weights, cut.train), cut.folds, strict
    )
    where = Where(order.jobs, order.scheduler, (brought.module,) if brought else ())
    found = search(plans, rows, table.task, where=where, narrator=narrator)
    published = None
    notes = [*table.notes, *found.plan.notes, *found.warnings]
    if cut.test is not None:
        published = refitted(found, table.features, table.labels, table.weights)
        notes.append(PUBLISHED.format(all=len(table.labels), train=len(cut.train)))
    held_out, tested, answers, guesses = _judged(table, signature, cut, rows, found)
    return Evidence(
        signature=signature,
        columns=list(table.columns),
        rows=len(table.labels),
        dropped_rows=table.dropped,
        split=cut.words,
        scoring=_scoring(brought, table),
        candidates=found.candidates,
        best=found.best,
        train=rows.features,
        train_truth=rows.truth,
        held_out=held_out,
        metrics=metrics(
            table.labels[tested],
            answers,
            guesses,
            signature,
            seed=order.seed,
            positive=positive,
            weights=_of(table.weights, tested),
            groups=_of(table.groups, tested),
        ),
        pipeline=found.pipeline,
        seed=order.seed,
        command=order.command,
        notes=notes,
        published=published,
        positive=positive,
    )


def _judged(
    table: Table, signature: Signature, cut: Split, rows: Rows, found: Found
) -> tuple[HeldOut | None, Any, Answers, Answers]:
    """The held-out rows, or None; the places of the rows that are judged; what pipeline and dummy say of them."""
    if cut.test is None:
        some, answers = fold_answers(found.unfitted, rows.features, rows.truth, rows.weights, rows.folds, signature)
        _, guesses = fold_answers(dummy(signature), rows.features, rows.truth, rows.weights, rows.folds, signature)
        return None, cut.train[some], answers, guesses
    features = table.features.iloc[cut.test]
    answers = answers_of(found.pipeline, features, signature)
    blind = clone(dummy(signature))
    blind.fit(rows.features, rows.truth, **weighted(blind, rows.weights))
    weights = _of(table.weights, cut.test)
    held_out = HeldOut(features, table.labels[cut.test], answers.predicted, answers.probabilities, weights)
    return held_out, cut.test, answers, answers_of(blind, features, signature)


def _plans(order: Order, signature: Signature, cut: Split, brought: Own | None) -> list[Plan]:
    if brought is not None:
        return [brought.plan]
    rows = min(len(train) for train, _ in cut.folds)
    if order.models:
        return shortlist(signature, rows, order.seed)
    return [linear(signature, rows, order.seed)]


def _scoring(brought: Own | None, table: Table) -> str:
    """A user's search may have a score of its own."""
    own = getattr(brought.plan.estimator, "scoring", None) if brought and brought.plan.searches else None
    if own is None:
        return SCORING[table.task]
    return own if isinstance(own, str) else "its own score"


def _positive(order: Order, signature: Signature) -> Label | None:
    """Of two classes the one that was named, else the last, as scikit-learn has it."""
    if order.positive is None:
        return signature.classes[-1] if len(signature.classes) == 2 else None
    if len(signature.classes) != 2:
        number = len(signature.classes) or "no"
        raise Mistake(f"--positive-class is for two classes, and {signature.target!r} has {number}")
    for label in signature.classes:
        if order.positive in (str(label), str(label).lower()):
            return label
    first, second = signature.classes
    raise Mistake(f"--positive-class is {order.positive!r}; the classes are {first!r} and {second!r}")


def _of(values: Any, rows: Any) -> Any:
    return None if values is None else np.asarray(values)[rows]
