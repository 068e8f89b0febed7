"""The template's state machine, run by moto's interpreter: its steps call real awslambdaric processes, its lists are
the S3 server's, and a function may start it. It knows no model and no file."""

import json
import os
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from moto.core.exceptions import AWSError
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from local import lambda_api
from local.declared import Declared
from local.function import Function
from local.process import Processes
from tests.minio_server import REGION, Minio
from tests.template import FAN_OUT, ROOT, Json, Stack, translated

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/fan-out"
PATIENCE = 600.0  # seconds that an execution may take


def definition(concurrency: int) -> Json:
    """The machine's definition as CloudFormation makes it, but for waits between attempts, which are short here."""
    stack = Stack(translated(), {**FAN_OUT, "FanOutConcurrency": str(concurrency)})
    return json.loads(json.dumps(stack.properties("FanOutMachine")["Definition"]), object_hook=_hurried)


def _hurried(state: Json) -> Json:
    return {**state, "IntervalSeconds": 1, "BackoffRate": 1.0} if "IntervalSeconds" in state else state


@dataclass
class Machine:
    """A machine that can be started.

    calls: every event a function was called with, as they were answered, and the answer. before: is told of each event
    before its function is.
    """

    backend: StepFunctionsParserBackend
    arn: str
    functions: dict[str, Function]
    calls: list[tuple[Json, Json]] = field(default_factory=list)
    before: Callable[[Json], None] = lambda _: None

    def start(self, given: Mapping[str, Any], name: str = "run") -> Any:
        return self.backend.start_execution(self.arn, name, json.dumps(given))

    def run(self, given: Mapping[str, Any], name: str = "run") -> Any:
        """Starts and waits: moto's Execution, with `exec_status`, `output`, `error`, `cause`."""
        return self.ended(self.start(given, name))

    def names(self) -> list[str]:
        """Of every execution that anybody started."""
        return [one.name for one in self.backend.describe_state_machine(self.arn).executions]

    def execution(self, name: str) -> Any:
        """One that somebody started."""
        machine = self.backend.describe_state_machine(self.arn)
        return next(one for one in machine.executions if one.name == name)

    @staticmethod
    def ended(execution: Any) -> Any:
        until = time.monotonic() + PATIENCE
        while execution.status == "RUNNING":
            assert time.monotonic() < until, "the execution does not end"
            time.sleep(0.05)
        return execution

    def steps(self) -> list[str]:
        return [event["step"] for event, _ in self.calls if "step" in event]


@contextmanager
def machine(
    minio: Minio,
    folder: Path,
    environ: Mapping[str, str],
    *,
    concurrency: int = 2,
    batch_seconds: float = 900,
    part_seconds: float = 900,
) -> Iterator[Machine]:
    """A machine whose two functions are processes with these variables, two of each at most."""
    stack = Stack(translated(), FAN_OUT)
    declared = {
        "FanOutFunction": Declared(
            "FanOutFunction", _handler(stack, "FanOutFunction"), part_seconds, 1769, concurrency
        ),
        "BatchFunction": Declared("BatchFunction", _handler(stack, "BatchFunction"), batch_seconds, 1769, concurrency),
    }
    functions = {name: Function(one, lambda _: None) for name, one in declared.items()}
    backend = StepFunctionsParserBackend(REGION, ACCOUNT)
    made = definition(concurrency)
    created = backend.create_state_machine(name="stack-fan-out", definition=json.dumps(made), roleArn=ROLE)
    it = Machine(backend, created.arn, functions)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _door(it, minio))
    server.daemon_threads = True
    port = str(server.server_address[1])
    own = {**environ, "AWS_ENDPOINT_URL_SFN": f"http://127.0.0.1:{port}", "BATCH_FANOUT": created.arn}
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    with (folder / "functions.log").open("ab") as log, mock.patch.dict(os.environ, {"MOTO_PORT": port}):
        processes = Processes(ROOT, log, {**_plain_environment(), **own})
        for function in functions.values():
            processes.provide(function)
        thread.start()
        try:
            yield it
        finally:
            for function in functions.values():
                function.close()
            processes.close()
            server.shutdown()
            thread.join()
            server.server_close()


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MODEL_", "BATCH_"))}


def _handler(stack: Stack, function: str) -> str:
    (command,) = stack.properties(function)["ImageConfig"]["Command"]
    return str(command)


def step_functions(it: Machine, action: str, asked: Json) -> tuple[int, Json]:
    """What AWS answers, with its HTTP status. A name that is taken and a run that is not there are moto's to know.

    Source: AWS Step Functions API Reference, "StartExecution" and "DescribeExecution".
    """
    try:
        if action == "StartExecution":
            begun = it.backend.start_execution(asked["stateMachineArn"], asked["name"], asked["input"])
            return 200, {"executionArn": begun.exec_arn, "startDate": begun.start_date.timestamp()}
        assert action == "DescribeExecution", action
        found: Any = it.backend.describe_execution(asked["executionArn"])  # of the interpreter's own kind
        told = found.to_describe_output()
        return 200, {**told, "startDate": told["startDate"].timestamp(), "stopDate": _moment(told["stopDate"])}
    except AWSError as error:
        return 400, json.loads(error.get_body())


def _moment(at: datetime | None) -> float | None:
    return at.timestamp() if at else None


def _door(it: Machine, minio: Minio) -> type[BaseHTTPRequestHandler]:
    """Lambda's Invoke, what batch asks Step Functions, and S3's listing at one address, where moto asks."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            if target := headers.get("x-amz-target", ""):
                return self._answer_step_functions(target.rpartition(".")[2], json.loads(body))
            it.before(json.loads(body))
            answer = lambda_api.invoke(self.path, headers, body, it.functions, lambda *_: "")
            it.calls.append((json.loads(body), json.loads(answer.body or b"null")))
            return self._answer(answer.status, answer.headers, answer.body)

        def do_GET(self) -> None:
            keys = BotocoreCredentials(minio.root.access_key, minio.root.secret_key)
            asked = AWSRequest("GET", minio.endpoint + self.path)
            S3SigV4Auth(keys, "s3", REGION).add_auth(asked)
            prepared = asked.prepare()
            request = urllib.request.Request(prepared.url, headers=dict(prepared.headers.items()))  # noqa: S310 # ours
            with urllib.request.urlopen(request) as found:  # noqa: S310 # the server of this test
                self._answer(200, [("content-type", "application/xml")], found.read())

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

        def _answer_step_functions(self, action: str, asked: Json) -> None:
            status, told = step_functions(it, action, asked)
            self._answer(status, [("content-type", "application/x-amz-json-1.0")], json.dumps(told).encode())

        def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Door
