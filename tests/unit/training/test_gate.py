"""The gate says yes or no by figures alone, and says why."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.gate import Comparison, Figure, Limits, Verdict, judge
from training.endings import Mistake
from training.order import limits_of

LIVE = "20261122T195207Z-1f0c9a2b"
REACHED = Figure("accuracy", 0.9, "30 held-out rows")
FINITE = st.floats(-10, 10)


def test_without_limits_everything_passes_and_nothing_is_told() -> None:
    assert judge(Limits(), Figure("R²", -3.0, "30 held-out rows"), None) == Verdict()


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        (0.9, Verdict((), ("gate: accuracy 0.9 on 30 held-out rows, at least the 0.9 of --min-score",))),
        (0.91, Verdict(("accuracy 0.9 on 30 held-out rows, less than the 0.91 of --min-score",), ())),
    ],
)
def test_a_least_score_is_reached_or_not(asked: float, verdict: Verdict) -> None:
    assert judge(Limits(min_score=asked), REACHED, None) == verdict


@pytest.mark.parametrize(
    ("asked", "passed", "words"),
    [
        (0.05, True, "within the 0.05"),
        (0.049, False, "further behind than the 0.049"),
        (0.0, False, "further behind than the 0"),
        (-0.01, False, "further behind than the -0.01"),
    ],
)
def test_a_version_may_fall_behind_the_live_one_by_so_much(asked: float, passed: bool, words: str) -> None:
    verdict = judge(Limits(max_drop=asked), REACHED, Comparison(LIVE, 0.9, 0.95, 30, notes=("as it is",)))
    line = f"accuracy 0.9 against 0.95 of the live {LIVE} on the same 30 rows, {words} of --max-drop-vs-live"
    expected = Verdict((), (f"gate: {line}", "gate: as it is")) if passed else Verdict((line,), ("gate: as it is",))
    assert verdict == expected


def test_where_nothing_is_live_there_is_nothing_to_fall_behind() -> None:
    verdict = judge(Limits(max_drop=0.0), REACHED, Comparison(None))
    assert verdict == Verdict((), ("gate: nothing is live yet, so there is nothing to fall behind",))


def test_what_cannot_be_compared_does_not_pass() -> None:
    verdict = judge(Limits(max_drop=1.0), REACHED, Comparison(LIVE, problem="it takes x, which this one does not"))
    assert verdict == Verdict((f"it cannot be compared with the live {LIVE}: it takes x, which this one does not",), ())


def test_every_reason_is_said() -> None:
    verdict = judge(Limits(0.95, 0.0), REACHED, Comparison(LIVE, 0.9, 0.95, 30))
    assert len(verdict.reasons) == 2


@pytest.mark.parametrize(("own", "live"), [(math.nan, 0.5), (0.5, math.nan), (math.nan, math.nan)])
def test_a_figure_that_is_no_number_passes_nothing(own: float, live: float) -> None:
    assert not judge(Limits(max_drop=1.0), REACHED, Comparison(LIVE, own, live, 30)).passed
    assert not judge(Limits(min_score=0.0), Figure("accuracy", math.nan, "30 rows"), None).passed


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_limit_that_is_no_number_is_a_mistake(value: float) -> None:
    for limits, option in (((value, None), "--min-score"), ((None, value), "--max-drop-vs-live")):
        with pytest.raises(Mistake) as raised:
            limits_of(*limits)
        assert str(raised.value) == f"{option} is {value}; give a number"


@given(limit=FINITE, drop=FINITE, own=FINITE, live=FINITE, better=st.floats(0, 5))
def test_a_better_version_is_never_refused_where_a_worse_one_passes(
    limit: float, drop: float, own: float, live: float, better: float
) -> None:
    def passes(value: float) -> bool:
        return judge(Limits(limit, drop), Figure("R²", value, "rows"), Comparison(LIVE, value, live, 9)).passed

    assert passes(own + better) or not passes(own)
