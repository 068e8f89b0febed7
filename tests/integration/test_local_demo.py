"""`python -m local demo` on a terminal: it stays until Ctrl-C, and a second start works on what is there."""

import json
import os
import pty
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import PROJECT
from tests.local_room import Client, alive, eventually


class Terminal:
    """The demo on a pseudo terminal, and what it has shown."""

    def __init__(self, process: "subprocess.Popen[bytes]", end: int) -> None:
        self.process = process
        self.shown = ""
        self._end = end
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def press_ctrl_c(self) -> None:
        os.write(self._end, b"\x03")

    def close(self) -> None:
        self._reader.join()
        os.close(self._end)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._end, 65536)
            except OSError:
                return  # nobody holds the other end any more
            self.shown += data.decode(errors="replace").replace("\r\n", "\n")


@contextmanager
def demo(bucket: Path, port: int) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", IN_A_TERMINAL, "demo", "--bucket", str(bucket)],
        cwd=PROJECT,
        env=os.environ | {"PORT": str(port)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    terminal = Terminal(process, ours)
    try:
        yield terminal
    finally:
        process.kill()
        process.wait()
        terminal.close()


# The terminal becomes the process's own, so that Ctrl-C is a signal, as it is for people.
IN_A_TERMINAL = """
import fcntl, runpy, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
sys.argv[0] = "local"
runpy.run_module("local", run_name="__main__", alter_sys=True)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def use(bucket: Path, port: int) -> list[int]:
    """One start: asks, drops a file, presses Ctrl-C; gives the processes that answered."""
    with demo(bucket, port) as terminal:
        eventually(lambda: "Ctrl-C ends it" in terminal.shown, 120)
        asked = Client(port).http(
            "POST", "/predict", b'{"instances": [[6.3, 3.3, 6.0, 2.5]]}', {"Content-Type": "application/json"}
        )
        assert asked.json["predictions"] == ["virginica"]
        (bucket / "incoming" / "more.csv").write_bytes((PROJECT / "data" / "iris.csv").read_bytes())
        eventually(lambda: "incoming/more.csv -> batch scored 150 input" in terminal.shown)
        assert "POST /predict -> 200 (" in terminal.shown
        terminal.press_ctrl_c()
        assert terminal.process.wait(20) == 0
        return [int(pid) for pid in re.findall(r"from pid (\d+)", terminal.shown)]


def test_on_a_terminal_it_stays_until_ctrl_c_and_starts_again_on_what_is_there(tmp_path: Path) -> None:
    bucket, port = tmp_path / "bucket", free_port()
    pids = use(bucket, port) + use(bucket, port)
    assert len(set(pids)) == 4
    eventually(lambda: not any(alive(pid) for pid in pids))
    summary = json.loads((bucket / "scored" / "more.csv.summary.json").read_bytes())
    assert summary["rows"] == {"input": 150, "scored": 150, "rejected": 0, "blank": 0}


def test_a_port_in_use_ends_it_before_anything_is_trained(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "local", "demo", "--bucket", tmp_path / "bucket"],
            cwd=PROJECT,
            env=os.environ | {"PORT": str(port)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
    words = (
        f"demo: port {port} on 127.0.0.1 cannot be used: Address already in use; "
        "stop what uses it, or choose another by PORT\n"
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", words)
    assert not (tmp_path / "bucket" / "models").exists()
