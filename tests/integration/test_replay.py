"""What an operator types once the cause of failed drops is mended: it shows them, sends them again, and loses none.

The queue, Lambda, CloudFormation and IAM are the simulator's, made by the template; batch is a real process.
"""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest

from functions.registry.store import open_store
from tests.local_room import eventually
from tests.models import publish_iris
from tests.simulator import stack
from tests.simulator.server import Keys, Simulator
from tests.simulator.stack import Deployed
from tests.template import ROOT

ROWS = b"sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n"
SCORED = b"sepal_length,sepal_width,petal_length,petal_width,prediction\n5.1,3.5,1.4,0.2,setosa\n"
WHEN = re.compile(r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}Z", re.MULTILINE)
GIVEN_UP = "given up after every attempt (about 3); "
NEEDED = {
    "cloudformation:DescribeStacks": "stack",
    "sqs:ReceiveMessage": "queue",
    "sqs:DeleteMessage": "queue",
    "sqs:ChangeMessageVisibility": "queue",
    "sqs:GetQueueAttributes": "queue",
    "lambda:InvokeFunction": "function",
}


@pytest.fixture
def deployed(simulator: Simulator) -> Iterator[Deployed]:
    """A stack without a model: every drop into it is given up."""
    name = f"replay-{secrets.token_hex(4)}"  # what an earlier stack's functions still do is not about this one
    made = stack.deploy(simulator, name, {"BucketPrefix": name})
    yield made
    made.delete()
    stack.empty(made)


def no_model(deployed: Deployed, key: str) -> str:
    store = f"s3://{deployed.outputs['ModelBucket']}"
    why = f"iris has no alias live in {store}; train and publish it, or name another"
    return f"Unfinished: 1 of 1 not finished: {key}: {why}"


def drop(deployed: Deployed, *keys: str) -> None:
    s3 = deployed.simulator.client("s3")
    for key in keys:
        s3.put_object(Bucket=deployed.outputs["DropBucket"], Key=key, Body=ROWS)


def give_up(deployed: Deployed, *keys: str) -> None:
    """Drops files and waits until their events are in the queue."""
    before = waiting(deployed)
    drop(deployed, *keys)
    eventually(lambda: waiting(deployed) == before + len(keys))


def waiting(deployed: Deployed, what: str = "ApproximateNumberOfMessages") -> int:
    sqs = deployed.simulator.client("sqs")
    told = sqs.get_queue_attributes(QueueUrl=deployed.outputs["BatchFailures"], AttributeNames=[what])
    return int(told["Attributes"][what])


def publish(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in deployed.simulator.environment().items():
        monkeypatch.setenv(name, value)
    publish_iris(open_store(f"s3://{deployed.outputs['ModelBucket']}"))


def scored(deployed: Deployed, key: str) -> dict[str, Any]:
    """The result, once its summary vouches for it."""
    s3, bucket = deployed.simulator.client("s3"), deployed.outputs["DropBucket"]
    name = key.replace("incoming/", "scored/", 1)

    def there() -> bool:
        return bool(s3.list_objects_v2(Bucket=bucket, Prefix=f"{name}.summary.json").get("Contents"))

    eventually(there)
    found: dict[str, Any] = s3.get_object(Bucket=bucket, Key=name)
    return found


def operate(simulator: Simulator, *words: str, keys: Keys | None = None, **environment: str | None) -> tuple[int, str]:
    """`python -m operations ...`: its exit code, and what it said with the moments taken out."""
    given: dict[str, str | None] = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    given |= {**simulator.environment(keys), **environment}
    ended = subprocess.run(
        [sys.executable, "-m", "operations", *words],
        cwd=ROOT,
        env={name: value for name, value in given.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return ended.returncode, WHEN.sub("<when>", ended.stdout) + ended.stderr


def test_it_shows_what_failed_and_why_and_everything_stays(deployed: Deployed) -> None:
    give_up(deployed, "incoming/a b.csv")
    shown = (
        "<when>  incoming/a b.csv\n"
        f"    {GIVEN_UP}{no_model(deployed, 'incoming/a b.csv')}\n"
        "    would be sent again\n"
        "1 would be sent again, 0 left in the queue\n"
    )
    calls = len(deployed.simulator.functions.calls)
    for _ in range(2):
        assert operate(deployed.simulator, "replay", "--stack", deployed.name, "--dry-run") == (0, shown)
    assert waiting(deployed) == 1
    assert len(deployed.simulator.functions.calls) == calls


def test_once_the_cause_is_mended_every_drop_is_scored_and_the_queue_is_empty(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"incoming/{number}.csv" for number in range(12)]  # more than SQS hands out at once
    give_up(deployed, *keys)
    publish(deployed, monkeypatch)
    code, said = operate(deployed.simulator, "replay", "--stack", deployed.name)
    assert code == 0
    blocks = [f"<when>  {key}\n    {GIVEN_UP}{no_model(deployed, key)}\n    sent again\n" for key in keys]
    assert sorted(re.findall(r"<when>.*\n.*\n.*\n", said)) == sorted(blocks)
    assert said.splitlines()[-1] == "12 sent again, 0 left in the queue"
    assert [scored(deployed, key)["Body"].read() for key in keys] == [SCORED] * 12
    assert operate(deployed.simulator, "replay", "--stack", deployed.name) == (0, "no failures in the queue\n")


def test_queue_and_function_can_be_named_and_a_few_be_tried_first(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_up(deployed, "incoming/a.csv", "incoming/b.csv", "incoming/c.csv")
    publish(deployed, monkeypatch)
    named = ["--queue", deployed.outputs["BatchFailures"], "--function", deployed.outputs["BatchFunction"]]
    code, said = operate(deployed.simulator, "replay", *named, "--max", "2")
    assert (code, said.splitlines()[-1]) == (0, "2 sent again, 0 left in the queue")
    assert waiting(deployed) == 1


def test_what_it_cannot_read_or_is_anothers_is_shown_and_left_for_others_at_once(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_up(deployed, "incoming/a.csv")
    publish(deployed, monkeypatch)
    sqs, queue = deployed.simulator.client("sqs"), deployed.outputs["BatchFailures"]
    other = {"requestContext": {"functionArn": stack.arn("lambda", "function:other:live")}, "requestPayload": {}}
    sent = sqs.send_message(QueueUrl=queue, MessageBody="hello\there")["MessageId"]
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(other))
    code, said = operate(deployed.simulator, "replay", "--stack", deployed.name)
    name = deployed.physical["BatchFunction"]
    assert code == 1
    assert said == (
        f"<when>  incoming/a.csv\n    {GIVEN_UP}{no_model(deployed, 'incoming/a.csv')}\n    sent again\n"
        f"<when>  message {sent}\n    left in the queue: it is not JSON: hello\\there\n"
        "    find out who put it there; SQS deletes it after 14 days, or you do in its console\n"
        "<when>  an event that tells of no file\n"
        "    given up; the function was not asked, or did not answer\n"
        f"    left in the queue: other gave it up, not {name}\n"
        "1 sent again, 2 left in the queue\n"
    )
    assert waiting(deployed) == 2
    assert scored(deployed, "incoming/a.csv")["Body"].read() == SCORED


def test_an_operator_needs_these_permissions_and_no_more(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    give_up(deployed, "incoming/a.csv")
    publish(deployed, monkeypatch)
    operator = deployed.simulator.user("operator", *map(statement(deployed), NEEDED))
    code, said = operate(deployed.simulator, "replay", "--stack", deployed.name, keys=operator)
    assert (code, said.splitlines()[-1]) == (0, "1 sent again, 0 left in the queue")


def test_where_lambda_may_not_be_called_the_message_stays_and_is_not_held(deployed: Deployed) -> None:
    give_up(deployed, "incoming/a.csv", "incoming/b.csv")
    allowed = [action for action in NEEDED if action != "lambda:InvokeFunction"]
    operator = deployed.simulator.user("reader", *map(statement(deployed), allowed))
    code, said = operate(deployed.simulator, "replay", "--stack", deployed.name, keys=operator)
    assert code == 1
    assert "left in the queue: Lambda did not take it\n0 sent again, 1 left in the queue\n" in said
    assert "replay: Lambda did not take it: An error occurred (AccessDenied" in said
    assert waiting(deployed) == 2


def test_where_a_message_cannot_be_deleted_it_says_so_and_a_second_run_scores_nothing_twice(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_up(deployed, "incoming/a.csv")
    publish(deployed, monkeypatch)
    allowed = [action for action in NEEDED if action != "sqs:DeleteMessage"]
    operator = deployed.simulator.user("sender", *map(statement(deployed), allowed))
    code, said = operate(deployed.simulator, "replay", "--stack", deployed.name, keys=operator)
    assert code == 1
    assert "replay: it was sent, and is still in the queue, since SQS did not delete it: An error occurred" in said
    first = scored(deployed, "incoming/a.csv")
    assert operate(deployed.simulator, "replay", "--stack", deployed.name)[0] == 0
    calls = eventually(lambda: answered(deployed, 2))
    assert [call.payload["records"][0]["status"] for call in calls] == ["scored", "already_done"]
    assert scored(deployed, "incoming/a.csv")["LastModified"] == first["LastModified"]
    assert waiting(deployed) == 0


def test_killed_after_a_drop_was_sent_it_can_be_run_again(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    give_up(deployed, "incoming/a.csv")
    publish(deployed, monkeypatch)
    with killing_before("DeleteMessage", deployed.simulator) as proxy:
        code, _ = operate(deployed.simulator, "replay", "--stack", deployed.name, AWS_ENDPOINT_URL_SQS=proxy.url)
        assert code == -9
    first = scored(deployed, "incoming/a.csv")
    held = "no failures in the queue\n1 more held by another run, or by one that was killed: seen again in 5 min\n"
    assert operate(deployed.simulator, "replay", "--stack", deployed.name) == (0, held)
    deployed.simulator.client("sqs").change_message_visibility(
        QueueUrl=deployed.outputs["BatchFailures"], ReceiptHandle=proxy.receipt, VisibilityTimeout=0
    )
    code, said = operate(deployed.simulator, "replay", "--stack", deployed.name)
    assert (code, said.splitlines()[-1]) == (0, "1 sent again, 0 left in the queue")
    eventually(lambda: answered(deployed, 2))
    assert scored(deployed, "incoming/a.csv")["LastModified"] == first["LastModified"]


def test_its_own_messages_are_not_told_as_anothers_though_the_queue_counts_them_late(deployed: Deployed) -> None:
    give_up(deployed, "incoming/a.csv", "incoming/b.csv", "incoming/c.csv")
    client, queue = deployed.simulator.client("sqs"), deployed.outputs["BatchFailures"]
    client.receive_message(QueueUrl=queue, MaxNumberOfMessages=1, VisibilityTimeout=300)  # somebody else's
    with giving_back_late(deployed.simulator) as proxy:
        code, said = operate(
            deployed.simulator, "replay", "--stack", deployed.name, "--dry-run", AWS_ENDPOINT_URL_SQS=proxy.url
        )
    assert (code, said.splitlines()[-2:]) == (
        0,
        [
            "2 would be sent again, 0 left in the queue",
            "1 more held by another run, or by one that was killed: seen again in 5 min",
        ],
    )


def test_it_says_what_to_do_where_it_cannot_begin(simulator: Simulator, deployed: Deployed) -> None:
    nobody = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_EC2_METADATA_DISABLED": "true"}
    usage = "; see python -m operations replay --help\n"
    without_outputs = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    stack.create(simulator, "other", without_outputs, {})
    told = [
        operate(simulator, "replay"),
        operate(simulator, "replay", "--queue", "https://queue"),
        operate(simulator, "replay", "--stack", deployed.name, "--function", "batch"),
        operate(simulator, "replay", "--stack", "nowhere"),
        operate(simulator, "replay", "--stack", "other"),
        operate(simulator, "replay", "--stack", deployed.name, keys=None, **nobody),
        operate(simulator, "replay", "--stack", deployed.name, AWS_REGION=None, AWS_DEFAULT_REGION=None),
        operate(simulator, "replay", "--stack", deployed.name, "--profile", "nobody"),
        operate(simulator, "replay", "--stack", deployed.name, "--max", "0"),
        operate(simulator, "again"),
    ]
    assert [code for code, _ in told] == [2] * len(told)
    assert [said for _, said in told] == [
        "operations: give --stack, or --queue and --function\n",
        "operations: give --stack, or --queue and --function\n",
        "operations: give --stack, or --queue and --function\n",
        "operations: there is no stack nowhere in eu-central-1; name it as in samconfig.toml, or another --region\n",
        "operations: the stack other has no output BatchFailures; is it one of this project's template.yaml?\n",
        "operations: there are no AWS credentials here; name a --profile, or run: aws configure\n",
        "operations: there is no region; give --region, or set AWS_REGION\n",
        "operations: The config profile (nobody) could not be found\n",
        f"operations: Invalid value for '--max': Input should be greater than or equal to 1{usage}",
        "operations: No such command 'again'; see python -m operations --help\n",
    ]


def answered(deployed: Deployed, count: int) -> list[Any]:
    """The function's last answers about this stack that were no failures, once there are so many."""
    name = deployed.physical["BatchFunction"]
    calls = [call for call in deployed.simulator.functions.called(name) if not call.failed]
    return calls[-count:] if len(calls) >= count else []


def statement(deployed: Deployed) -> Any:
    """Action -> the statement that allows it on this stack alone."""
    resources = {
        "stack": stack.arn("cloudformation", f"stack/{deployed.name}/*"),
        "queue": stack.arn("sqs", deployed.physical["BatchFailures"].rpartition("/")[2]),
        "function": deployed.outputs["BatchFunction"],
    }
    return lambda action: {"Effect": "Allow", "Action": action, "Resource": resources[NEEDED[action]]}


class between:  # noqa: N801 - used as a statement
    """SQS's address for a process, with somebody between who may keep a request from SQS."""

    def __init__(self, simulator: Simulator) -> None:
        outer = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                action = self.headers["x-amz-target"].rpartition(".")[2]
                said = outer.instead(action, json.loads(body), self.client_address[1])
                if said is None:
                    url = simulator.endpoint + self.path
                    request = urllib.request.Request(url, body, dict(self.headers.items()))  # noqa: S310 - always http
                    with urllib.request.urlopen(request) as answer:  # noqa: S310 - always http
                        said = answer.read()
                with suppress(ConnectionError):  # who was killed does not listen
                    self.send_response(200)
                    self.send_header("content-type", "application/x-amz-json-1.0")
                    self.send_header("content-length", str(len(said)))
                    self.end_headers()
                    self.wfile.write(said)

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def instead(self, action: str, asked: dict[str, Any], port: int) -> bytes | None:
        """What is answered without asking SQS; None to ask it. port: the asking process's."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class killing_before(between):  # noqa: N801 - used as a statement
    """Ends the process as by kill -9 when it asks for one thing."""

    def __init__(self, action: str, simulator: Simulator) -> None:
        super().__init__(simulator)
        self.receipt = ""
        self._action = action

    def instead(self, action: str, asked: dict[str, Any], port: int) -> bytes | None:
        if action != self._action:
            return None
        self.receipt = asked["ReceiptHandle"]
        kill_peer(port)
        return b""


class giving_back_late(between):  # noqa: N801 - used as a statement
    """SQS counts late: what the process gives back is still counted as held."""

    def instead(self, action: str, asked: dict[str, Any], port: int) -> bytes | None:  # noqa: ARG002 - it is asked so
        return b"{}" if action == "ChangeMessageVisibility" else None


def kill_peer(port: int) -> None:
    """Ends the process on the other end of a connection from this port of this machine."""
    (inode,) = (
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port:04X}")
    )
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(link.readlink()) == f"socket:[{inode}]":
                os.kill(int(link.parts[2]), signal.SIGKILL)
                return
        except OSError:
            continue
