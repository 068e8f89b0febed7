"""A message of the queue of failures says what failed and why, and gives the event back as it was."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from operations.failures import Failure, Unreadable, name_of, read

MOMENT = datetime(2026, 11, 23, 19, 23, 48, 443000, tzinfo=UTC)
DROP = {
    "Records": [
        {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": "drops"}, "object": {"key": "incoming/a+b.csv", "size": 15, "eTag": "74e6"}},
        }
    ]
}
# As in the Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations".
RECORD: dict[str, Any] = {
    "version": "1.0",
    "timestamp": "2026-11-23T19:23:48.443Z",
    "requestContext": {
        "requestId": "e4b46cbf-b738-4a8b-8880-a18cdf61200e",
        "functionArn": "arn:aws:lambda:eu-central-1:123456789012:function:stack-batch:live",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    },
    "requestPayload": DROP,
    "responseContext": {"statusCode": 200, "executedVersion": "1", "functionError": "Unhandled"},
    "responsePayload": {"errorMessage": "1 of 1 not finished: incoming/a b.csv: no model", "errorType": "Unfinished"},
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def message(body: str) -> dict[str, Any]:
    return {"MessageId": "m", "ReceiptHandle": "r", "Body": body, "Attributes": {"SentTimestamp": "1795461828443"}}


def record(**changes: Any) -> dict[str, Any]:
    return message(json.dumps({**RECORD, **changes}))


def test_a_record_as_lambda_writes_it_is_read() -> None:
    assert read(record()) == Failure(
        id="m",
        receipt="r",
        moment=MOMENT,
        function="stack-batch",
        what="incoming/a b.csv",
        why="given up after every attempt (about 3); Unfinished: 1 of 1 not finished: incoming/a b.csv: no model",
        payload=json.dumps(DROP, separators=(",", ":")).encode(),
    )


def test_an_event_that_grew_too_old_says_that_the_function_was_not_asked() -> None:
    context = {**RECORD["requestContext"], "condition": "EventAgeExceeded", "approximateInvokeCount": 0}
    found = read(record(requestContext=context, responseContext=None, responsePayload=None))
    assert isinstance(found, Failure)
    expected = "given up for its age, before it could be tried again (about 0); the function was not asked, or did not"
    assert found.why == expected + " answer"


def test_an_error_without_a_type_is_shown_by_its_words() -> None:
    found = read(record(responsePayload={"errorMessage": "Task timed out after 900.00 seconds"}))
    assert isinstance(found, Failure)
    assert found.why == "given up after every attempt (about 3); Task timed out after 900.00 seconds"


def test_an_event_that_is_no_storage_event_is_still_sent_as_it_was() -> None:
    found = read(record(requestPayload={"hello": [1, 2.5, None]}))
    assert isinstance(found, Failure)
    assert (found.what, found.payload) == ("an event that tells of no file", b'{"hello":[1,2.5,null]}')


def test_what_is_no_record_is_told_apart_by_what_it_lacks() -> None:
    context = {"condition": "RetriesExhausted"}
    bodies = ["hello", "[1]", "{}", '{"requestPayload": NaN}', json.dumps({**RECORD, "requestContext": context})]
    problems = [found.problem for found in map(read, map(message, bodies)) if isinstance(found, Unreadable)]
    assert problems == [
        "it is not JSON",
        "it holds no requestPayload, so no event to send again",
        "it holds no requestPayload, so no event to send again",
        "it is not JSON",
        "it does not say whose failure it is (requestContext.functionArn)",
    ]


def test_of_a_message_that_cannot_be_read_its_beginning_is_kept() -> None:
    assert read(message("x" * 500)) == Unreadable("m", "r", MOMENT, "it is not JSON", "x" * 120 + "...")


@given(st.text() | json_values.map(json.dumps))
def test_whatever_lies_in_the_queue_is_read_or_refused(body: str) -> None:
    assert isinstance(read(message(body)), Failure | Unreadable)


@given(json_values, json_values, json_values)
def test_the_event_comes_back_as_it_was(event: Any, said: Any, condition: Any) -> None:
    context = {**RECORD["requestContext"], "condition": condition}
    found = read(record(requestPayload=event, requestContext=context, responsePayload=said))
    assert isinstance(found, Failure)
    assert json.loads(found.payload) == event


def test_a_function_is_known_by_name_alias_and_arn() -> None:
    whole = "arn:aws:lambda:eu-central-1:123456789012:function:batch"
    assert [name_of(each) for each in ("batch", "batch:live", whole, f"{whole}:live", "arn:aws:lambda", None, 3)] == [
        *["batch"] * 4,
        *[""] * 3,
    ]
