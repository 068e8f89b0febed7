"""`.ci/deploy`, which the workflow runs: what SAM is told, as SAM reads it, and what is refused before SAM is asked."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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
    """A program in SAM's place that prints what it is told."""
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


def test_a_build_and_a_deployment_without_settings_are_the_templates_defaults(recorder: Path) -> None:
    parameters = ["--parameter-overrides", f"Architecture={MACHINE}"]
    assert told(recorder, "build") == ["build", "--region", "eu-central-1", *parameters]
    assert told(recorder, "deploy") == [
        "deploy", "--region", "eu-central-1", "--stack-name", "serverless-sklearn",
        "--no-confirm-changeset", "--no-fail-on-empty-changeset", *parameters,
    ]  # fmt: skip


def test_parameters_reach_sam_as_they_were_written_one_to_a_line(recorder: Path) -> None:
    lines = "AlarmEmail=a@b.example\r\n\nHttpJwtAudience=one,two\nBatchSeparator=;\nHttpCorsOrigins=*\nModelVersion="
    arguments = told(recorder, "deploy", STACK_NAME="flowers", PARAMETERS=lines)
    assert arguments[arguments.index("--stack-name") + 1] == "flowers"
    given = arguments[arguments.index("--parameter-overrides") + 1 :]
    assert as_sam_reads(given) == {
        "Architecture": MACHINE,
        "AlarmEmail": "a@b.example",
        "HttpJwtAudience": "one,two",
        "BatchSeparator": ";",
        "HttpCorsOrigins": "*",
        "ModelVersion": "",
    }


def as_sam_reads(overrides: list[str]) -> dict[str, Any]:
    if not (SAM / "python").exists():
        pytest.skip("there is no SAM command line; run: make provision")
    script = (
        "import json, sys; from samcli.cli.types import CfnParameterOverridesType as Type; "
        "print(json.dumps(Type().convert(tuple(sys.argv[1:]), None, None)))"
    )
    ran = subprocess.run([SAM / "python", "-c", script, *overrides], capture_output=True, text=True, check=True)
    read: dict[str, Any] = json.loads(ran.stdout)
    return read


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
        ("deploy", {"PARAMETERS": 'A="b"'}, 'PARAMETERS holds a quote or a backslash: A="b"'),
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
