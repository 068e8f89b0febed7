"""What is registered for a snapshot, as awslambdaric will run it."""

import io
import random
from collections.abc import Iterator

import joblib
import numpy as np
import pytest
import snapshot_restore_py
from awslambdaric import lambda_runtime_hooks_runner as runner
from sklearn.utils import check_random_state

from functions import snapshot


@pytest.fixture(autouse=True)
def _nothing_registered() -> Iterator[None]:
    registered = (snapshot_restore_py.get_before_snapshot(), snapshot_restore_py.get_after_restore())
    for hooks in registered:
        hooks.clear()
    yield
    for hooks in registered:
        hooks.clear()


def test_hooks_run_once_before_and_in_their_order_after_every_restore() -> None:
    ran: list[str] = []
    snapshot.take_part(
        before=lambda: ran.append("before"), after=(lambda: ran.append("first"), lambda: ran.append("second"))
    )
    runner.run_before_snapshot()
    assert ran == ["before"]
    runner.run_after_restore()
    assert ran == ["before", "first", "second"]


class Shaken:
    """A step as somebody may write one: it adds noise that scikit-learn's default generator draws."""

    def transform(self, rows: np.ndarray) -> np.ndarray:
        noise: np.ndarray = check_random_state(None).normal(size=rows.shape)
        shaken: np.ndarray = rows + noise
        return shaken


def test_a_pipelines_own_step_draws_other_numbers_in_each_that_is_restored_from_one_snapshot() -> None:
    snapshot.take_part(before=lambda: None, after=())
    kept = io.BytesIO()
    joblib.dump(Shaken(), kept)
    step = joblib.load(io.BytesIO(kept.getvalue()))
    rows, state = np.zeros((2, 3)), np.random.get_state()  # the generator that is meant
    answers = []
    try:
        for _ in range(2):
            np.random.set_state(state)  # the generator that is meant
            runner.run_after_restore()
            answers.append(step.transform(rows).tolist())
    finally:
        np.random.set_state(state)  # the generator that is meant
    assert answers[0] != answers[1]


def test_two_that_are_restored_from_one_snapshot_draw_different_numbers() -> None:
    snapshot.take_part(before=lambda: None, after=())
    state = random.getstate()
    drawn = set()
    try:
        for _ in range(2):
            random.setstate(state)
            runner.run_after_restore()
            drawn.add(random.getstate())
    finally:
        random.setstate(state)
    assert len(drawn) == 2
