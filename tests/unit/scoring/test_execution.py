"""A drop handed to the state machine: one run for each, whoever asks how often. Step Functions by moto."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.errors import StoreUnavailable
from functions.registry.memory import MemoryStore
from functions.scoring.drop import digest_of
from functions.scoring.fanout.execution import StateMachine
from functions.scoring.summary import Input

DROP = Input("incoming/day/x.csv", "e", "2026-01-01T00:00:00+00:00", None, 5)
REGION = "eu-central-1"
ROLE = "arn:aws:iam::123456789012:role/fan-out"


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


def test_a_drop_gets_one_run_under_its_own_name(client: Any, arn: str) -> None:
    machine = StateMachine(arn, MemoryStore("drops", "deep/"))
    machine.take(DROP)
    machine.take(DROP)
    (run,) = client.list_executions(stateMachineArn=arn)["executions"]
    assert run["name"] == digest_of(DROP)
    given = client.describe_execution(executionArn=run["executionArn"])["input"]
    assert json.loads(given) == {"bucket": "drops", "key": "deep/incoming/day/x.csv"}


def test_a_run_of_this_name_that_is_over_is_not_started_again(client: Any, arn: str) -> None:
    client.start_execution(stateMachineArn=arn, name=digest_of(DROP), input="{}")
    StateMachine(arn, MemoryStore("drops")).take(DROP)
    assert len(client.list_executions(stateMachineArn=arn)["executions"]) == 1


def test_a_machine_that_is_not_there_fails_the_event_so_that_it_comes_again(client: Any, arn: str) -> None:
    del client
    missing = f"{arn}-gone"
    with pytest.raises(StoreUnavailable) as raised:
        StateMachine(missing, MemoryStore("drops")).take(DROP)
    assert raised.value.message.startswith(f"incoming/day/x.csv cannot be handed over to {missing}: ")
