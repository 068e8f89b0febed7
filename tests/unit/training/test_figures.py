"""Figures are scikit-learn's own, weighed or not; intervals are a seeded bootstrap's, of groups where there are any."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from functions.signature import Feature, Signature
from training.evaluation.figures import of_classes, of_numbers
from training.evaluation.judged import Answers, metrics
from training.evaluation.resampling import draws
from training.evidence import Metric


def answers(seed: int, classes: int, rows: int = 60) -> tuple[Any, Any, Any, Any]:
    """Truth, labels, probabilities (many of them equal) and weights, some of them 0."""
    random = np.random.default_rng(seed)
    truth = np.append(np.arange(classes), random.integers(0, classes, rows - classes))
    raw = random.integers(1, 6, (rows, classes)).astype(float)
    raw[np.arange(rows), truth] += random.integers(0, 4, rows)
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    return truth, probabilities.argmax(axis=1), probabilities, random.integers(0, 4, rows).astype(float) + 0.5


@given(st.integers(0, 2**32), st.booleans())
def test_figures_of_two_classes_are_scikit_learns(seed: int, second: bool) -> None:
    truth, said, chances, weights = answers(seed, 2)
    positive = int(second)
    own = {name: float(of(weights[None])[0]) for name, of in of_classes(truth, said, chances, 2, positive).items()}
    true, score, given = truth == positive, chances[:, positive], {"sample_weight": weights}
    counted = {"labels": [positive], "average": "macro", "zero_division": 0, **given}
    assert own == pytest.approx({
        "accuracy": sk.accuracy_score(truth, said, **given),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, said, **given),
        "precision": sk.precision_score(truth, said, **counted),
        "recall": sk.recall_score(truth, said, **counted),
        "f1": sk.f1_score(truth, said, **counted),
        "roc_auc": sk.roc_auc_score(true, score, **given),
        "average_precision": sk.average_precision_score(true, score, **given),
        "log_loss": sk.log_loss(truth, chances, labels=[0, 1], **given),
    })  # fmt: skip


@given(st.integers(0, 2**32), st.integers(3, 5))
def test_figures_of_several_classes_are_scikit_learns(seed: int, classes: int) -> None:
    truth, said, chances, weights = answers(seed, classes)
    own = {name: float(of(weights[None])[0]) for name, of in of_classes(truth, said, chances, classes, 0).items()}
    given = {"sample_weight": weights}
    areas = [sk.roc_auc_score(truth == place, chances[:, place], **given) for place in range(classes)]
    assert own == pytest.approx({
        "accuracy": sk.accuracy_score(truth, said, **given),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, said, **given),
        "f1_macro": sk.f1_score(truth, said, average="macro", **given),
        "roc_auc_macro": np.mean(areas),
        "log_loss": sk.log_loss(truth, chances, labels=list(range(classes)), **given),
    })  # fmt: skip


@given(st.integers(0, 2**32))
def test_figures_of_numbers_are_scikit_learns(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth, weights = random.normal(1e6, 3, 40), random.integers(1, 4, 40).astype(float)
    said = truth + random.normal(size=40)
    own = {name: float(of(weights[None])[0]) for name, of in of_numbers(truth, said).items()}
    given = {"sample_weight": weights}
    assert own == pytest.approx({
        "r2": sk.r2_score(truth, said, **given),
        "rmse": sk.root_mean_squared_error(truth, said, **given),
        "mae": sk.mean_absolute_error(truth, said, **given),
    }, rel=1e-6)  # fmt: skip


FLAG = Signature("classification", [Feature("x", "float64", False)], "y", ["no", "yes"])


def judged(right: Any, *, seed: int = 0, groups: Any = None) -> dict[str, Metric]:
    """Of a classifier that answers rightly there, of rows that are yes every second time."""
    truth = np.array(["no", "yes"] * (len(right) // 2), dtype=object)
    said = np.where(right, truth, np.where(truth == "no", "yes", "no")).astype(object)
    guesses = Answers(np.full(len(truth), "no", dtype=object), None)
    found = metrics(truth, Answers(said, None), guesses, FLAG, seed=seed, groups=groups)
    return {one.name: one for one in found}


def test_an_interval_holds_the_figure_and_the_same_seed_gives_the_same_one() -> None:
    right = np.arange(100) % 5 != 0
    accuracy = judged(right)["accuracy"]
    assert (accuracy.value, accuracy.baseline, accuracy.greater) == (0.8, 0.5, True)
    # Of a proportion the normal approximation is known: 0.8 ± 1.96 * sqrt(0.8 * 0.2 / 100)
    assert [accuracy.low, accuracy.high] == pytest.approx([0.72, 0.88], abs=0.02)
    assert judged(right) == judged(right)
    assert judged(right) != judged(right, seed=1)


def test_of_groups_that_are_right_or_wrong_as_a_whole_the_interval_is_wider() -> None:
    groups = np.arange(100) // 10
    right = groups % 5 != 0
    alone, together = judged(right)["accuracy"], judged(right, groups=groups)["accuracy"]
    assert alone.low is not None
    assert together.low is not None
    assert together.low < alone.low - 0.1


def test_all_right_on_few_rows_proves_little() -> None:
    accuracy = judged(np.ones(30, dtype=bool))["accuracy"]
    assert [accuracy.value, accuracy.low, accuracy.high] == pytest.approx([1.0, 0.8843, 1.0], abs=1e-4)


def test_whole_groups_are_drawn() -> None:
    groups = np.repeat(np.arange(20), 3)
    for drawn in draws(60, 0, groups=groups):
        by_group = drawn.reshape(len(drawn), 20, 3)
        assert (by_group == by_group[:, :, :1]).all()
        assert (by_group[:, :, 0].sum(axis=1) == 20).all()
