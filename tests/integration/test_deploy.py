"""`.ci/deploy`, which the workflow runs: what SAM is told, as SAM reads it, and what is refused before SAM is asked."""

import json
import os
import platform
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.sam_parameters import asked_of_sam, overrides, python_of_sam
from tests.template import translated

PROJECT = Path(__file__).parents[2]
SAM = PROJECT / ".venv-sam" / "bin"
MACHINE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
OTHER = "x86_64" if MACHINE == "arm64" else "arm64"

RECORDER = f"""#!{sys.executable}
import json, os, sys
print(json.dumps([sys.argv[1:], os.environ["BUILDX_NO_DEFAULT_ATTESTATIONS"], os.environ["SAM_CLI_TELEMETRY"]]))
"""


@pytest.fixture
def recorder(tmp_path: Path) -> Path:
    """A program in SAM's place that prints what it is told. SAM's Python is needed all the same."""
    python_of_sam()
    program = tmp_path / "sam"
    program.write_text(RECORDER)
    program.chmod(0o755)
    return program


def deploy(program: Path, verb: str, **settings: str) -> subprocess.CompletedProcess[str]:
    given = {"AWS_REGION": "eu-central-1", "STACK_NAME": "", "ARCHITECTURE": MACHINE, "PARAMETERS": "", **settings}
    return subprocess.run(
        [PROJECT / ".ci" / "deploy", verb],
        env={"PATH": os.environ["PATH"], "SAM": str(program), **given}, capture_output=True, text=True,
    )  # fmt: skip


def told(program: Path, verb: str, **settings: str) -> list[str]:
    ran = deploy(program, verb, **settings)
    assert ran.returncode == 0, ran.stderr
    arguments, plain_manifest, telemetry = json.loads(ran.stdout)
    assert (plain_manifest, telemetry) == ("1", "0")
    found: list[str] = arguments
    return found


def test_a_build_and_a_deployment_without_settings_name_every_default_of_the_template(recorder: Path) -> None:
    built, deployed = told(recorder, "build"), told(recorder, "deploy")
    build, values = split(built)
    assert build == ["build", "--region", "eu-central-1"]
    assert split(deployed) == (
        [
            "deploy", "--region", "eu-central-1", "--stack-name", "serverless-sklearn",
            "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--max-wait-duration", "180",
        ],
        values,
    )  # fmt: skip
    assert overrides(values) == {**defaults(), "Architecture": MACHINE}


def defaults() -> dict[str, str]:
    """What CloudFormation would take for a new stack, of parameters that it would otherwise leave as they are."""
    parameters = translated()["Parameters"]
    return {name: str(given["Default"]) for name, given in parameters.items() if "Default" in given}


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """What is told before the parameters, and they."""
    where = arguments.index("--parameter-overrides")
    return arguments[:where], arguments[where + 1 :]


GIVEN = {
    "AlarmEmail": "a@b.example",
    "HttpJwtAudience": "one,two",
    "BatchSeparator": ";",
    "HttpCorsOrigins": "*",
    "RetrainingOptions": '{"models": "true", "drop": "[\\"id\\", \\"it\'s\\"]"}',
    "RetrainingSchedule": "cron(0 4 ? * MON *)",
    "Rollout": "Linear10PercentEvery10Minutes",
}


def test_parameters_reach_sam_as_they_were_written_one_to_a_line_and_the_others_as_the_templates_defaults(
    recorder: Path,
) -> None:
    lines = "\r\n\n".join(f"{name}={value}" for name, value in {**GIVEN, "ModelVersion": ""}.items())
    before, values = split(told(recorder, "deploy", STACK_NAME="flowers", PARAMETERS=lines))
    assert before[before.index("--stack-name") + 1] == "flowers"
    assert overrides(values) == {**defaults(), "Architecture": MACHINE, **GIVEN}


def test_a_parameter_that_is_no_longer_named_goes_back_to_its_default_in_a_stack_that_has_another(
    recorder: Path,
) -> None:
    _, values = split(told(recorder, "deploy"))
    assert {each["ParameterKey"]: each for each in as_sam_sends(values)} == {
        name: {"ParameterKey": name, "ParameterValue": value}
        for name, value in {**defaults(), "Architecture": MACHINE}.items()
    }


def as_sam_sends(words: list[str]) -> list[dict[str, Any]]:
    """What SAM tells CloudFormation of each of the template's parameters."""
    found: list[dict[str, Any]] = asked_of_sam(
        "from samcli.commands.deploy.deploy_context import DeployContext; "
        "from samcli.yamlhelper import yaml_parse; template = yaml_parse(open('template.yaml').read()); "
        "print(json.dumps(DeployContext.merge_parameters(template, read)))",
        words,
    )
    return found


# What one line may hold, and beside it, often, what SAM gives a meaning of its own.
LINES = st.text(
    st.one_of(st.sampled_from("\\\"' =,{}[]a"), st.characters(codec="utf-8", exclude_categories=["C", "Z"]))
)


@settings(max_examples=15, deadline=None)  # each starts SAM's Python
@example(["a \\"])
@example(["\\"])
@given(st.lists(LINES, min_size=1, max_size=8))
def test_whatever_a_line_holds_sam_reads_just_that_or_is_not_asked(values: list[str]) -> None:
    names = list(defaults())[: len(values)]
    asked = dict(zip(names, values, strict=True))
    ran = worded(*(f"{name}={value}" for name, value in asked.items()))
    if ran.returncode == 0:
        assert overrides(ran.stdout.splitlines()) == {**defaults(), **asked}
    else:
        assert re.fullmatch(
            r"deploy: PARAMETERS holds (.*), and SAM cannot be told of a backslash at the end or before '\n", ran.stderr
        )
        assert any(re.search(r"\\($|')", value) for value in values)


def worded(*lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python_of_sam(), ".ci/parameters.py"],
        cwd=PROJECT, input="".join(f"{line}\n" for line in lines), capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("verb", ["build", "deploy"])
def test_sam_has_every_option_that_it_is_told(recorder: Path, verb: str) -> None:
    if not (SAM / "sam").exists():
        pytest.skip("there is no SAM command line; run: make provision")
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0"}
    asked = subprocess.run([SAM / "sam", verb, "--help"], env=environment, capture_output=True, text=True, check=True)
    options = [word for word in told(recorder, verb) if word.startswith("--")]
    assert [option for option in options if option.removeprefix("--no-") not in asked.stdout] == []


@pytest.mark.parametrize(
    ("verb", "settings", "said"),
    [
        ("build", {"AWS_REGION": ""}, "AWS_REGION is unset; name the region to deploy to, as eu-central-1"),
        ("deploy", {"PARAMETERS": "AlarmEmail"}, "PARAMETERS holds 'AlarmEmail'; write Name=Value, one to a line"),
        ("deploy", {"PARAMETERS": "--guided"}, "PARAMETERS holds '--guided'; write Name=Value, one to a line"),
        ("deploy", {"PARAMETERS": "Architecture=arm64"}, "PARAMETERS holds Architecture; set ARCHITECTURE instead"),
        ("deploy", {"PARAMETERS": "alarms=on"}, "PARAMETERS holds alarms, and template.yaml has no such parameter"),
        ("build", {"PARAMETERS": "Tracing=a\nTracing=b"}, "PARAMETERS holds Tracing twice; leave one of the lines"),
        (
            "deploy",
            {"PARAMETERS": "RetrainingTarget=a b\\"},
            "PARAMETERS holds RetrainingTarget=a b\\, and SAM cannot be told of a backslash at the end or before '",
        ),
        ("promote", {}, "say what to do: build, then deploy"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_before_sam_is_asked(
    recorder: Path, verb: str, settings: dict[str, str], said: str
) -> None:
    ran = deploy(recorder, verb, **settings)
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", f"deploy: {said}\n")


@pytest.mark.parametrize("architecture", [OTHER, "amd64"])
def test_an_image_for_another_processor_than_the_machines_is_not_built(recorder: Path, architecture: str) -> None:
    ran = deploy(recorder, "build", ARCHITECTURE=architecture)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        f"deploy: ARCHITECTURE is {architecture} and this machine is {platform.machine()}; "
        "build on a machine of that kind\n"
    )


def test_what_samconfig_says_of_a_deployment_sam_has_as_options_and_it_waits_as_long_as_the_workflow() -> None:
    given = tomllib.loads((PROJECT / "samconfig.toml").read_text(encoding="utf-8"))["default"]["deploy"]["parameters"]
    known = subprocess.run(
        [python_of_sam(), "-c", "from samcli.commands.deploy.command import cli; print(*(p.name for p in cli.params))"],
        env={**os.environ, "SAM_CLI_TELEMETRY": "0"}, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert set(given) <= set(known)
    assert given["max_wait_duration"] == 180
