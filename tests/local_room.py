"""A machine room over handlers written by a test: real sockets, real awslambdaric processes. Knows no model."""

import io
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from local.declared import Declared
from local.gateway import Gateway, Plan
from local.journal import Journal

HANDLERS = '''
import os
import sys
import time

COUNT = 0


def handler(event, context):
    """Does what the event asks for, and tells who did it."""
    global COUNT
    COUNT += 1
    if "body" in event:
        import json
        event = json.loads(event["body"])
    if "Records" in event:
        event = event["Records"][0]
    do = event.get("do")
    if do == "sleep":
        time.sleep(event["seconds"])
    if do == "exit":
        os._exit(event["code"])
    if do == "raise":
        raise ValueError("what the handler said")
    if do == "hog":
        held = [bytearray(1024 * 1024) for _ in range(event["megabytes"])]
        time.sleep(30)
    if do == "large":
        return "x" * event["bytes"]
    if do == "leave":
        with open(event["file"], "a") as file:
            file.write(context.aws_request_id + "\\n")
        if event.get("fail"):
            raise ValueError("failed as asked")
    if do == "answer":
        return event["answer"]
    if do == "environment":
        return dict(os.environ)
    if do == "context":
        return {
            "arn": context.invoked_function_arn,
            "name": context.function_name,
            "memory": context.memory_limit_in_mb,
            "left": context.get_remaining_time_in_millis(),
            "request_id": context.aws_request_id,
            "custom": context.client_context.custom if context.client_context else None,
        }
    return {"pid": os.getpid(), "count": COUNT}
'''


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Somebody who knows the gateway's port."""

    def __init__(self, port: int) -> None:
        self.port = port

    def http(self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, target, body, headers or {})
            got = connection.getresponse()
            return Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
        finally:
            connection.close()

    def ask(self, **event: Any) -> Answer:
        """One HTTP request whose body is the event."""
        return self.http("POST", "/predict", json.dumps(event).encode(), {"Content-Type": "application/json"})

    def invoke(self, name: str, **event: Any) -> Answer:
        """One call by Lambda's own door."""
        return self.http("POST", f"/2015-03-31/functions/{name}/invocations", json.dumps(event).encode())


class Room(Client):
    """An open gateway, and what it says."""

    def __init__(self, gateway: Gateway, said: io.StringIO) -> None:
        super().__init__(gateway.port)
        self.gateway = gateway
        self.said = said


@contextmanager
def room(folder: Path, **changes: Any) -> Iterator[Room]:
    """Opens a room whose two functions are HANDLERS; `changes` go into the plan, or into both functions."""
    task = folder / "task"
    task.mkdir(exist_ok=True)
    (task / "tiny.py").write_text(changes.pop("source", HANDLERS))
    limits = {name: changes.pop(name) for name in ("seconds", "megabytes", "concurrency") if name in changes}
    declared = replace(Declared("predict", "tiny.handler", seconds=20, megabytes=512, concurrency=3), **limits)
    environ = changes.pop("environ", os.environ)
    said = io.StringIO()
    with (folder / "functions.log").open("ab") as log:
        plan = Plan(
            "127.0.0.1", 0, folder / "spool", log, None, task, declared, replace(declared, name="batch"), (0.05, 0.05)
        )
        with Gateway(replace(plan, **changes), Journal(said), environ) as gateway:
            yield Room(gateway, said)


def eventually(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Waits until something is so, and gives it; fails when it takes implausibly long."""
    until = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < until, "it never came to be"
        time.sleep(0.02)
    return value


def alive(pid: int) -> bool:
    """Whether there is such a process, and it is no zombie."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
