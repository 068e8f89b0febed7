"""Sends failures to their function again, one by one; it must not know how they are shown or where names come from.

A message leaves the queue only once Lambda has taken its event. Killed in between, or run twice, an event is sent
twice, which is safe: a drop that is done is not scored again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from operations.failures import Failure, Unreadable, name_of, read

HELD_SECONDS = 300  # for which no other reader is given a message that this one has
AT_ONCE = 10  # the most that SQS hands out
ACCEPTED = 202


class Teller(Protocol):
    """Who is told what becomes of each message."""

    def sent(self, failure: Failure) -> None: ...

    def would_send(self, failure: Failure) -> None: ...

    def left(self, failure: Failure, why: str) -> None: ...

    def unreadable(self, message: Unreadable) -> None: ...


class Stopped(Exception):
    """AWS refused something; the words say what, and the rest is left as it was."""


@dataclass(slots=True)
class Replay:
    """One run over a queue. function: name, `name:alias` or ARN of who gets the events.

    Afterwards `sent` events were taken by Lambda (or would be, with dry_run), `left` messages were not touched, and
    `held_by_others` were with another reader, or with one that was killed, when the run began.
    """

    sqs: Any
    client: Any
    queue: str
    function: str
    dry_run: bool
    teller: Teller
    sent: int = 0
    left: int = 0
    held_by_others: int = 0
    _held: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def run(self, most: int | None = None) -> None:
        """most: events to send. Raises Stopped; in any case what is left is there for others at once."""
        self.held_by_others = self._held_messages()
        try:
            for message in self._messages(most):
                self._handle(message)
        finally:
            self._release()

    def _held_messages(self) -> int:
        """Asked before this run receives: SQS would count its own messages, for a while even after they are back."""
        wanted = "ApproximateNumberOfMessagesNotVisible"
        told = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=[wanted])
        return int(told["Attributes"][wanted])

    def _messages(self, most: int | None) -> Iterator[Failure | Unreadable]:
        while most is None or self.sent < most:
            told = self.sqs.receive_message(
                QueueUrl=self.queue,
                MaxNumberOfMessages=AT_ONCE if most is None else min(AT_ONCE, most - self.sent),
                MessageSystemAttributeNames=["SentTimestamp"],
                VisibilityTimeout=HELD_SECONDS,
                WaitTimeSeconds=1,  # asks every server of the queue, so that nothing received means nothing there
            )
            found = [message for message in told.get("Messages", []) if message["MessageId"] not in self._seen]
            if not found:
                return
            self._held += [message["ReceiptHandle"] for message in found]
            self._seen |= {message["MessageId"] for message in found}
            yield from map(read, found)

    def _handle(self, message: Failure | Unreadable) -> None:
        if isinstance(message, Unreadable):
            self.left += 1
            self.teller.unreadable(message)
        elif message.function != name_of(self.function):
            self.left += 1
            self.teller.left(message, f"{message.function} gave it up, not {name_of(self.function)}")
        elif self.dry_run:
            self.sent += 1
            self.teller.would_send(message)
        else:
            self._send(message)

    def _send(self, failure: Failure) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            told = self.client.invoke(FunctionName=self.function, InvocationType="Event", Payload=failure.payload)
        except (BotoCoreError, ClientError) as error:
            self.left += 1
            self.teller.left(failure, "Lambda did not take it")
            raise Stopped(f"Lambda did not take it: {error}") from error
        if told["StatusCode"] != ACCEPTED:
            self.left += 1
            self.teller.left(failure, "Lambda did not take it")
            raise Stopped(f"Lambda answered {told['StatusCode']} where {ACCEPTED} means that it took the event")
        self.sent += 1
        self.teller.sent(failure)
        try:
            self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=failure.receipt)
        except (BotoCoreError, ClientError) as error:
            raise Stopped(f"it was sent, and is still in the queue, since SQS did not delete it: {error}") from error
        self._held.remove(failure.receipt)

    def _release(self) -> None:
        """Best effort: what cannot be given back comes back by itself."""
        from contextlib import suppress

        from botocore.exceptions import BotoCoreError, ClientError

        for receipt in self._held:
            with suppress(BotoCoreError, ClientError):
                self.sqs.change_message_visibility(QueueUrl=self.queue, ReceiptHandle=receipt, VisibilityTimeout=0)
        self._held.clear()
