"""A drop handed to the state machine: one run for each, whoever asks how often, and another where that came to nothing.

Step Functions is moto's, whose runs end when they are told to.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.stepfunctions.models import stepfunctions_backends

from functions.errors import StoreError, StoreUnavailable
from functions.registry import aws
from functions.registry.memory import MemoryStore
from functions.scoring.drop import digest_of
from functions.scoring.fanout.execution import MOST_RUNS, StateMachine
from functions.scoring.summary import Input

DROP = Input("incoming/day/x.csv", "e", "2026-01-01T00:00:00+00:00", None, 5)
NAME = digest_of(DROP)
REGION = "eu-central-1"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/fan-out"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield boto3.client("stepfunctions", region_name=REGION)


@pytest.fixture
def arn(client: Any) -> str:
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
    made: str = client.create_state_machine(name="fan-out", definition=definition, roleArn=ROLE)["stateMachineArn"]
    return made


def execution(arn: str, name: str) -> str:
    return f"{arn.replace(':stateMachine:', ':execution:')}:{name}"


def started(client: Any, arn: str, name: str, status: str) -> None:
    """A run of this name that came to this."""
    client.start_execution(stateMachineArn=arn, name=name, input="{}")
    end(arn, name, status)


def end(arn: str, name: str, status: str) -> None:
    stepfunctions_backends[ACCOUNT][REGION].describe_execution(execution(arn, name)).status = status


def runs(client: Any, arn: str) -> dict[str, str]:
    """Every run by its name, and what it came to."""
    return {one["name"]: one["status"] for one in client.list_executions(stateMachineArn=arn)["executions"]}


def meanwhile(monkeypatch: pytest.MonkeyPatch, when: str, act: Callable[[], None]) -> None:
    """Has something happen just before or after what a run came to is looked at."""
    make = aws.client

    def made(service: str) -> Any:
        client = make(service)
        client.meta.events.register(f"{when}.sfn.DescribeExecution", lambda **_: act())
        return client

    monkeypatch.setattr(aws, "client", made)


def test_a_drop_gets_one_run_under_its_own_name(client: Any, arn: str) -> None:
    machine = StateMachine(arn, MemoryStore("drops", "deep/"))
    machine.take(DROP)
    machine.take(DROP)
    (run,) = client.list_executions(stateMachineArn=arn)["executions"]
    assert run["name"] == NAME
    given = client.describe_execution(executionArn=run["executionArn"])["input"]
    assert json.loads(given) == {"bucket": "drops", "key": "deep/incoming/day/x.csv"}


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED", "PENDING_REDRIVE"])
def test_a_run_that_is_under_way_or_done_is_left_alone(client: Any, arn: str, status: str) -> None:
    started(client, arn, NAME, status)
    StateMachine(arn, MemoryStore("drops")).take(DROP)
    assert runs(client, arn) == {NAME: status}


@pytest.mark.parametrize("status", ["FAILED", "ABORTED", "TIMED_OUT"])
def test_a_drop_whose_run_came_to_nothing_gets_another_and_that_is_the_only_one(
    client: Any, arn: str, status: str
) -> None:
    started(client, arn, NAME, status)
    machine = StateMachine(arn, MemoryStore("drops", "deep/"))
    machine.take(DROP)
    machine.take(DROP)
    assert runs(client, arn) == {NAME: status, f"{NAME}-2": "RUNNING"}
    told = client.describe_execution(executionArn=execution(arn, f"{NAME}-2"))
    assert json.loads(told["input"]) == {"bucket": "drops", "key": "deep/incoming/day/x.csv"}


def test_the_second_run_is_looked_at_as_the_first_was(client: Any, arn: str) -> None:
    started(client, arn, NAME, "FAILED")
    started(client, arn, f"{NAME}-2", "TIMED_OUT")
    started(client, arn, f"{NAME}-3", "SUCCEEDED")
    machine = StateMachine(arn, MemoryStore("drops"))
    machine.take(DROP)
    assert len(runs(client, arn)) == 3
    end(arn, f"{NAME}-3", "ABORTED")
    machine.take(DROP)
    assert sorted(runs(client, arn).items())[3:] == [(f"{NAME}-4", "RUNNING")]


def test_two_workers_that_see_the_failed_run_at_once_start_one(
    client: Any, arn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(client, arn, NAME, "FAILED")
    machine = StateMachine(arn, MemoryStore("drops"))
    others = iter([machine])

    def overtake() -> None:
        for other in others:
            other.take(DROP)

    meanwhile(monkeypatch, "after-call", overtake)
    machine.take(DROP)
    assert next(others, None) is None
    assert runs(client, arn) == {NAME: "FAILED", f"{NAME}-2": "RUNNING"}


def test_after_ten_runs_that_came_to_nothing_it_is_told_what_to_do(client: Any, arn: str) -> None:
    names = [NAME, *(f"{NAME}-{number}" for number in range(2, 11))]
    for name in names:
        started(client, arn, name, "FAILED")
    with pytest.raises(StoreError) as raised:
        StateMachine(arn, MemoryStore("drops")).take(DROP)
    assert raised.value.message == (
        f"incoming/day/x.csv is not handed over to {arn} again: 10 runs of it came to nothing, the last of them "
        f"{NAME}-10; mend what that says, then drop the file again"
    )
    assert runs(client, arn) == dict.fromkeys(names, "FAILED")
    assert len(names) == MOST_RUNS
    assert max(map(len, names)) <= 80  # what a name may have


def test_a_run_that_is_forgotten_while_it_is_looked_at_fails_the_event_so_that_it_comes_again(
    client: Any, arn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(client, arn, NAME, "FAILED")
    there = stepfunctions_backends[ACCOUNT][REGION].describe_state_machine(arn).executions
    meanwhile(monkeypatch, "before-call", there.clear)
    with pytest.raises(StoreUnavailable) as raised:
        StateMachine(arn, MemoryStore("drops")).take(DROP)
    assert raised.value.message == (
        f"incoming/day/x.csv cannot be handed over to {arn}: An error occurred (ExecutionDoesNotExist) when calling "
        f"the DescribeExecution operation: Execution Does Not Exist: '{execution(arn, NAME)}'"
    )


def test_a_machine_that_is_not_there_fails_the_event_so_that_it_comes_again(client: Any, arn: str) -> None:
    del client
    missing = f"{arn}-gone"
    with pytest.raises(StoreUnavailable) as raised:
        StateMachine(missing, MemoryStore("drops")).take(DROP)
    assert raised.value.message.startswith(f"incoming/day/x.csv cannot be handed over to {missing}: ")
