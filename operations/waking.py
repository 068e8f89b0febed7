"""Whether a function version would answer calls, and how one that sleeps is woken; it must not know function aliases.

Lambda lets a version of an image sleep once nobody has called it for weeks: it rejects the next call, which makes it
ready again. One whose image is gone from its repository answers no call any more.
Sources: AWS Lambda Developer Guide, "Create a Lambda function using a container image" (function lifecycle), "Lambda
function states" and "Activating and managing Lambda SnapStart" (function states).
"""

import json
import time
from collections.abc import Callable
from typing import Any

from operations.stack import Refused

PATIENCE_SECONDS = 600  # a few are usual; a snapshot takes minutes
PAUSE_SECONDS = 2
TOLD_EVERY_SECONDS = 20

NO_WORK = {"Event": "s3:TestEvent"}
"""For the call that Lambda does not reject: batch acknowledges it, every other function refuses it unread."""

REJECTIONS = {
    "CodeArtifactUserPendingException",  # its image is being made ready
    "SnapStartNotReadyException",  # its snapshot is
    "ResourceNotReadyException",  # its way into the VPC is
    "ResourceConflictException",  # it is Pending
}
"""What Lambda answers to a call that wakes, or comes too early. Source: AWS Lambda API Reference, "Invoke"."""


def awaken(client: Any, function: str, version: str, what: str, say: Callable[[str], None]) -> None:
    """Returns once the version answers calls; `what` is what people call it.

    Raises Refused where it has failed, and where it is not ready in time.
    """
    began, told = time.monotonic(), 0.0
    while True:
        found = client.get_function_configuration(FunctionName=function, Qualifier=version)
        state, seconds = found["State"], time.monotonic() - began
        why = found.get("StateReason") or found.get("StateReasonCode") or "Lambda does not say why"
        if state == "Active":
            return
        if state not in ("Inactive", "Pending"):
            raise Refused(f"{what} is {state}, so that every call of it would fail: {why}")
        if seconds > PATIENCE_SECONDS:
            raise Refused(f"{what} is still {state} after {PATIENCE_SECONDS} s: {why}")
        if not told:
            say(f"{what} is {state}; waking it, which takes seconds or minutes, {PATIENCE_SECONDS} s at most")
            told = TOLD_EVERY_SECONDS
        elif seconds > told:
            say(f"{what} is {state} after {seconds:.0f} s: {why}")
            told += TOLD_EVERY_SECONDS
        if state == "Inactive":
            _call(client, function, version)
        time.sleep(PAUSE_SECONDS)


def _call(client: Any, function: str, version: str) -> None:
    """What it answers does not matter, nor that it is rejected."""
    from botocore.exceptions import ClientError

    try:
        client.invoke(FunctionName=function, Qualifier=version, Payload=json.dumps(NO_WORK))
    except ClientError as error:
        if error.response["Error"]["Code"] not in REJECTIONS:
            raise
