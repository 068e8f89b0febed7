"""One real runtime process under a test: started, asked event after event, its words kept. It knows no handler."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

from benchmarks.runtime_api import RuntimeApi
from benchmarks.runtime_api import RuntimeFailed as Failed
from tests.conftest import PROJECT

__all__ = ["Failed", "Runtime", "running"]

LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "tested",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
}
PASSED = ("PATH", "HOME", "LANG")


class Runtime:
    """A process that has come through its INIT."""

    def __init__(self, process: "subprocess.Popen[bytes]", api: RuntimeApi, out: IO[str], errors: IO[str]) -> None:
        self._process = process
        self._api = api
        self._out = out
        self._errors = errors

    def ask(self, event: Any) -> Any:
        """The answer to one event, once the process has asked for the next. Raises Failed with what it raised."""
        self._api.send(json.dumps(event).encode())
        answer = json.loads(self._api.answer())
        self._api.wait_until_idle()
        return answer

    def begin(self, event: Any) -> None:
        """Hands over an event and does not wait for its answer."""
        self._api.send(json.dumps(event).encode())

    def stop(self) -> None:
        """Holds the process, with every thread of it, until `go_on`; so Lambda does between two events."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Ends the process as `kill -9` does, whatever it is at."""
        self._process.kill()

    def log(self, level: str = "") -> list[dict[str, Any]]:
        """What it wrote so far, line by line; only that of one level, if asked."""
        self._out.seek(0)
        lines = [json.loads(line) for line in self._out if line.startswith("{")]
        return [line for line in lines if level in ("", line["level"])]

    def errors(self) -> list[str]:
        """What it wrote on standard error."""
        self._errors.seek(0)
        return self._errors.read().splitlines()


@contextmanager
def running(command: Sequence[str], settings: Mapping[str, str]) -> Iterator[Runtime]:
    """Starts a runtime in the project's folder with these settings and nothing else, and waits for its INIT."""
    api = RuntimeApi()
    environment = {name: os.environ[name] for name in PASSED if name in os.environ} | LAMBDA | dict(settings)
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment | {"AWS_LAMBDA_RUNTIME_API": api.address},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
        )
        try:
            api.wait_until_ready(lambda: process.poll() is None)
            yield Runtime(process, api, out, errors)
        finally:
            process.kill()
            process.wait()
            api.close()
