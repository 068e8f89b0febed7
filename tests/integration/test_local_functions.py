"""Functions as real awslambdaric processes behind Lambda's Runtime API: starts, reuse, limits, crashes."""

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.local_room import Answer, Room, alive, eventually, room


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Enough for what leaves nothing behind that others would see."""
    with room(tmp_path_factory.mktemp("room")) as opened:
        yield opened


def failed(answer: Answer) -> tuple[str, str]:
    """Type and words of a function's error, its request id left out."""
    assert (answer.status, answer.headers["x-amz-function-error"]) == (200, "Unhandled")
    return answer.json["errorType"], re.sub(r"RequestId: [0-9a-f-]{36} ", "", answer.json["errorMessage"])


def test_an_idle_environment_is_used_again_by_a_client_that_waits_for_each_answer(shared: Room) -> None:
    answers = [shared.invoke("predict").json for _ in range(20)]
    assert len({answer["pid"] for answer in answers}) == 1
    assert [answer["count"] for answer in answers[1:]] == [answer["count"] + 1 for answer in answers[:-1]]
    assert answers[0]["pid"] != os.getpid()


def test_requests_at_once_get_a_process_each_and_one_too_many_is_throttled(tmp_path: Path) -> None:
    with room(tmp_path) as opened, ThreadPoolExecutor(3) as pool:
        slow = [pool.submit(opened.invoke, "predict", do="sleep", seconds=3) for _ in range(3)]
        eventually(lambda: len(opened.gateway.predict.environments()) == 3)
        throttled = opened.invoke("predict")
        assert (throttled.status, throttled.headers["x-amzn-errortype"], throttled.json) == (
            429,
            "TooManyRequestsException",
            {"Type": "User", "Message": "Rate Exceeded."},
        )
        refused = opened.ask()
        assert (refused.status, refused.json) == (503, {"message": "Service Unavailable"})
        assert len({each.result().json["pid"] for each in slow}) == 3
        assert opened.invoke("predict").status == 200


def test_a_call_that_takes_too_long_is_answered_as_lambda_does_and_its_process_is_ended(tmp_path: Path) -> None:
    with room(tmp_path, seconds=1) as opened:
        pid = opened.invoke("predict").json["pid"]
        slow = opened.invoke("predict", do="sleep", seconds=60)
        assert failed(slow) == ("Sandbox.Timedout", "Error: Task timed out after 1.00 seconds")
        eventually(lambda: not alive(pid))
        assert opened.invoke("predict").json["pid"] != pid


def test_a_crash_is_answered_with_its_exit_status_and_the_next_call_gets_a_new_process(shared: Room) -> None:
    before = shared.invoke("predict").json["pid"]
    assert failed(shared.invoke("predict", do="exit", code=3)) == (
        "Runtime.ExitError",
        "Error: Runtime exited with error: exit status 3",
    )
    assert failed(shared.invoke("predict", do="exit", code=0)) == (
        "Runtime.ExitError",
        "Error: Runtime exited without providing a reason",
    )
    assert shared.invoke("predict").json["pid"] != before


def test_a_process_that_dies_while_it_is_idle_is_not_noticed_by_the_client(shared: Room) -> None:
    before = shared.invoke("predict").json["pid"]
    os.kill(before, 9)
    eventually(lambda: not alive(before))
    assert shared.invoke("predict").json["pid"] != before


def test_an_environment_that_nobody_needed_for_long_is_taken_away(shared: Room) -> None:
    before = shared.invoke("predict").json["pid"]
    assert shared.gateway.predict.expired(3600) == []
    for environment in shared.gateway.predict.expired(0):
        environment.end()
    eventually(lambda: not alive(before))
    assert shared.invoke("predict").json["pid"] != before


def test_a_process_over_its_memory_is_ended(tmp_path: Path) -> None:
    with room(tmp_path, megabytes=200) as opened:
        pid = opened.invoke("predict").json["pid"]
        hog = opened.invoke("predict", do="hog", megabytes=400)
        assert failed(hog) == ("Runtime.OutOfMemory", "Error: Runtime exited with error: signal: killed")
        eventually(lambda: not alive(pid))


def test_what_the_handler_raises_is_told_with_its_type(shared: Room) -> None:
    answer = shared.invoke("predict", do="raise")
    assert (answer.headers["x-amz-function-error"], answer.headers["x-amz-executed-version"]) == (
        "Unhandled",
        "$LATEST",
    )
    assert (answer.json["errorType"], answer.json["errorMessage"]) == ("ValueError", "what the handler said")
    assert len(answer.json["stackTrace"]) == 1


def test_a_handler_that_cannot_be_imported_fails_each_call_with_its_reason(tmp_path: Path) -> None:
    with room(tmp_path, source="import no_such_module\n") as opened:
        for _ in range(2):
            kind, words = failed(opened.invoke("predict"))
            assert (kind, "No module named 'no_such_module'" in words) == ("Runtime.ImportModuleError", True)
        assert "predict: INIT failed" in opened.said.getvalue()


def test_a_process_that_ends_in_its_init_fails_the_call(tmp_path: Path) -> None:
    with room(tmp_path, source="import os\nos._exit(7)\n") as opened:
        assert failed(opened.invoke("predict")) == (
            "Runtime.ExitError",
            "Error: Runtime exited with error: exit status 7",
        )


def test_an_answer_over_six_megabytes_is_an_error_of_the_function(shared: Room) -> None:
    fits = shared.invoke("predict", do="large", bytes=6 * 1024 * 1024)
    assert (fits.status, len(fits.body)) == (200, 6 * 1024 * 1024 + 2)
    assert failed(shared.invoke("predict", do="large", bytes=6 * 1024 * 1024 + 99)) == (
        "Function.ResponseSizeTooLarge",
        "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    )
    assert shared.invoke("predict").status == 200


def test_functions_get_what_lambda_sets_and_the_callers_credentials(tmp_path: Path) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": "of-the-caller",
        "AWS_REGION": "eu-central-1",
        "AWS_LAMBDA_MAX_CONCURRENCY": "4",
        "_X_AMZN_TRACE_ID": "of-somebody-else",
    }
    with room(tmp_path, environ=environ) as opened:
        found = opened.invoke("predict", do="environment").json
        stream = found["AWS_LAMBDA_LOG_STREAM_NAME"]
        runtime_api = found["AWS_LAMBDA_RUNTIME_API"]
        assert {name: value for name, value in found.items() if name.startswith(("AWS_", "LAMBDA_", "_H", "TZ"))} == {
            "AWS_ACCESS_KEY_ID": "of-the-caller",
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            "AWS_LAMBDA_FUNCTION_NAME": "predict",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/predict",
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "LAMBDA_TASK_ROOT": str(tmp_path / "task"),
            "_HANDLER": "tiny.handler",
            "TZ": ":UTC",
        }
        assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)
        assert re.fullmatch(r"127\.0\.0\.1:\d+", runtime_api)
        assert found["_X_AMZN_TRACE_ID"].startswith("Root=1-")


def test_shutting_the_room_ends_every_process_even_a_busy_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        with room(tmp_path) as opened:
            idle = opened.invoke("batch").json["pid"]
            busy = opened.invoke("predict").json["pid"]
            call = pool.submit(opened.invoke, "predict", do="sleep", seconds=60)
            eventually(lambda: opened.gateway.predict.environments()[0].invocation)
        assert not alive(idle)
        assert not alive(busy)
        assert call.exception() is not None or call.result().status == 503
