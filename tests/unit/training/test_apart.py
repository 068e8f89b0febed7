"""What happens in the child stays there: only an answer, an error or the news of its end comes back."""

import ctypes
import os
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from training import apart

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no child")


def test_an_answer_of_any_size_comes_back() -> None:
    assert apart.call(lambda: b"x" * 20_000_000, seconds=60) == b"x" * 20_000_000
    assert apart.call(lambda: None, seconds=60) is None


def test_an_error_comes_back_as_it_was_raised() -> None:
    def fails() -> None:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        apart.call(fails, seconds=60)


def test_it_happens_in_another_process_which_is_gone_afterwards() -> None:
    child = apart.call(os.getpid, seconds=60)
    assert child != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (os.abort, "was ended by SIGABRT"),
        (lambda: ctypes.string_at(0), "was ended by SIGSEGV"),
        (lambda: os._exit(3), "ended with exit code 3 and no answer"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "was ended by SIGKILL"),
        (lambda: sys.exit("never mind"), "ended with exit code 1 and no answer"),
    ],
    ids=["abort", "segfault", "exit", "kill", "SystemExit"],
)
def test_a_child_that_dies_is_lost_and_nothing_is_printed(
    end: object, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(apart.Lost) as lost:
        apart.call(end, seconds=60)  # type: ignore[arg-type] # a function, whatever it returns
    assert str(lost.value) == told
    assert capfd.readouterr() == ("", "")


def test_a_child_that_hangs_is_lost_after_the_limit_and_ended() -> None:
    def hangs() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        threading.Event().wait()

    with pytest.raises(apart.Lost, match=r"^took longer than 0\.2 s$"):
        apart.call(hangs, seconds=0.2)


def test_linear_algebra_of_one_thread_works_there_after_some_of_many_here() -> None:
    from threadpoolctl import threadpool_limits

    matrix = np.random.default_rng(0).normal(size=(600, 600))
    here = matrix @ matrix

    def there() -> bool:
        with threadpool_limits(1):
            return bool(np.allclose(matrix @ matrix, here))

    assert apart.call(there, seconds=60)


def _tells_and_sleeps(told: Path) -> None:
    told.write_text(str(os.getpid()))
    time.sleep(600)


def test_a_child_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    parent = os.fork()
    if parent == 0:
        apart.call(partial(_tells_and_sleeps, told), seconds=600)
        os._exit(0)
    while not (told.exists() and told.read_text()):
        time.sleep(0.01)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    child = int(told.read_text())
    for _ in range(1000):
        state = Path(f"/proc/{child}/stat")
        if not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return
        time.sleep(0.01)
    raise AssertionError(f"process {child} is still there")
