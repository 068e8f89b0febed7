"""The template's retraining, run by moto's interpreter: its steps are real functions, its training jobs real runs of
the training command in SageMaker's contract, its mails are kept. It knows no test.

moto forwards CreateTrainingJob to whoever answers, and does not know how `.sync` waits: here the job is asked about
until it has ended, and a job that failed fails the state with its description for a cause, as Step Functions does. Nor
does it spell the SDK's names for Step Functions' own API as AWS does, with capitals, or times as texts; and it asks by
boto3, and compares times, without the fractions of a second.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl

import boto3
from botocore.serialize import Serializer
from botocore.validate import ParamValidator
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.choice.comparison.operator.implementations.is_operator import (
    IsTimestamp,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_unsupported import (
    StateTaskServiceUnsupported,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from local import lambda_api
from local.declared import Declared
from local.function import Function
from local.process import Processes
from tests.minio_server import REGION, Minio
from tests.state_machine import ACCOUNT, Machine
from tests.template import DROPS, MODELS, RETRAINING, ROOT, Json, Stack, environment, role_policies, translated

ROLE = f"arn:aws:iam::{ACCOUNT}:role/retraining"
RUN_JOB = (
    "import sys; from pathlib import Path; from training.commands.unattended import train_under; "
    "sys.exit(train_under(Path(sys.argv[1])))"
)


def definition(parameters: Mapping[str, str], models: str, drops: str) -> Json:
    """The machine's definition as CloudFormation makes it, but for its buckets' names, and waits, which are short: one
    of a minute takes a second, one of seven three."""
    made = Stack(translated(), {**RETRAINING, **parameters}).properties("RetrainingMachine")["Definition"]
    text = json.dumps(made).replace(MODELS, models).replace(DROPS, drops)
    text = text.replace("TrainingRole.Arn", ROLE.replace("retraining", "training"))
    return json.loads(text, object_hook=_hurried)


def _hurried(state: Json) -> Json:
    if state.get("Type") == "Wait":
        return {**state, "Seconds": max(1, state["Seconds"] // 140)}
    short = {"IntervalSeconds": 1, "BackoffRate": 1.0}
    return {name: short.get(name, value) for name, value in state.items()}


@dataclass
class Job:
    """A training job as SageMaker describes it. created, ended: as time.time()."""

    request: Json
    created: float
    ended: float | None = None
    status: str = "InProgress"
    reason: str | None = None

    def described(self) -> Json:
        told = {name: value for name, value in self.request.items() if name != "Environment"}
        reason = {"FailureReason": self.reason} if self.reason else {}
        return {**told, "TrainingJobStatus": self.status, "SecondaryStatus": self.status, **reason}


@dataclass
class SageMaker:
    """Runs each job as a process of its own over a folder of its own, as the template's training role.

    looks: how often jobs were listed. throttles: whether it refuses that.
    """

    minio: Minio
    folder: Path
    environ: Mapping[str, str]
    jobs: dict[str, Job] = field(default_factory=dict)
    before: Callable[[Job], None] = lambda _: None
    after: Callable[[Job], None] = lambda _: None
    looks: int = 0
    throttles: bool = False

    def create(self, request: Json) -> None:
        """Raises ValueError for what SageMaker's API would not take, or a name that a job has."""
        _check("CreateTrainingJob", request)
        name = request["TrainingJobName"]
        if name in self.jobs or len(name) > 63:
            raise ValueError(f"{name} is taken or too long")
        job = self.jobs[name] = Job(request, time.time())
        threading.Thread(target=self._run, args=(job,), daemon=True).start()

    def listed(self, request: Json) -> Json:
        """As ListTrainingJobs: the newest first. Raises ValueError for what SageMaker's API would not take."""
        self.looks += 1
        _check("ListTrainingJobs", request)
        found = [
            {"TrainingJobName": name, "TrainingJobArn": _arn(name), "CreationTime": job.created,
             "TrainingJobStatus": job.status}
            for name, job in reversed(list(self.jobs.items()))
            if request["NameContains"] in name and job.created > request["CreationTimeAfter"]
        ]  # fmt: skip
        return {"TrainingJobSummaries": found[: request["MaxResults"]]}

    def _run(self, job: Job) -> None:
        root = self.folder / job.request["TrainingJobName"]
        try:
            self.before(job)
            (root / "input" / "config").mkdir(parents=True)
            hyperparameters = json.dumps(job.request["HyperParameters"])
            (root / "input" / "config" / "hyperparameters.json").write_text(hyperparameters)
            self._channel(job, root / "input" / "data" / "train")
            ran = subprocess.run(
                [sys.executable, "-c", RUN_JOB, str(root)], cwd=ROOT, capture_output=True, text=True,
                env={**self.environ, **job.request["Environment"]},
            )  # fmt: skip
            self.after(job)
            reason = root / "output" / "failure"
            if ran.returncode:
                why = reason.read_text() if reason.exists() else ran.stderr[-500:]
                job.reason = f"AlgorithmError: {why}, exit code: {ran.returncode}"
        except Exception as error:
            job.reason = f"InternalServerError: {error!r}"
        job.ended = time.time()
        job.status = "Failed" if job.reason else "Completed"

    def _channel(self, job: Job, folder: Path) -> None:
        """What SageMaker brings, by the role of the job."""
        folder.mkdir(parents=True)
        (channel,) = job.request["InputDataConfig"]
        bucket, _, prefix = channel["DataSource"]["S3DataSource"]["S3Uri"].removeprefix("s3://").partition("/")
        client = boto3.client(
            "s3",
            endpoint_url=self.minio.endpoint,
            region_name=REGION,
            aws_access_key_id=self.environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environ["AWS_SECRET_ACCESS_KEY"],
        )
        for one in client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
            path = folder / one["Key"].removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(bucket, one["Key"], str(path))


def _check(operation: str, request: Json) -> None:
    """Raises ValueError for what SageMaker's own model of the operation has no place for."""
    client = boto3.client("sagemaker", region_name=REGION)
    report = ParamValidator().validate(request, client.meta.service_model.operation_model(operation).input_shape)
    if report.has_errors():
        raise ValueError(report.generate_report())


def _arn(job: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{job}"


@dataclass
class Retraining:
    """A machine over two buckets.

    notices: what was published to its topic, as (subject, message). shown: what a list of the executions that run
    shows of them.
    """

    machine: Machine
    sagemaker: SageMaker
    minio: Minio
    models: str
    drops: str
    notices: list[tuple[str, str]]
    shown: Callable[[list[Json]], list[Json]] = lambda running: running

    def put(self, key: str, body: bytes) -> None:
        with self.minio.client(self.minio.root) as client:
            client.put_object(Bucket=self.drops, Key=key, Body=body)

    def versions(self) -> list[str]:
        """What was published under the model, oldest first."""
        with self.minio.client(self.minio.root) as client:
            found = client.list_objects_v2(Bucket=self.models, Prefix="models/iris/versions/").get("Contents", [])
        return sorted({one["Key"].split("/")[3] for one in found if one["Key"].endswith("/manifest.json")})

    def steps(self) -> list[tuple[str, str | None]]:
        """Each step that the function took, and the gate's decision or the error."""
        return [
            (event["step"], answer.get("decision") or answer.get("errorType")) for event, answer in self.machine.calls
        ]


@contextmanager
def retraining(
    minio: Minio,
    folder: Path,
    models: str,
    drops: str,
    parameters: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Retraining]:
    """The template's machine with these parameters over two buckets of the server.

    settings: variables of its function that are other than the template sets them.
    """
    given = {**RETRAINING, **(parameters or {})}
    stack = Stack(translated(), given)

    def acting_as(role: str) -> dict[str, str]:
        return {**_plain_environment(), **minio.environment(minio.user(role_policies(role, models, drops)))}

    function = Function(
        Declared("ReleaseFunction", stack.properties("ReleaseFunction")["ImageConfig"]["Command"][0], 300, 1769, 2),
        lambda _: None,
    )
    variables = {**environment(stack, "ReleaseFunction"), "MODEL_STORE": f"s3://{models}", **(settings or {})}
    del variables["AWS_ENDPOINT_URL"]  # the server's
    backend = StepFunctionsParserBackend(REGION, ACCOUNT)
    made = definition(given, models, drops)
    created = backend.create_state_machine(name="stack-retraining", definition=json.dumps(made), roleArn=ROLE)
    it = Retraining(
        Machine(backend, created.arn, {"ReleaseFunction": function}),
        SageMaker(minio, folder / "jobs", acting_as("TrainingRole")),
        minio, models, drops, [],
    )  # fmt: skip
    server = ThreadingHTTPServer(("127.0.0.1", 0), _door(it))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    with ExitStack() as stacked:
        log = stacked.enter_context((folder / "functions.log").open("ab"))
        port = str(server.server_address[1])
        stacked.enter_context(mock.patch.dict(os.environ, {"MOTO_PORT": port}))
        for service, method, own in (
            (StateTaskServiceUnsupported, "_assert_integration_pattern_is_supported", lambda _: None),
            (StateTaskServiceUnsupported, "_build_sync_resolver", _until_it_ends(it.sagemaker)),
            (StateTaskServiceAwsSdk, "_normalise_parameters", _small),
            (StateTaskServiceAwsSdk, "_normalise_response", _capital),
            (Serializer, "_timestamp_unixtimestamp", lambda _, moment: moment.timestamp()),
            (IsTimestamp, "string_to_timestamp", _moment),
        ):
            stacked.enter_context(mock.patch.object(service, method, own))
        processes = Processes(ROOT, log, {**acting_as("ReleaseRole"), **variables})
        processes.provide(function)
        thread.start()
        try:
            yield it
        finally:
            function.close()
            processes.close()
            server.shutdown()
            thread.join()
            server.server_close()


def _plain_environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "MODEL_", "BATCH_", "GATE_", "DATA_"))
    }


def _small(service: Any, parameters: dict[str, Json], **__: Any) -> None:
    """The parameters as boto3 names them, in place: SageMaker's with capitals."""
    if service.resource.api_name != "sfn":
        return
    for name in list(parameters):
        parameters[name[0].lower() + name[1:]] = parameters.pop(name)


def _capital(_: Any, response: Json, **__: Any) -> None:
    """The answer as AWS names it, in place."""
    for one in response if isinstance(response, list) else [response]:
        if isinstance(one, dict):
            for name in list(one):
                value = one.pop(name)
                _capital(None, value)
                one[name[0].upper() + name[1:]] = _text(value) if isinstance(value, datetime) else value


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def _moment(told: str | datetime) -> datetime:
    return told if isinstance(told, datetime) else datetime.fromisoformat(told)


def _until_it_ends(sagemaker: SageMaker) -> Any:
    def build(service: Any, env: Any, normalised_parameters: Any, **_: Any) -> Any:
        env.stack.pop()
        job = sagemaker.jobs[normalised_parameters["TrainingJobName"]]

        def ended() -> Json:
            if job.status == "InProgress":
                return None
            if job.status == "Completed":
                return job.described()
            details = EventDetails()  # type: ignore[typeddict-item] # moto fills in one of many, too
            details["taskFailedEventDetails"] = TaskFailedEventDetails(
                resource=service._get_sfn_resource(), resourceType=service._get_sfn_resource_type(),
                error="States.TaskFailed", cause=json.dumps(job.described()),
            )  # fmt: skip
            name = StatesErrorName(StatesErrorNameType.StatesTaskFailed)
            raise FailureEventException(FailureEvent(env, name, HistoryEventType.TaskFailed, details))

        return ended

    return build


def _door(it: Retraining) -> type[BaseHTTPRequestHandler]:
    """Lambda, SageMaker, SNS and Step Functions itself at one address, where moto asks."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = headers.get("x-amz-target", "").rpartition(".")[2]
            if asked == "ListExecutions":
                return self._json({"executions": it.shown(_listed(it.machine, json.loads(body)))})
            if asked in ("CreateTrainingJob", "ListTrainingJobs"):
                return self._json(*_sagemakers(it.sagemaker, asked, json.loads(body)))
            if b"Action=Publish" in body:
                given = dict(parse_qsl(body.decode()))
                it.notices.append((given["Subject"], given["Message"]))
                answer = b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
                return self._answer(200, [("content-type", "text/xml")], answer)
            event = json.loads(body)
            it.machine.before(event)
            invoked = lambda_api.invoke(self.path, headers, body, it.machine.functions, lambda *_: "")
            it.machine.calls.append((event, json.loads(invoked.body or b"null")))
            return self._answer(invoked.status, invoked.headers, invoked.body)

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

        def _json(self, told: Json, status: int = 200) -> None:
            headers = [("content-type", "application/x-amz-json-1.1"), ("x-amzn-requestid", "1")]
            self._answer(status, headers, json.dumps(told).encode())

        def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Door


def _sagemakers(sagemaker: SageMaker, asked: str, request: Json) -> tuple[Json, int]:
    """What SageMaker answers, and the status."""
    try:
        if asked == "CreateTrainingJob":
            sagemaker.create(request)
            return {"TrainingJobArn": _arn(request["TrainingJobName"])}, 200
        listed = sagemaker.listed(request)
    except ValueError as error:
        return {"__type": "ValidationException", "message": str(error)}, 400
    if sagemaker.throttles:
        return {"__type": "ThrottlingException", "message": "Rate exceeded"}, 400
    return listed, 200


def _listed(machine: Machine, asked: Json) -> list[Json]:
    """As ListExecutions: the newest first."""
    there: Any = machine.backend.describe_state_machine(asked["stateMachineArn"]).executions
    running = [one for one in there if one.status == asked["statusFilter"]]
    return [
        {
            "executionArn": one.exec_arn, "stateMachineArn": asked["stateMachineArn"], "name": one.name,
            "status": one.status, "startDate": one.start_date.timestamp(),
        }
        for one in reversed(running[-asked["maxResults"] :])
    ]  # fmt: skip
