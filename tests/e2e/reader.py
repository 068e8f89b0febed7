"""A reader of the documents: types commands in a clone, keeps some running, compares what is shown."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def type_in(clone: Path, typed: str, **environment: str) -> str:
    """Runs the lines in one shell, as a reader would one after the other; gives what they print."""
    ran = subprocess.run(
        ["bash", "-eu", "-c", typed], cwd=clone, env=plain(environment), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert ran.returncode == 0, f"{typed}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    return ran.stdout


@contextmanager
def kept_running(clone: Path, typed: str, **environment: str) -> Iterator[None]:
    """What stays in a terminal of its own until Ctrl-C."""
    process = subprocess.Popen(
        ["bash", "-c", typed], cwd=clone, env=plain(environment), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


def plain(environment: dict[str, str]) -> dict[str, str]:
    """A reader's environment: nothing of AWS, nothing of this project."""
    own = ("AWS_", "MODEL_", "DATA_STORE", "BATCH_", "PORT", "SPOOL", "COMPOSE_", "ENV_FILE", "VENV", "MAKE", "MFLAGS")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {**inherited, **environment, "SAM_CLI_TELEMETRY": "0"}


def steady(text: str) -> str:
    """Without what differs from run to run: versions, times, processes, ports, places, last digits."""
    for pattern, word in (
        (r"\d{8}T\d{6}Z-[0-9a-f]{8}", "<version>"),
        (r"127\.0\.0\.1:\d+", "<host>"),
        (r"pid \d+", "pid <pid>"),
        (r"[\d.]+ ms", "<ms>"),
        (r"file://\S*/bucket", "file://<here>/bucket"),
        (r"\d\.\d+e-\d+", "<tiny>"),
        (r"(\d\.\d{6})\d+", r"\1"),
    ):
        text = re.sub(pattern, word, text)
    return text.strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_listening(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail(f"nothing listens on port {port}")


def wait_until_open(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=60).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"nothing answers on port {port}")
