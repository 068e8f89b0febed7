"""One running contestant: started, asked, looked at, ended. It keeps no figures."""

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from benchmarks.contestants import Contestant
from benchmarks.runtime_api import RuntimeApi, RuntimeFailed


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the spawn to the first question for an event (INIT), and to the first answer's last byte."""

    init: float
    first: float


@dataclass(frozen=True, slots=True)
class Memory:
    """In bytes: what is resident, and that with shared pages divided among those who share them (proc(5))."""

    rss: int
    pss: int


class Environment:
    """As Lambda's execution environment: a process that answers one event at a time. Use it in a `with`."""

    def __init__(self, contestant: Contestant, prefix: list[str] | None = None) -> None:
        """`prefix`: a command that runs the contestant's, such as strace."""
        self._contestant = contestant
        self._api = RuntimeApi()
        environment = contestant.environment | {"AWS_LAMBDA_RUNTIME_API": self._api.address}
        self._used = 0.0
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in _gone
        self._began = time.perf_counter()
        self._process = subprocess.Popen(
            [*(prefix or []), *contestant.command],
            cwd=contestant.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )

    def __enter__(self) -> "Environment":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    def start(self, event: bytes) -> Start:
        """Waits for INIT, sends the first event, and stays until the process has asked for the next."""
        try:
            self._api.wait_until_ready(lambda: self._process.poll() is None)
            ready = time.perf_counter()
            self._api.send(event)
            answer = self._api.answer()
            first = time.perf_counter()
            self._api.wait_until_idle()
        except (RuntimeFailed, OSError) as error:
            raise RuntimeFailed(f"{self._contestant.name}: {error}\n{self._last_words()}") from error
        if self._contestant.answers not in answer.decode():
            raise RuntimeFailed(f"{self._contestant.name} answered {answer.decode()[:500]}")
        return Start(ready - self._began, first - self._began)

    def ask(self, event: bytes) -> float:
        """One warm request: seconds from the event's first byte to the answer's last."""
        began = time.perf_counter()
        self._api.send(event)
        self._api.answer()
        took = time.perf_counter() - began
        self._api.wait_until_idle()
        return took

    def memory(self) -> Memory:
        lines = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text().splitlines()[1:]
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
        return Memory(sizes["Rss"], sizes["Pss"])

    def end(self) -> float:
        """Kills the process, as Lambda does. Gives the processor seconds it used, user and system."""
        if self._process.returncode is None:
            self._process.kill()
        return self._gone()

    def hang_up(self) -> None:
        """Leaves the process alone, which then ends by itself."""
        self._api.close()
        self._gone()

    def _last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-2000:]

    def _gone(self) -> float:
        if self._process.returncode is None:
            _, status, usage = os.wait4(self._process.pid, 0)
            self._process.returncode = os.waitstatus_to_exitcode(status)
            self._used = usage.ru_utime + usage.ru_stime
        self._api.close()
        self._errors.close()
        return self._used
