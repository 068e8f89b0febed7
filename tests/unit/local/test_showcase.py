"""The demo's own checks notice what they are there to notice."""

from collections.abc import Callable

import pytest

from local.showcase import BAD_LINE, DROPPED, NotAsShown, check_answer, check_results, good_rows

LABELS = ["setosa", "versicolor", "virginica", "setosa", "versicolor", "virginica"]
ROWS = {"input": 7, "scored": 6, "rejected": 1, "blank": 0}
LINES = DROPPED.splitlines()
BAD = LINES.pop(BAD_LINE - 1)
SCORED = b"".join(
    line + b"," + label.encode() + b"\n" for line, label in zip(LINES, ["prediction", *LABELS], strict=True)
)
REJECTED = b"line,reason,message,record\n5,not_a_number,\"column 'petal_width': found 'wide'\",\"" + BAD + b'"\n'


def test_what_should_come_back_passes() -> None:
    check_results(SCORED, REJECTED, ROWS, LABELS)
    check_answer({"predictions": ["setosa"], "probabilities": [{"setosa": 0.75, "virginica": 0.25}]}, ["setosa"])


def test_the_good_rows_are_the_files_own_in_the_models_order() -> None:
    rows = good_rows(["sepal_length", "sepal_width", "petal_length", "petal_width"])
    assert len(rows) == 6
    assert rows[:3] == [[5.1, 3.5, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4], [6.3, 3.3, 6.0, 2.5]]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: check_results(SCORED.replace(b"5.10", b"5.1"), REJECTED, ROWS, LABELS),
        lambda: check_results(SCORED.replace(b",setosa\n", b",virginica\n", 1), REJECTED, ROWS, LABELS),
        lambda: check_results(SCORED.rpartition(b"2.1")[0], REJECTED, ROWS, LABELS),
        lambda: check_results(SCORED, REJECTED.replace(b"5,not", b"6,not"), ROWS, LABELS),
        lambda: check_results(SCORED, REJECTED.replace(b"not_a_number", b""), ROWS, LABELS),
        lambda: check_results(SCORED, REJECTED.replace(b"Fisher", b"fisher"), ROWS, LABELS),
        lambda: check_results(SCORED, REJECTED, ROWS | {"blank": 1}, LABELS),
        lambda: check_answer({"predictions": ["virginica"], "probabilities": [{"virginica": 1.0}]}, ["setosa"]),
        lambda: check_answer({"predictions": ["setosa"], "probabilities": [{"setosa": 0.99}]}, ["setosa"]),
    ],
)
def test_anything_else_is_noticed(wrong: Callable[[], None]) -> None:
    with pytest.raises(NotAsShown):
        wrong()
