"""Runtimes that connect by themselves, as containers do: each is an environment, a lost connection is a crash."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.local_room import Room, eventually, room


@contextmanager
def container(opened: Room, folder: Path, port: int, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """What a function container runs: awslambdaric, pointed at the gateway."""
    environ = os.environ | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}"} | settings
    before = len(opened.gateway.predict.environments())
    process = subprocess.Popen(
        [sys.executable, "-m", "awslambdaric", "tiny.handler"],
        cwd=folder / "task",
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: len(opened.gateway.predict.environments()) == before + 1)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path, runtime_ports=(0, 0), seconds=3) as found:
        yield found


def port_of(opened: Room) -> int:
    return opened.gateway.runtime_ports[0]


def test_a_container_that_connects_answers_and_stays(opened: Room, tmp_path: Path) -> None:
    with container(opened, tmp_path, port_of(opened)) as process:
        answers = [opened.ask().json for _ in range(5)]
        assert answers == [{"pid": process.pid, "count": count} for count in range(1, 6)]


def test_a_container_that_offers_a_snapshot_is_let_go_on_at_once(opened: Room, tmp_path: Path) -> None:
    with container(opened, tmp_path, port_of(opened), AWS_LAMBDA_INITIALIZATION_TYPE="snap-start") as process:
        assert opened.ask().json == {"pid": process.pid, "count": 1}


def test_two_containers_work_at_once_and_a_third_call_waits_for_one_of_them(opened: Room, tmp_path: Path) -> None:
    with (
        container(opened, tmp_path, port_of(opened)) as first,
        container(opened, tmp_path, port_of(opened)) as second,
        ThreadPoolExecutor(3) as pool,
    ):
        calls = [pool.submit(opened.ask, do="sleep", seconds=0.5) for _ in range(3)]
        pids = [call.result().json["pid"] for call in calls]
        assert set(pids) == {first.pid, second.pid}


def test_a_container_that_is_lost_in_a_call_is_a_crash_and_its_successor_is_used(opened: Room, tmp_path: Path) -> None:
    with container(opened, tmp_path, port_of(opened)):
        crashed = opened.invoke("predict", do="exit", code=1)
        assert (crashed.headers["x-amz-function-error"], crashed.json["errorType"]) == (
            "Unhandled",
            "Runtime.ExitError",
        )
    with container(opened, tmp_path, port_of(opened)) as successor:
        assert opened.ask().json["pid"] == successor.pid


def test_a_container_that_goes_while_it_is_idle_is_not_asked_again(opened: Room, tmp_path: Path) -> None:
    with container(opened, tmp_path, port_of(opened)):
        opened.ask()
    eventually(lambda: not opened.gateway.predict.environments())
    with container(opened, tmp_path, port_of(opened)) as successor:
        assert opened.ask().json["pid"] == successor.pid


def test_a_call_that_takes_too_long_is_cut_off_and_the_runtime_ends_itself(opened: Room, tmp_path: Path) -> None:
    with container(opened, tmp_path, port_of(opened)) as process:
        slow = opened.invoke("predict", do="sleep", seconds=4)
        assert slow.json["errorType"] == "Sandbox.Timedout"
        assert process.wait(20) != 0  # its late answer is refused, and the container would be started again


def test_a_call_waits_for_a_container_that_is_still_starting(opened: Room, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(opened.ask)
        with container(opened, tmp_path, port_of(opened)) as process:
            assert early.result().json["pid"] == process.pid


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/2018-06-01/runtime/invocation/other", 404),
        ("POST", "/2018-06-01/runtime/invocation/unknown/response", 400),
        ("POST", "/2018-06-01/runtime/invocation/unknown/other", 404),
        ("POST", "/elsewhere", 404),
        ("POST", "/2018-06-01/runtime/init/error", 202),
    ],
)
def test_the_runtime_api_answers_what_it_does_not_know(opened: Room, method: str, path: str, status: int) -> None:
    connection = HTTPConnection("127.0.0.1", port_of(opened), timeout=20)
    connection.request(method, path, b"{}")
    assert connection.getresponse().status == status
    connection.close()
