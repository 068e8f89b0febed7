"""What is registered for a snapshot, as awslambdaric will run it."""

import random
from collections.abc import Iterator

import pytest
import snapshot_restore_py
from awslambdaric import lambda_runtime_hooks_runner as runner

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
