"""Starts the state machine for a drop that is too large for one function. It knows no steps."""

from typing import Any

import msgspec

from functions.errors import StoreError, StoreUnavailable
from functions.registry.store import Store
from functions.scoring.drop import digest_of
from functions.scoring.summary import Input

MOST_RUNS = 10
"""Of one drop, each after one that came to nothing: whatever fails so often is not mended by trying again."""

CAME_TO_NOTHING = ("FAILED", "ABORTED", "TIMED_OUT")


class StateMachine:
    """The machine with this ARN, over one data store.

    A run has its drop's name, so that there is one at a time, whoever asks how often. The name stays taken for ninety
    days after the run has ended, whatever it came to. Where that was nothing, the next run has the same name with a
    -2 after it, and so on.
    Sources: AWS Step Functions API Reference, "StartExecution" and "DescribeExecution".
    """

    def __init__(self, arn: str, data: Store) -> None:
        self._arn = arn
        self._data = data

    def take(self, drop: Input) -> None:
        """Starts a run for the drop, unless one is under way or has succeeded.

        Raises StoreUnavailable; StoreError where so many runs came to nothing that another would, too.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        from functions.registry import aws

        given = msgspec.json.encode({"bucket": self._data.bucket, "key": self._data.prefix + drop.key}).decode()
        name = digest_of(drop)
        try:
            client = aws.client("stepfunctions")
            for number in range(1, MOST_RUNS + 1):
                run = f"{name}-{number}" if number > 1 else name
                if self._started(client, run, given) or self._status(client, run) not in CAME_TO_NOTHING:
                    return
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailable(f"{drop.key} cannot be handed over to {self._arn}: {error}") from error
        raise StoreError(
            f"{drop.key} is not handed over to {self._arn} again: {MOST_RUNS} runs of it came to nothing, the last of "
            f"them {run}; mend what that says, then drop the file again"
        )

    def _started(self, client: Any, name: str, given: str) -> bool:
        """Whether a run of this name is under way now; not where one has ended, or was given something else."""
        try:
            client.start_execution(stateMachineArn=self._arn, name=name, input=given)
        except client.exceptions.ExecutionAlreadyExists:
            return False
        return True

    def _status(self, client: Any, name: str) -> str:
        machine = self._arn.replace(":stateMachine:", ":execution:", 1)
        told: str = client.describe_execution(executionArn=f"{machine}:{name}")["status"]
        return told
