"""Calls a function in a child process, with a limit of time: what hangs or crashes there does no harm here.

The child is a fork, which costs milliseconds where a new process would import for seconds. Of a fork only the calling
thread lives on; GNU OpenMP waits there for ever for the others, so the function has to keep to one thread.
"""

import ctypes
import faulthandler
import io
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

Made = TypeVar("Made")

_PR_SET_PDEATHSIG = 1  # prctl(2)


class Lost(Exception):
    """The child gave no answer; the message says in one clause what became of it."""


def call(function: Callable[[], Made], *, seconds: float) -> Made:
    """What `function` returns or raises (an Exception); both can be pickled. What it prints is lost.

    Raises Lost where the child dies, or takes longer. Elsewhere than on Linux, where system libraries do not outlive a
    fork, it is called here.
    """
    if sys.platform != "linux":
        return function()
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(function, there), daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that there are threads is known: see above
        child.start()
    there.close()
    try:
        if not here.poll(seconds):
            raise Lost(f"took longer than {seconds:g} s")
        made, answer = here.recv()
    except EOFError:
        child.join()
        raise Lost(_end(child.exitcode or 0)) from None
    finally:
        child.kill()
        child.join()
        here.close()
    if made:
        found: Made = answer
        return found
    raise answer


def _answer(function: Callable[[], Any], there: Connection) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # nothing is left behind where the parent is killed
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to both; the parent ends this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    faulthandler.disable()
    sys.stdout = sys.stderr = io.StringIO()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # a library's last words, where it crashes
        os.dup2(nowhere, stream)
    try:
        told = (True, function())
    except Exception as error:
        told = (False, error)
    there.send(told)


def _end(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code} and no answer"
