"""Publishes and prunes in processes that kill themselves (SIGKILL) at a chosen step. It knows no test.

Run as a program it imports everything once and forks for each order, so that a death costs milliseconds. It opens no
store itself: what runs threads does not outlive a fork.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import msgspec

from tests.conftest import PROJECT

FOLDER_STEPS = ("open", "os.rename", "os.mkdir", "os.utime", "os.remove", "fcntl.flock", "os.listdir")
"""What the folder store asks of the operating system, by the names of Python's audit events."""


class Order(msgspec.Struct, frozen=True):
    """act: publish or prune. steps: calls of the store (before and after each), or questions to the system.

    at: the step at which to die, from 0; beyond the last one it ends well. strength: makes models differ.
    """

    act: str
    url: str
    version: str
    at: int
    steps: str = "calls"
    strength: float = 1.0


class Deaths:
    """A process that forks one for each order."""

    def __init__(self, into: IO[str], out: IO[str]) -> None:
        self._into = into
        self._out = out

    def die(self, order: Order) -> bool:
        """Carries it out; gives whether it came to its end. Raises AssertionError for another end than a kill."""
        self._into.write(json.dumps(msgspec.to_builtins(order)) + "\n")
        self._into.flush()
        code = int(self._out.readline())
        assert code in (0, -signal.SIGKILL), f"{order} ended with {code}"
        return code == 0


@contextmanager
def deaths(environment: Mapping[str, str]) -> Iterator[Deaths]:
    """environment: how the store is reached."""
    command = [sys.executable, "-m", "tests.killing"]
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Deaths(process.stdin, process.stdout)
        process.stdin.close()
        assert process.wait(30) == 0


class Dying:
    """A store that counts what is asked of it, and dies before or after the call that is chosen."""

    def __init__(self, store: Any, step: Callable[[], None]) -> None:
        self._store = store
        self._step = step

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._store, name)
        if not callable(own):
            return own

        def call(*args: Any, **options: Any) -> Any:
            self._step()
            done = own(*args, **options)
            self._step()
            return done

        return call


def _serve() -> None:
    from functions.registry.store import open_store
    from tests.models import iris_publication
    from training.commands.prune import prune
    from training.destinations import Registry

    for line in sys.stdin:
        order = msgspec.json.decode(line, type=Order)
        publication = iris_publication(order.version, order.strength)
        child = os.fork()
        if child == 0:
            store = _dying(open_store(order.url), order)
            if order.act == "publish":
                Registry(store, "live", "killed").publish(publication)
            else:
                prune(store, "iris", keep=1, pinned=[], done=True)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 # the answer


def _dying(store: Any, order: Order) -> Any:
    step = _counted(order.at)
    if order.steps == "calls":
        return Dying(store, step)
    sys.addaudithook(lambda event, _: step() if event in FOLDER_STEPS else None)
    return store


def _counted(at: int) -> Callable[[], None]:
    steps = iter(range(at, -1, -1))

    def step() -> None:
        if next(steps, None) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


if __name__ == "__main__":
    _serve()
