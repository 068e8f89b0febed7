"""The steps of the rehearsal, in order; each shows what it does, checks it, and raises NotAsShown where it is wrong."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local import showcase
from local.showcase import NotAsShown
from local.terminal import say
from tests.rehearsal.person import Person, eventually, show
from tests.simulator import http_api, leftovers, server, stack
from tests.simulator.server import Simulator
from tests.simulator.stack import Deployed

STACK = "serverless-sklearn"
PREFIX = "rehearsal"
# A warm predict looks for a promotion every second, so that nobody has to wait a minute here.
PARAMETERS = {"BucketPrefix": PREFIX, "ModelRefreshSeconds": "1"}


@dataclass
class Rehearsal:
    """What the steps hand on to each other. `folder` holds everything the simulator keeps."""

    folder: Path
    opened: ExitStack
    simulator: Simulator = field(init=False)
    deployed: Deployed = field(init=False)
    person: Person = field(init=False)
    store: str = ""
    first: str = ""
    """The version that is published first, and gone back to."""
    second: str = ""

    def check(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            raise NotAsShown(f"{what}: {found}, expected {expected}")


def begin(it: Rehearsal) -> None:
    it.simulator = it.opened.enter_context(server.running(it.folder))
    show(f"{it.simulator.endpoint}: S3, Lambda, API Gateway, SQS, IAM, CloudFormation (ministack), in {it.folder}")
    show("functions run as awslambdaric processes of the code here, with the keys of their roles")
    show("$ is what you would type with an account; python is run so, the others are made as the same requests")


def deploy(it: Rehearsal) -> None:
    it.deployed = stack.deploy(it.simulator, STACK, PARAMETERS)
    it.store = f"s3://{it.deployed.outputs['ModelBucket']}"
    it.person = Person(it.deployed, it.simulator.user("you", {"Effect": "Allow", "Action": "*", "Resource": "*"}))
    statuses = it.deployed.statuses()
    it.check("the resources", set(statuses.values()), {"CREATE_COMPLETE"})
    show(f"template.yaml, translated by SAM, with {PARAMETERS}: {len(statuses)} resources made")
    whole = it.deployed.expected.resources
    for name in sorted(set(whole) - set(statuses)):
        show(f"not here but on AWS: {name} ({stack.why_left_out(whole[name])})")
    for name, value in it.deployed.outputs.items():
        show(f"{name}: {value}")


def train(it: Rehearsal) -> None:
    it.person.types("training", *_fit(it))
    it.first = _alias(it, "live")
    show(f"iris {it.first} is live")


def ask(it: Rehearsal) -> None:
    answer = it.person.asks(showcase.REQUEST)
    it.check("the status", answer.status, 200)
    showcase.check_answer(answer.json, ["setosa"])
    it.check("the version", answer.json["model"], {"name": "iris", "version": it.first})
    it.check("the status of a request that is not signed", it.person.asks(showcase.REQUEST, signed=False).status, 403)


def drop(it: Rehearsal) -> None:
    it.person.drops("flowers.csv", showcase.DROPPED)
    _check_scored(it, "flowers.csv", it.first)
    show((it.person.finds("scored/flowers.csv") or b"").decode())
    show((it.person.finds("rejected/flowers.csv") or b"").decode())


def fail(it: Rehearsal) -> None:
    bucket, s3 = it.deployed.outputs["ModelBucket"], it.simulator.client("s3")
    before = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    role = stack.arn("iam", f"role/{it.deployed.physical['BatchRole']}").replace(":eu-central-1:", "::")
    mistake = {
        "Effect": "Deny",
        "Principal": {"AWS": role},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy = json.loads(before)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**policy, "Statement": [*policy["Statement"], mistake]}))
    show("somebody's mistake: the policy of the model bucket now refuses batch's role")
    calls = len(_calls(it))
    it.person.drops("given-up.csv", showcase.DROPPED)
    eventually(lambda: _waiting(it) == 1, "no message in the queue of failures")
    made = _calls(it)[calls:]
    it.check("the attempts", [call.failed for call in made], [True] * 3)
    show("batch was tried three times, as BatchRetries says, and the event lies in the queue of failures")
    said = it.person.types("operations", "replay", "--stack", STACK, "--dry-run")
    it.check("what was found", said.splitlines()[-1], "1 would be sent again, 0 left in the queue")
    s3.put_bucket_policy(Bucket=bucket, Policy=before)
    show("mended: the policy is as the stack made it")


def replay(it: Rehearsal) -> None:
    said = it.person.types("operations", "replay", "--stack", STACK)
    it.check("what was done", said.splitlines()[-1], "1 sent again, 0 left in the queue")
    _check_scored(it, "given-up.csv", it.first)
    it.check("the messages left", _waiting(it), 0)


def promote(it: Rehearsal) -> None:
    it.person.types("training", *_fit(it), "--seed", "1", "--alias", "candidate")
    it.second = _alias(it, "candidate")
    it.check("what is live before the promotion", _alias(it, "live"), it.first)
    it.person.types("training", "promote", "candidate", "--name", "iris", "--store", it.store)
    _follow(it, it.second, "promoted.csv")


def rollback(it: Rehearsal) -> None:
    it.person.types("training", "rollback", "--name", "iris", "--store", it.store)
    _follow(it, it.first, "rolled-back.csv")


def tear_down(it: Rehearsal) -> None:
    endpoint = it.simulator.endpoint
    it.check("what runs", len(leftovers.processes(endpoint)) >= 2, True)
    say(f"$ aws cloudformation delete-stack --stack-name {STACK}")
    it.deployed.delete()
    kept = leftovers.of_stack(it.simulator, STACK, PREFIX)
    it.check("what outlives the stack", sorted(kept), it.deployed.buckets())
    show(f"outlive the stack, with models, drops and results in them: {', '.join(sorted(kept))}")
    stack.empty(it.deployed)
    show("both emptied, every version of every object, and deleted")
    it.check("what is left in the account", leftovers.of_stack(it.simulator, STACK, PREFIX), [])
    it.opened.close()
    it.check("processes that are left", leftovers.processes(endpoint), [])
    it.check("processes that are left in its folder", leftovers.processes(str(it.folder)), [])
    show("the simulator and every function process have ended")


STEPS: tuple[tuple[str, Callable[[Rehearsal], None]], ...] = (
    ("Start an AWS simulator", begin),
    ("Make the stack", deploy),
    ("Train on iris, and publish", train),
    ("Ask over HTTP", ask),
    ("Drop a file", drop),
    ("Drop a file that cannot be scored now", fail),
    ("Send it again once the cause is mended", replay),
    ("Promote another version", promote),
    ("Roll back", rollback),
    ("Tear down", tear_down),
)


def _fit(it: Rehearsal) -> list[str]:
    return ["fit", "data/iris.csv", "--target", "species", "--name", "iris", "--store", it.store]


def _alias(it: Rehearsal, name: str) -> str:
    bucket, key = it.deployed.outputs["ModelBucket"], f"models/iris/aliases/{name}.json"
    content = it.simulator.client("s3", it.person.keys).get_object(Bucket=bucket, Key=key)["Body"].read()
    return str(json.loads(content)["version"])


def _check_scored(it: Rehearsal, name: str, version: str) -> None:
    """Every row is where it belongs, with the labels that flowers of these measures have."""
    summary = it.person.summary(name)
    it.check("the status", summary["status"], "scored")
    it.check("the version", summary["model"]["version"], version)
    scored = it.person.finds(f"scored/{name}") or b""
    rejected = it.person.finds(f"rejected/{name}") or b""
    showcase.check_results(scored, rejected, summary["rows"], LABELS)


# By hand: setosas have small petals, virginicas the largest.
LABELS = ["setosa", "versicolor", "virginica", "setosa", "versicolor", "virginica"]


def _follow(it: Rehearsal, version: str, name: str) -> None:
    """What answers and what scores go over to this version."""
    body = json.dumps(showcase.REQUEST).encode()

    def answered() -> bool:
        url = it.deployed.outputs["Url"] + "/predict"
        answer = http_api.ask(
            it.simulator, url, body, keys=it.person.keys, headers={"content-type": "application/json"}
        )
        return bool(answer.json["model"]["version"] == version)

    eventually(answered, f"predict does not answer with {version}")
    it.check("the version", it.person.asks(showcase.REQUEST).json["model"]["version"], version)
    it.person.drops(name, showcase.DROPPED)
    _check_scored(it, name, version)


def _calls(it: Rehearsal) -> list[Any]:
    return it.simulator.functions.called(it.deployed.physical["BatchFunction"])


def _waiting(it: Rehearsal) -> int:
    what = "ApproximateNumberOfMessages"
    told = it.simulator.client("sqs").get_queue_attributes(
        QueueUrl=it.deployed.outputs["BatchFailures"], AttributeNames=[what]
    )
    return int(told["Attributes"][what])
