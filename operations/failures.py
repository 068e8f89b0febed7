"""A message of the queue of failures, read: what failed, why, and what to send again; pure, it must not know SQS.

Source: AWS Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from functions.envelopes import storage
from functions.errors import EventError
from functions.messages import ObjectCreated

EXCERPT = 120  # characters of a message that cannot be read


@dataclass(frozen=True, slots=True)
class Failure:
    """An event that was given up. `function` is the name of who gave it up, `payload` the event as JSON."""

    id: str
    receipt: str
    moment: datetime
    function: str
    what: str
    why: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that is no record of a failure, and how it begins."""

    id: str
    receipt: str
    moment: datetime
    problem: str
    excerpt: str


def read(message: Mapping[str, Any]) -> Failure | Unreadable:
    """A message as SQS gives it, with its attribute SentTimestamp."""
    body = str(message["Body"])
    moment = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    known = (str(message["MessageId"]), str(message["ReceiptHandle"]), moment)
    try:
        told = json.loads(body, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return Unreadable(*known, "it is not JSON", _excerpt(body))
    if not isinstance(told, dict) or "requestPayload" not in told:
        return Unreadable(*known, "it holds no requestPayload, so no event to send again", _excerpt(body))
    context = told.get("requestContext")
    function = name_of(context.get("functionArn")) if isinstance(context, dict) else ""
    if not function:
        return Unreadable(*known, "it does not say whose failure it is (requestContext.functionArn)", _excerpt(body))
    event = told["requestPayload"]
    payload = json.dumps(event, separators=(",", ":")).encode()
    return Failure(*known, function, _what(event), _why(told), payload)


def name_of(function: object) -> str:
    """The function's name out of a name, `name:alias` or an ARN; empty where there is none."""
    parts = function.split(":") if isinstance(function, str) else []
    if parts[:1] == ["arn"]:
        return parts[6] if len(parts) > 6 else ""
    return parts[0] if parts else ""


def _what(event: Any) -> str:
    try:
        deliveries = storage.of(event).deliveries(event)
    except EventError:
        return "an event that tells of no file"
    objects = [message for delivery in deliveries for message in delivery.objects]
    keys = [message.key if isinstance(message, ObjectCreated) else message.key or "" for message in objects]
    return ", ".join(filter(None, keys)) or "an event that tells of no file"


def _why(told: Mapping[str, Any]) -> str:
    """The condition, how often it was tried, and what the function said, where it said anything."""
    context = told["requestContext"]
    condition = {
        "RetriesExhausted": "given up after every attempt",
        "EventAgeExceeded": "given up for its age, before it could be tried again",
    }.get(str(context.get("condition")), str(context.get("condition") or "given up"))
    count = context.get("approximateInvokeCount")
    attempts = f" (about {count})" if isinstance(count, int) else ""
    said = told.get("responsePayload")
    if isinstance(said, dict) and "errorMessage" in said:
        words = f"{said['errorType']}: {said['errorMessage']}" if said.get("errorType") else str(said["errorMessage"])
    elif said is None:
        words = "the function was not asked, or did not answer"
    else:
        words = json.dumps(said, ensure_ascii=False)
    return f"{condition}{attempts}; {words}"


def _no_json(constant: str) -> None:
    """Python would read NaN and Infinity, and Lambda would not take them."""
    raise ValueError(constant)


def _excerpt(body: str) -> str:
    return body if len(body) <= EXCERPT else f"{body[:EXCERPT]}..."
