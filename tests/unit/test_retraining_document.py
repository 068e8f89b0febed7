"""docs/retraining.md speaks of what the template has, and of what its function says."""

import re
import shlex
from pathlib import Path

import boto3
import pytest
from botocore import xform_name
from botocore.validate import ParamValidator

from functions.candidates import Candidates
from functions.gate import Comparison, Figure, Limits
from functions.registry import alias, evidence
from functions.registry.evidence import Evidence
from functions.registry.memory import MemoryStore
from tests.models import publish_iris
from tests.readme import blocks
from tests.sam_parameters import overrides
from tests.template import REGION, RETRAINING, Json, Stack, translated
from tests.unit.test_template_parameters import taken

PAGE = Path(__file__).parents[2] / "docs" / "retraining.md"
TEXT = PAGE.read_text(encoding="utf-8")
LIVE, NEW = "20261116T040509Z-7be21c04", "20261123T040512Z-1f0c9a2b"


def commands(program: str) -> list[list[str]]:
    """The words of each command of this program."""
    lines = [line for one in blocks(PAGE) if one.language == "sh" for line in one.text.splitlines()]
    return [words for line in lines if (words := shlex.split(line))[0] == program]


def test_the_mail_is_the_one_that_is_sent() -> None:
    store = MemoryStore()
    store.url = "s3://models"
    for version in (LIVE, NEW):
        publish_iris(store, version, move=False)
    alias.move(store, "iris", "live", LIVE, by="anna")
    seen = "the live version was fitted on another file; whether these rows were in it is not known"
    figures = Figure("accuracy", 26 / 30, "30 held-out rows"), Comparison(LIVE, 26 / 30, 29 / 30, 30, notes=(seen,))
    evidence.leave(store, "iris", Evidence.of("job", NEW, *figures))
    limits = Limits(0.9, 0.02, ("RetrainingMinScore", "RetrainingMaxDropVsLive"))
    execution = "arn:aws:states:eu-central-1:123456789012:execution:stack-retraining:monday"
    judged = Candidates(store, "iris", "live", limits).judge("job", execution)
    assert [one.text for one in blocks(PAGE) if one.language == "text"] == [judged.notice.message]


def test_the_parameters_are_the_templates_with_their_defaults(template: dict[str, Json]) -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| (?:`([^`]*)`)? ?\|", TEXT.partition("| Parameter |")[2], re.MULTILINE))
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    (group,) = [one["Parameters"] for one in groups if one["Label"]["default"] == "Retraining"]
    assert told == {name: str(template["Parameters"][name]["Default"]) for name in group}


def test_cloudformation_takes_the_parameters_that_are_deployed(template: dict[str, Json]) -> None:
    ((*_, flag, image, target, schedule, data, score, email),) = commands(".venv-sam/bin/sam")
    assert flag == "--parameter-overrides"
    given = overrides([image, target, schedule, data, score, email])
    assert given["TrainingImage"] == "$IMAGE"
    given["TrainingImage"] = RETRAINING["TrainingImage"]
    assert all(taken(template["Parameters"][name], value) for name, value in given.items())
    assert Stack(template, given).broken_rules() == []


@pytest.mark.parametrize("words", [words for words in commands("aws") if words[1] not in {"s3", "ecr"}], ids=" ".join)
def test_aws_has_the_commands_and_what_they_need(words: list[str]) -> None:
    _, service, action, *options = words
    client = boto3.client(service, region_name=REGION)
    operation = next(name for name in client.meta.service_model.operation_names if xform_name(name, "-") == action)
    shape = client.meta.service_model.operation_model(operation).input_shape
    members = {xform_name(name, "-"): name for name in shape.members}
    given = {members[flag.removeprefix("--")]: value for flag, value in zip(options[::2], options[1::2], strict=True)}
    assert not ParamValidator().validate(given, shape).has_errors()


def test_the_states_and_roles_and_outputs_are_the_templates() -> None:
    stack = Stack(translated(), RETRAINING)
    states = stack.properties("RetrainingMachine")["Definition"]["States"]
    assert {"Settle", "Others", "Queue", "Train", "Gate", "Promote", "Tell", "Explain", "Failed"} <= set(states)
    roles = set(re.findall(r"^\| `(\w+Role)`", TEXT, re.MULTILINE))
    assert roles == {role for role in stack.of_type("AWS::IAM::Role") if role.startswith(("Training", "Re"))} - {
        "RetrainingStartRole"
    }
    assert {"RetrainingMachine", "RetrainingTopic"} <= set(stack.outputs)
    assert stack.properties("RetrainingFailures")["AlarmName"].endswith("retraining-failures")
    assert (states["Settle"]["Seconds"], states["Queue"]["Seconds"]) == (60, 420)
    assert states["Others"]["Parameters"]["MaxResults"] == 300
    assert (states["Decision"]["Choices"][1]["And"][1]["NumericLessThan"]) == 3
