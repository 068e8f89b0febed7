"""Starts the state machine for a drop that is too large for one function. It knows no steps."""

import msgspec

from functions.errors import StoreUnavailable
from functions.registry.store import Store
from functions.scoring.drop import digest_of
from functions.scoring.summary import Input


class StateMachine:
    """The machine with this ARN, over one data store.

    A run has its drop's name: whatever asks again, there is one, and after it none for ninety days but by hand.
    Source: AWS Step Functions API Reference, "StartExecution".
    """

    def __init__(self, arn: str, data: Store) -> None:
        self._arn = arn
        self._data = data

    def take(self, drop: Input) -> None:
        """Starts a run for the drop, unless there was one. Raises StoreUnavailable."""
        from botocore.exceptions import BotoCoreError, ClientError

        from functions.registry import aws

        given = msgspec.json.encode({"bucket": self._data.bucket, "key": self._data.prefix + drop.key}).decode()
        try:
            client = aws.client("stepfunctions")
            client.start_execution(stateMachineArn=self._arn, name=digest_of(drop), input=given)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise StoreUnavailable(f"{drop.key} cannot be handed over to {self._arn}: {error}") from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"{drop.key} cannot be handed over to {self._arn}: {error}") from error
