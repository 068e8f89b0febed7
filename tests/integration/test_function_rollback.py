"""What an operator types where a function's image or settings are bad: which versions there are, one back, and forth.

Lambda, CloudFormation and IAM are the simulator's, made by the template and deployed twice. CodeDeploy, which refuses
the next deployment of an alias that was moved by hand, is not there; what it compares is.
"""

import json
import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from functions.envelopes import release_steps, steps
from functions.errors import EventError
from operations import waking
from operations.function_versions import Function, alias, move
from operations.stack import Refused
from tests.integration.test_replay import operate
from tests.simulator import stack
from tests.simulator.server import Simulator
from tests.simulator.stack import Deployed

NEEDED = {
    "cloudformation:ListStackResources": "stack",
    "lambda:ListVersionsByFunction": "function",
    "lambda:GetAlias": "function",
    "lambda:GetFunctionConfiguration": "function",
    "lambda:InvokeFunction": "function",
    "lambda:UpdateAlias": "function",
}

# The simulator judges every call about one alias as this; AWS has them apart (Service Authorization Reference).
JUDGED = {"lambda:GetAlias": "lambda:ListAliases", "lambda:UpdateAlias": "lambda:ListAliases"}


@pytest.fixture(scope="module")
def deployed(simulator: Simulator) -> Iterator[Deployed]:
    """A stack that was deployed twice: predict and batch are at their second versions."""
    name = f"rollback-{secrets.token_hex(4)}"
    made = stack.deploy(simulator, name, {"BucketPrefix": name})
    stack.update(made, {"BucketPrefix": name, "LogRetentionDays": "30", "BatchProbabilities": "true"})
    yield made
    made.delete()
    stack.empty(made)


@pytest.fixture(autouse=True)
def _resumed(deployed: Deployed) -> Iterator[None]:
    """Every test finds the alias where the deployment left it."""
    yield
    client = deployed.simulator.client("lambda")
    client.update_alias(FunctionName=batch(deployed), Name="live", FunctionVersion="2", RoutingConfig={})


def batch(deployed: Deployed) -> str:
    return deployed.physical["BatchFunction"]


def live(deployed: Deployed) -> str:
    told = deployed.simulator.client("lambda").get_alias(FunctionName=batch(deployed), Name="live")
    return str(told["FunctionVersion"])


def typed(deployed: Deployed, command: str, *words: str) -> tuple[int, str]:
    code, said = operate(deployed.simulator, command, "--stack", deployed.name, *words)
    return code, re.sub(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}Z", "<when>", said)


def asleep(deployed: Deployed, version: str, rejection: str = "CodeArtifactUserPendingException") -> None:
    """A version of batch that was not called for weeks."""
    deployed.simulator.put_to_sleep(batch(deployed), version, "Inactive", "The function is idle.", rejection)


def calls(deployed: Deployed) -> list[Any]:
    return [call.event for call in deployed.simulator.functions.called(batch(deployed))]


def before_the_next(deployed: Deployed) -> str:
    return f"before the next deployment: python -m operations resume --stack {deployed.name} BatchFunction"


def shown(deployed: Deployed, live: str, *after: str) -> str:
    """All that `versions` says while batch's alias names this version, `after` being said of batch beneath."""
    marks: dict[str, list[str]] = {version: [] for version in ("2", "1")}
    marks[live].append("live")
    marks["2"].append("deployed last")
    of_batch = [f"  {', '.join(marks[version])}".rstrip() for version in ("2", "1")]
    lines = [
        f"BatchFunction  {batch(deployed)}",
        f"       2  <when>  Settings 2{of_batch[0]}",
        f"       1  <when>  Settings 1{of_batch[1]}",
        *after,
        f"PredictFunction  {deployed.physical['PredictFunction']}",
        "       2  <when>  Settings 2  live, deployed last",
        "       1  <when>  Settings 1",
    ]
    return "".join(f"{line}\n" for line in lines)


def test_versions_are_shown_newest_first_with_the_live_one_and_the_one_that_the_stack_deployed(
    deployed: Deployed,
) -> None:
    assert typed(deployed, "versions") == (0, shown(deployed, "2"))


def test_a_function_goes_one_version_back_is_told_so_and_comes_forth_again(deployed: Deployed) -> None:
    assert typed(deployed, "rollback", "BatchFunction") == (
        0,
        f"BatchFunction:live names version 1; it named 2\n{before_the_next(deployed)}\n",
    )
    assert live(deployed) == "1"
    assert typed(deployed, "versions") == (0, shown(deployed, "1", f"    {before_the_next(deployed)}"))
    assert typed(deployed, "resume", "BatchFunction") == (0, "BatchFunction:live names version 2; it named 1\n")
    assert live(deployed) == "2"
    assert typed(deployed, "resume", "BatchFunction") == (0, "BatchFunction:live names version 2 already\n")
    assert typed(deployed, "versions") == (0, shown(deployed, "2"))


def test_a_named_version_is_taken_and_calls_are_answered_by_it(deployed: Deployed) -> None:
    assert typed(deployed, "rollback", "BatchFunction", "1")[0] == 0
    lambda_ = deployed.simulator.client("lambda")
    told = lambda_.get_function_configuration(FunctionName=batch(deployed), Qualifier="live")
    assert told["Version"] == "1"
    assert typed(deployed, "rollback", "BatchFunction", "2") == (
        0,
        "BatchFunction:live names version 2; it named 1\n",
    )


@pytest.mark.parametrize("rejection", sorted(waking.REJECTIONS))
def test_a_version_that_was_not_called_for_weeks_is_woken_before_calls_go_to_it(
    deployed: Deployed, rejection: str
) -> None:
    asleep(deployed, "1", rejection)
    told = "version 1 of BatchFunction is Inactive; waking it, which takes seconds or minutes, 600 s at most"
    before = calls(deployed)
    assert typed(deployed, "rollback", "BatchFunction") == (
        0,
        f"BatchFunction:live names version 1; it named 2\n{before_the_next(deployed)}\n{told}\n",
    )
    now = deployed.simulator.client("lambda").get_function_configuration(FunctionName=f"{batch(deployed)}:live")
    assert (now["Version"], now["State"]) == ("1", "Active")
    asleep(deployed, "2", rejection)
    assert typed(deployed, "resume", "BatchFunction") == (
        0,
        "BatchFunction:live names version 2; it named 1\n" + f"{told}\n".replace("version 1", "version 2"),
    )
    assert calls(deployed) == before  # the calls that wake are rejected, so there was no work


def test_the_call_that_wakes_is_no_work_to_any_function_should_it_be_answered(deployed: Deployed) -> None:
    client = deployed.simulator.client("lambda")

    def answered(function: str) -> Any:
        name, event = deployed.physical[function], json.dumps(waking.NO_WORK)
        return json.loads(client.invoke(FunctionName=name, Qualifier="1", Payload=event)["Payload"].read())

    reason = "it is S3's test event"
    ignored = {"key": None, "status": "ignored", "reason": reason, "rows": None}
    assert answered("BatchFunction") == {"records": [ignored]}
    assert answered("PredictFunction")["error"]["code"] == "invalid_body"
    for step_of in (steps.of, release_steps.of):
        with pytest.raises(EventError):
            step_of(waking.NO_WORK)


def test_a_version_that_has_failed_is_refused_and_nothing_is_moved(deployed: Deployed) -> None:
    why = "The image is gone from its repository."
    deployed.simulator.put_to_sleep(batch(deployed), "1", "Failed", why, "CodeArtifactUserFailedException")
    try:
        assert typed(deployed, "rollback", "BatchFunction") == (
            2,
            f"operations: version 1 of BatchFunction is Failed, so that every call of it would fail: {why}; "
            "live stays at version 2: take another version, or mend that first\n",
        )
        assert live(deployed) == "2"
    finally:
        deployed.simulator.put_to_sleep(batch(deployed), "1", "Active", "", "")


def test_a_version_that_is_not_ready_in_time_is_refused_and_meanwhile_it_is_said_what_is_waited_for(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in {"PATIENCE_SECONDS": 1, "TOLD_EVERY_SECONDS": 0.4, "PAUSE_SECONDS": 0.1}.items():
        monkeypatch.setattr(waking, name, seconds)
    client = deployed.simulator.client("lambda")
    function = Function("BatchFunction", batch(deployed), "live", "2")
    why = "The function is being restored."
    deployed.simulator.put_to_sleep(batch(deployed), "1", "Pending", why, "ResourceConflictException")
    said: list[str] = []
    try:
        with pytest.raises(Refused) as raised:
            move(client, function, alias(client, function), "1", said.append)
    finally:
        deployed.simulator.put_to_sleep(batch(deployed), "1", "Active", "", "")
    assert str(raised.value) == (
        f"version 1 of BatchFunction is still Pending after 1 s: {why}; "
        "live stays at version 2: take another version, or mend that first"
    )
    assert said == [
        "version 1 of BatchFunction is Pending; waking it, which takes seconds or minutes, 1 s at most",
        f"version 1 of BatchFunction is Pending after 0 s: {why}",
        f"version 1 of BatchFunction is Pending after 1 s: {why}",
    ]
    assert live(deployed) == "2"


def test_a_call_that_is_rejected_for_another_reason_than_sleep_leaves_the_alias_where_it_is(deployed: Deployed) -> None:
    asleep(deployed, "1", "KMSDisabledException")
    try:
        code, said = typed(deployed, "rollback", "BatchFunction")
    finally:
        deployed.simulator.put_to_sleep(batch(deployed), "1", "Active", "", "")
    assert (code, said.splitlines()[1:], live(deployed)) == (
        2,
        [
            "operations: An error occurred (KMSDisabledException) when calling the Invoke operation: "
            "The operation cannot be performed at this time. The function is currently Inactive"
        ],
        "2",
    )


def test_during_a_rollout_nothing_is_moved_and_its_two_versions_are_shown(deployed: Deployed) -> None:
    shifting = {"AdditionalVersionWeights": {"2": 0.1}}
    client = deployed.simulator.client("lambda")
    client.update_alias(FunctionName=batch(deployed), Name="live", FunctionVersion="1", RoutingConfig=shifting)
    refused = (
        "operations: a roll-out of BatchFunction is under way and would move live again; "
        "end it first: aws deploy stop-deployment --auto-rollback-enabled --deployment-id ...\n"
    )
    assert typed(deployed, "rollback", "BatchFunction", "1") == (2, refused)
    assert typed(deployed, "resume", "BatchFunction") == (2, refused)
    told = client.get_alias(FunctionName=batch(deployed), Name="live")
    assert (told["FunctionVersion"], told["RoutingConfig"]) == ("1", shifting)
    assert typed(deployed, "versions")[1].splitlines()[1:4] == [
        "       2  <when>  Settings 2  live of a roll-out, deployed last",
        "       1  <when>  Settings 1  live",
        f"PredictFunction  {deployed.physical['PredictFunction']}",
    ]


def test_an_alias_that_somebody_else_moved_meanwhile_is_left(deployed: Deployed) -> None:
    client = deployed.simulator.client("lambda")
    function = Function("BatchFunction", batch(deployed), "live", "2")
    seen = alias(client, function)
    client.update_alias(FunctionName=batch(deployed), Name="live", FunctionVersion="1")
    with pytest.raises(Refused, match="somebody else moved live of BatchFunction just now; look again"):
        move(client, function, seen, "2", print)
    assert live(deployed) == "1"


def test_an_operator_needs_these_permissions_and_no_more(deployed: Deployed) -> None:
    resources = {
        "stack": stack.arn("cloudformation", f"stack/{deployed.name}/*"),
        "function": stack.arn("lambda", f"function:{batch(deployed)}"),
    }
    allowed: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": JUDGED.get(action, action), "Resource": [resources[on], f"{resources[on]}:*"]}
        for action, on in NEEDED.items()
    ]
    operator = deployed.simulator.user("roller", *allowed)
    words = ["--stack", deployed.name, "BatchFunction"]
    asleep(deployed, "1")
    code, said = operate(deployed.simulator, "rollback", *words, keys=operator)
    moved = (
        f"BatchFunction:live names version 1; it named 2\n{before_the_next(deployed)}\nversion 1 of BatchFunction is "
    )
    assert (code, said.startswith(moved)) == (0, True), said
    assert operate(deployed.simulator, "resume", *words, keys=operator)[0] == 0
    for without in {statement["Action"] for statement in allowed}:
        fewer = [statement for statement in allowed if statement["Action"] != without]
        asleep(deployed, "1")
        reader = deployed.simulator.user(without.replace(":", "-"), *fewer)
        code, said = operate(deployed.simulator, "rollback", *words, keys=reader)
        assert (code, f"not authorized to perform: {without}" in said) == (2, True), said
        assert live(deployed) == "2"


def test_it_says_what_to_do_where_it_cannot_begin(deployed: Deployed) -> None:
    simulator = deployed.simulator
    stack.create(simulator, "no-functions", {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}, {})
    typed(deployed, "rollback", "BatchFunction")
    told = [
        typed(deployed, "rollback", "BatchFunction"),
        typed(deployed, "rollback", "BatchFunction", "7"),
        typed(deployed, "rollback", "Batch"),
        typed(deployed, "resume", "Batch"),
        typed(deployed, "resume"),
        operate(simulator, "versions"),
        operate(simulator, "versions", "--stack", "nowhere"),
        operate(simulator, "versions", "--stack", "no-functions"),
    ]
    assert [code for code, _ in told] == [2] * len(told)
    assert [said for _, said in told] == [
        "operations: there is no version of BatchFunction older than 1\n",
        "operations: BatchFunction has no version 7; it has 2, 1\n",
        "operations: the stack has no function Batch; it has BatchFunction, PredictFunction\n",
        "operations: the stack has no function Batch; it has BatchFunction, PredictFunction\n",
        "operations: Missing argument 'FUNCTION'; see python -m operations resume --help\n",
        "operations: Missing option '--stack'; see python -m operations versions --help\n",
        "operations: there is no stack nowhere in eu-central-1; name it as in samconfig.toml, or another --region\n",
        "operations: the stack no-functions has no function with an alias; "
        "is it one of this project's template.yaml?\n",
    ]


def test_the_next_deployment_starts_from_the_version_that_was_resumed(deployed: Deployed) -> None:
    typed(deployed, "rollback", "BatchFunction", "1")
    typed(deployed, "resume", "BatchFunction")
    told = deployed.simulator.client("cloudformation").describe_stack_resources(StackName=deployed.name)
    (known,) = [
        each["PhysicalResourceId"].rpartition(":")[2]
        for each in told["StackResources"]
        if each["ResourceType"] == "AWS::Lambda::Version" and each["LogicalResourceId"].startswith("BatchFunction")
    ]
    assert live(deployed) == known == "2"
