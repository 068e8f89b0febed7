"""Functions as the simulator asks for them: what a stack made becomes awslambdaric processes; it knows no template.

A function version is run by `local/` with the variables, the memory, the time-out and the role's keys that the
simulator says it has.
"""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from local.connection import Connection, Server
from local.declared import Declared
from local.function import Function
from local.invocation import Closing, Throttled
from local.process import Processes

EVENT_BYTES = 8 * 1024 * 1024  # the simulator holds events to Lambda's limits; this is to read them at all
CONCURRENCY = 4
PATIENCE = 120.0  # seconds a call waits for a process: Lambda would start more of them
PROJECT = Path(__file__).parents[2]
PASSED = ("PATH", "HOME", "LANG")


@dataclass(slots=True)
class Call:
    """One invocation that came to an end. `function` is the function's name, `process` who answered."""

    function: str
    event: Any
    payload: Any
    failed: bool
    process: str


@dataclass
class Functions:
    """Every function that was called so far. `calls` are in the order in which they ended."""

    log: IO[bytes]
    stack: ExitStack
    calls: list[Call] = field(default_factory=list)
    roles: dict[str, dict[str, str]] = field(default_factory=dict)
    """Function's name -> the keys of its role."""
    _made: dict[str, Function] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What the simulator's own executors answer: the function's payload as `body`, and whether it is an error."""
        function = self._function(asked["config"], asked["credentials"])
        try:
            outcome = function.invoke(json.dumps(asked["event"]).encode(), request_id=asked["request_id"])
        except (Throttled, Closing) as error:
            words = {"errorType": type(error).__name__, "errorMessage": "no process may answer"}
            return {"body": words, "error": True}
        payload = json.loads(outcome.payload)
        name = function.declared.name
        self.calls.append(Call(name, asked["event"], payload, outcome.failed, outcome.environment))
        return {"body": payload, "error": True} if outcome.failed else {"body": payload}

    def called(self, name: str) -> list[Call]:
        return [call for call in list(self.calls) if call.function == name]

    def _function(self, config: dict[str, Any], credentials: dict[str, str]) -> Function:
        with self._lock:
            key = f"{config['FunctionArn']} {config['RevisionId']}"
            if key not in self._made:
                self._made[key] = self._make(config, credentials)
            return self._made[key]

    def _make(self, config: dict[str, Any], credentials: dict[str, str]) -> Function:
        (handler,) = config["ImageConfigResponse"]["ImageConfig"]["Command"]
        region = config["FunctionArn"].split(":")[3]
        environ = {name: os.environ[name] for name in PASSED if name in os.environ}
        self.roles[config["FunctionName"]] = credentials
        environ |= config["Environment"]["Variables"] | credentials | {"AWS_REGION": region}
        declared = Declared(
            config["FunctionName"], handler, config["Timeout"], config["MemorySize"], CONCURRENCY, PATIENCE
        )
        function = Function(declared, self._note)
        processes = Processes(PROJECT, self.log, environ)
        self.stack.callback(processes.close)
        self.stack.callback(function.close)
        processes.provide(function)
        return function

    def _note(self, text: str) -> None:
        self.log.write(text.encode() + b"\n")


class FunctionsServer(Server):
    """Where the simulator calls."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        super().__init__("127.0.0.1", 0, FunctionsConnection)


class FunctionsConnection(Connection):
    server: FunctionsServer

    def do_POST(self) -> None:  # noqa: N802 - the name is http.server's
        answer = self.server.functions.call(json.loads(self.body(EVENT_BYTES)))
        self.reply(200, json.dumps(answer).encode(), [("content-type", "application/json")])


@contextmanager
def running(log: Path) -> Iterator[tuple[Functions, str]]:
    """What runs functions, and its URL; every process has ended afterwards."""
    with log.open("ab", buffering=0) as file, ExitStack() as stack:
        functions = Functions(file, stack)
        server = FunctionsServer(functions)
        stack.callback(server.close)
        server.start()
        yield functions, f"http://127.0.0.1:{server.port}"
