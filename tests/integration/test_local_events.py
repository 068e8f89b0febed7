"""Asynchronous events: kept before they are acknowledged, delivered at least once, retried, dead, replayed."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.__main__ import main
from tests.conftest import PROJECT
from tests.local_room import HANDLERS, Answer, Client, alive, eventually, room


def tell(opened: Client, **record: Any) -> Answer:
    """What MinIO's webhook would send, with the handler's orders in the record."""
    record |= {"s3": {"object": {"key": "incoming%2Fa+b.csv"}}}
    body = {"EventName": "s3:ObjectCreated:Put", "Key": "drops/incoming/a b.csv", "Records": [record]}
    return opened.http("POST", "/events", json.dumps(body).encode())


def lines(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []


def test_minios_webhook_brings_an_event_to_batch(tmp_path: Path) -> None:
    with room(tmp_path) as opened:
        assert tell(opened, do="leave", file=str(tmp_path / "left")).status == 200
        eventually(lambda: "incoming/a b.csv -> batch done (" in opened.said.getvalue())
        assert len(lines(tmp_path / "left")) == 1
        assert opened.gateway.spool.take("batch") is None


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"Records": {}}', b"[" * 100_000])
def test_what_is_no_event_is_not_kept(tmp_path: Path, body: bytes) -> None:
    with room(tmp_path) as opened:
        answer = opened.http("POST", "/events", body)
        assert (answer.status, answer.json) == (400, {"message": "Not a storage event: no Records"})
        assert opened.gateway.spool.take("batch") is None


def test_an_event_that_cannot_be_kept_is_not_acknowledged(tmp_path: Path) -> None:
    with room(tmp_path) as opened:
        opened.gateway.spool.close()  # as a full disk would have it
        answer = tell(opened, do="answer", answer=1)
        assert answer.status == 503
        assert answer.json["message"].startswith("The event could not be kept: the spool cannot be written")


def test_an_event_that_fails_is_tried_three_times_then_dead_and_may_be_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, spool = tmp_path / "left", str(tmp_path / "spool")
    with room(tmp_path) as opened:
        tell(opened, do="leave", file=str(file), fail=True)
        [letter] = eventually(opened.gateway.spool.dead)
        assert lines(file) == [letter.id] * 3
        assert main(["dead-letters", "--spool", spool]) == 0
        shown = capsys.readouterr().out.split("  ")
        assert shown.pop(1).endswith("Z")
        assert shown == [letter.id, "batch", "incoming/a b.csv", "ValueError: failed as asked\n"]
        assert main(["replay", "--spool", spool, "unknown", letter.id]) == 1
        told = capsys.readouterr()
        assert (told.out, told.err) == ("1 to be delivered again\n", "replay: no dead letter unknown\n")
        eventually(lambda: len(lines(file)) == 6)
        eventually(opened.gateway.spool.dead)
    assert main(["replay", "--spool", spool]) == 0
    assert capsys.readouterr().out == "1 to be delivered again\n"
    assert main(["dead-letters", "--spool", spool]) == 0
    assert capsys.readouterr().out == "no dead letters\n"


def test_a_folder_without_a_spool_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dead-letters", "--spool", str(tmp_path)]) == 2
    words = f"dead-letters: {tmp_path} holds no spool; give the gateway's with --spool or SPOOL\n"
    assert capsys.readouterr().err == words


def test_a_crash_of_the_function_counts_as_a_failed_attempt(tmp_path: Path) -> None:
    with room(tmp_path) as opened:
        tell(opened, do="exit", code=9)
        [letter] = eventually(opened.gateway.spool.dead)
        assert letter.attempts == 3
        assert json.loads(letter.error)["errorType"] == "Runtime.ExitError"


def test_events_wait_for_a_free_environment_without_losing_an_attempt(tmp_path: Path) -> None:
    with room(tmp_path, concurrency=1) as opened:
        tell(opened, do="sleep", seconds=1)
        tell(opened, do="leave", file=str(tmp_path / "left"))
        eventually(lambda: lines(tmp_path / "left"))
        assert "failed" not in opened.said.getvalue()


def test_a_file_dropped_into_the_folder_reaches_batch_once_even_over_a_restart(tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    (bucket / "incoming").mkdir(parents=True)
    (bucket / "incoming" / "a b.csv").write_bytes(b"x\n1\n")
    with room(tmp_path) as opened:
        opened.gateway.watch(bucket)
        eventually(lambda: "incoming/a b.csv -> batch done" in opened.said.getvalue())
    with room(tmp_path) as opened:
        opened.gateway.watch(bucket)
        (bucket / "incoming" / "later.csv").write_bytes(b"x\n1\n")
        eventually(lambda: "incoming/later.csv -> batch done" in opened.said.getvalue())
        assert "a b.csv" not in opened.said.getvalue()


SERVER = """
import sys
from dataclasses import replace
from pathlib import Path
from local.declared import Declared
from local.gateway import Gateway, Plan
from local.journal import Journal
from local.lifetime import ended_by_signals

folder = Path(sys.argv[1])
declared = Declared("predict", "tiny.handler", 60, 512, 2)
plan = Plan("127.0.0.1", 0, folder / "spool", sys.stderr.fileno(), None, folder / "task", declared,
            replace(declared, name="batch"))
with ended_by_signals() as never:
    try:
        with Gateway(plan, Journal()) as gateway:
            print(gateway.port, flush=True)
            never.wait()
    except KeyboardInterrupt:
        pass
"""


@contextmanager
def server(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """The gateway in a process of its own, so that it can be ended in every way."""
    (folder / "task").mkdir(exist_ok=True)
    (folder / "task" / "tiny.py").write_text(HANDLERS)
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, folder], cwd=PROJECT, stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert process.stdout is not None
    try:
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_however_the_gateway_ends_no_process_stays(tmp_path: Path, how: signal.Signals) -> None:
    with server(tmp_path) as (process, port):
        client = Client(port)
        idle = client.invoke("predict").json["pid"]
        tell(client, do="sleep", seconds=60)
        busy = eventually(lambda: [pid for pid in children(process.pid) if pid != idle])
        process.send_signal(how)
        assert process.wait(20) == (-9 if how == signal.SIGKILL else 0)
        eventually(lambda: not any(alive(pid) for pid in (idle, *busy)))


def test_an_event_under_way_when_the_gateway_is_killed_is_delivered_after_the_restart(tmp_path: Path) -> None:
    file = tmp_path / "left"
    with server(tmp_path) as (process, port):
        # Two that occupy batch, one behind them: none of the three is done with.
        for _ in range(2):
            assert tell(Client(port), do="sleep", seconds=2).status == 200
        assert tell(Client(port), do="leave", file=str(file)).status == 200
        process.kill()
        process.wait()
        assert lines(file) == []
    with server(tmp_path):
        eventually(lambda: lines(file))


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
