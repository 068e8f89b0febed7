from collections.abc import Callable

import pytest

from functions.errors import DropRefused, OutOfTime
from functions.scoring.pace import Pace

MB = 1_000_000


class Clock:
    def __init__(self, whole: float) -> None:
        self.now = 0.0
        self.whole = whole

    def __call__(self) -> float:
        return self.now

    def left(self) -> float:
        return self.whole - self.now


def run(size: int, rate: float, whole: float, *, spent: float = 0.0, first: float = 0.0) -> float:
    """Reads `size` bytes at `rate` in blocks of an eighth of a second; gives the time when all is read."""
    clock = Clock(whole)
    clock.now = spent
    read(clock, size, lambda: rate, first)
    return clock.now


def read(clock: Clock, size: int, rate: Callable[[], float], first: float = 0.0) -> None:
    pace = Pace(size, clock.left, clock.whole, clock)
    clock.now += first
    done = 0.0
    while done < size:
        done = min(size, done + rate() / 8)
        clock.now += 0.125
        pace.check(int(done))


def test_a_file_that_fits_is_read_to_its_end() -> None:
    assert run(800 * MB, MB, 900.0) == pytest.approx(800, rel=0.01)


def test_a_file_that_does_not_fit_is_refused_after_about_a_second_with_the_remedy() -> None:
    clock = Clock(900.0)
    with pytest.raises(DropRefused) as raised:
        read(clock, 5000 * MB, lambda: MB)
    assert clock.now < 1.5
    assert raised.value.code == "too_large"
    assert raised.value.message == (
        "5000000000 bytes at 1.00 MB/s need about 5000 s, and one invocation has 900 s; drop it again in files of "
        "at most 712000000 bytes, or once the function has more time or memory, or score it with: "
        "python -m functions.score"
    )


def test_a_file_that_would_be_a_little_late_is_not_given_up_before_the_time_is_short() -> None:
    clock = Clock(900.0)
    read(clock, 1000 * MB, lambda: MB if clock.now < 200 else 2 * MB)
    assert clock.now == pytest.approx(600, rel=0.01)


def test_a_short_invocation_keeps_a_tenth_of_its_time_in_reserve() -> None:
    assert run(2 * MB, MB, 3.0) == pytest.approx(2)
    with pytest.raises(DropRefused):
        run(3 * MB, MB, 3.0)


def test_a_slow_first_block_is_no_rate() -> None:
    assert run(500 * MB, MB, 900.0, first=60.0) == pytest.approx(560, rel=0.01)


def test_a_file_that_turns_out_too_large_is_refused_before_the_time_is_up() -> None:
    clock = Clock(100.0)
    with pytest.raises(DropRefused):
        read(clock, 100 * MB, lambda: 2 * MB if clock.now < 20 else MB / 5)
    assert 20 < clock.now < 90


def test_a_file_that_a_fresh_invocation_could_finish_is_left_to_it() -> None:
    with pytest.raises(OutOfTime) as raised:
        run(500 * MB, MB, 900.0, spent=800.0)
    assert raised.value.message == "there is not enough time left in this invocation; the event is to be retried"


def test_a_file_too_large_for_a_fresh_invocation_too_is_refused_at_once() -> None:
    with pytest.raises(DropRefused):
        run(5000 * MB, MB, 900.0, spent=800.0)


def test_a_fresh_invocation_that_does_not_fit_is_not_retried_for_ever() -> None:
    with pytest.raises(DropRefused):
        run(5 * MB, MB, 3.0)


def test_without_a_limit_nothing_is_too_large() -> None:
    Pace(10**15).check(1)


def test_what_is_read_to_its_end_is_not_refused_at_the_last_moment() -> None:
    clock = Clock(10.0)
    pace = Pace(MB, clock.left, 10.0, clock)
    clock.now = 9.99
    pace.check(MB)
