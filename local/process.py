"""Environments that are processes here: awslambdaric, started, watched and ended; it must not know what they do."""

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from local.declared import Declared
from local.environment import Environment
from local.function import Function
from local.runtime_api import RuntimeApi

MEMORY_LOOK = 0.05  # seconds between looks at resident memory
IDLE_SECONDS = 600.0  # after which Lambda, too, takes an environment away
# The kernel ends the process when the thread that started it is gone, whatever took that away (prctl(2)).
WITH_PARENT = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
NOT_INHERITED = ("AWS_LAMBDA_", "_LAMBDA_", "_X_AMZN_", "LAMBDA_", "PYTHONSAFEPATH", "PYTHONPATH", "AWS_EXECUTION_ENV")


class Processes:
    """Starts every process of the machine room from one thread that lives as long as it does."""

    def __init__(self, task_root: Path, log: IO[bytes] | int, environ: Mapping[str, str]) -> None:
        self._task_root = task_root
        self._log = log
        self._environ = {name: value for name, value in environ.items() if not name.startswith(NOT_INHERITED)}
        self._orders: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._functions: list[Function] = []
        self._closing = threading.Event()
        self._starter = threading.Thread(target=self._start_as_told, daemon=True)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._starter.start()
        self._watcher.start()

    def provide(self, function: Function) -> None:
        """Gives a function its environments."""
        function.make = lambda: ProcessEnvironment(self, function)
        self._functions.append(function)

    def spawn(self, declared: Declared, runtime_api: str) -> "subprocess.Popen[bytes]":
        """Raises OSError."""
        started: queue.SimpleQueue[subprocess.Popen[bytes] | OSError] = queue.SimpleQueue()

        def start() -> None:
            try:
                started.put(
                    subprocess.Popen(
                        [*WITH_PARENT, sys.executable, "-m", "awslambdaric", declared.handler],
                        cwd=self._task_root,
                        env=self._environ | variables(declared, runtime_api, self._task_root, self._environ),
                        stdin=subprocess.DEVNULL,
                        stdout=self._log,
                        stderr=self._log,
                        start_new_session=True,  # Ctrl-C on the terminal is for the machine room alone
                    )
                )
            except OSError as error:
                started.put(error)

        self._orders.put(start)
        process = started.get()
        if isinstance(process, OSError):
            raise process
        return process

    def close(self) -> None:
        """Waits until the processes are gone, which their functions have ended."""
        self._closing.set()
        for function in self._functions:
            for environment in function.environments():
                environment.end()
                if isinstance(environment, ProcessEnvironment):
                    environment.gone.wait(5)
        self._orders.put(None)
        self._starter.join()
        self._watcher.join()

    def _start_as_told(self) -> None:
        while (order := self._orders.get()) is not None:
            order()

    def _watch(self) -> None:
        while not self._closing.wait(MEMORY_LOOK):
            for function in self._functions:
                for environment in function.environments():
                    if isinstance(environment, ProcessEnvironment):
                        environment.hold_to(function.declared.megabytes)
                for environment in function.expired(IDLE_SECONDS):
                    environment.end()


class ProcessEnvironment(Environment):
    """One awslambdaric process with a Runtime API port of its own, by which it is known."""

    def __init__(self, processes: Processes, function: Function) -> None:
        super().__init__()
        self.gone = threading.Event()
        self._processes = processes
        self._function = function
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def begin(self) -> None:
        declared = self._function.declared
        api = RuntimeApi("127.0.0.1", 0, self._function, declared.arn, declared.seconds, self)
        api.start()
        try:
            self._process = self._processes.spawn(declared, f"127.0.0.1:{api.port}")
        except OSError:
            self.gone.set()
            api.close()
            raise
        self.label = f"pid {self._process.pid}"
        if self._ended:
            self.end()
        threading.Thread(target=self._await_exit, args=(self._process, api), daemon=True).start()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def end(self) -> None:
        """As Lambda does it: at once, and all that the process has started with it."""
        self._ended = True
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def hold_to(self, megabytes: int) -> None:
        """Ends a process that has held more. RLIMIT_AS would count address space that libraries only reserve."""
        if self._process is None or self.why is not None:
            return
        if peak_bytes(self._process.pid) > megabytes * 1024 * 1024:
            self.why = ("Runtime.OutOfMemory", "Error: Runtime exited with error: signal: killed")
            self.end()

    def _await_exit(self, process: "subprocess.Popen[bytes]", api: RuntimeApi) -> None:
        code = process.wait()
        self.gone.set()
        if code == 0:
            status = "without providing a reason"
        elif code > 0:
            status = f"with error: exit status {code}"
        else:
            status = f"with error: signal: {signal.strsignal(-code) or -code}".lower()
        self._function.left(self, status)
        api.close()


def peak_bytes(pid: int) -> int:
    """The most memory a process has held so far (proc(5), VmHWM); 0 where the system does not tell."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def variables(declared: Declared, runtime_api: str, task_root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What Lambda sets (Developer Guide, "Defined runtime environment variables")."""
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return {
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_LAMBDA_FUNCTION_NAME": declared.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(declared.megabytes),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start" if declared.snap_start else "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{declared.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": time.strftime("%Y/%m/%d/[$LATEST]", time.gmtime()) + uuid.uuid4().hex,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "LAMBDA_TASK_ROOT": str(task_root),
        "_HANDLER": declared.handler,
        "TZ": ":UTC",
    }
