"""The steps of the state machine that retrains, as events, and what a failed state means in words."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.envelopes import release_steps as steps
from functions.envelopes.release_steps import ExplainStep, GateStep, PromoteStep
from functions.errors import EventError

EVENTS = Path(__file__).parents[2] / "events"
RUN = "serverless-sklearn-0123456789abcdef0123456789abcdef"
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:stack-retraining:by-hand"


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("release-gate", GateStep(RUN, EXECUTION)),
        ("release-promote", PromoteStep(RUN, EXECUTION, None)),
    ],
)
def test_a_sample_step_is_read(name: str, step: steps.ReleaseStep) -> None:
    assert steps.of(json.loads((EVENTS / f"{name}.json").read_text())) == step


def test_the_sample_of_a_failure_is_put_into_words() -> None:
    step = steps.of(json.loads((EVENTS / "release-explain.json").read_text()))
    assert isinstance(step, ExplainStep)
    assert step.why == (
        f"the training job {RUN} ended as Failed: AlgorithmError: error: there is no column 'colour' for --target, "
        "exit code: 2"
    )


@pytest.mark.parametrize(
    ("error", "cause", "why"),
    [
        (
            "States.TaskFailed",
            '{"TrainingJobName": "job", "TrainingJobStatus": "Stopped", "SecondaryStatus": "MaxRuntimeExceeded"}',
            "the training job job ended as Stopped: MaxRuntimeExceeded",
        ),
        (
            "StoreUnavailable",
            '{"errorType": "StoreUnavailable", "errorMessage": "s3://m cannot be reached", "stackTrace": []}',
            "s3://m cannot be reached (StoreUnavailable)",
        ),
        ("SageMaker.SageMakerException", "no such instance", "SageMaker.SageMakerException: no such instance"),
        ("States.Timeout", "", "States.Timeout"),
        ("X", "[1]", "X: [1]"),
        ("X", "y" * 3000, "X: " + "y" * 2000),
    ],
)  # fmt: skip
def test_a_failed_state_says_why(error: str, cause: str, why: str) -> None:
    assert ExplainStep(EXECUTION, error, cause).why == why


@given(st.text(), st.text() | st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(
    st.sampled_from(["TrainingJobName", "TrainingJobStatus", "FailureReason", "errorMessage", "errorType"]), inner)
).map(json.dumps))  # fmt: skip
def test_whatever_a_state_says_there_are_words_for_it(error: str, cause: str) -> None:
    assert isinstance(ExplainStep(EXECUTION, error, cause).why, str)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ([], "Expected `object`, got `array`"),
        ({"run": RUN}, "Object missing required field `step`"),
        ({"step": "train"}, "Invalid value 'train' - at `$.step`"),
        ({"step": "gate", "execution": EXECUTION}, "Object missing required field `run`"),
        ({"step": "promote", "run": RUN, "execution": EXECUTION}, "Object missing required field `seen`"),
    ],
)
def test_what_is_no_step_is_told_what_to_send(event: Any, why: str) -> None:
    with pytest.raises(EventError) as raised:
        steps.of(event)
    assert raised.value.message == (
        f"this is no step of the state machine that retrains ({why}); send one as events/release-gate.json, or start "
        "the machine"
    )
