"""What GitHub would run: nothing by a movable name, no more rights than needed, and only commands that are here."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / ".github" / "workflows"
NAMES = sorted(path.name for path in FOLDER.iterdir())
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
# Each was seen in many public repositories, with this version beside it.
PINNED = {
    "actions/checkout": ("de0fac2e4500dabe0009e67214ff5f5447ce83dd", "v6.0.2"),
    "actions/upload-artifact": ("b7c566a772e6b6bfb58ed0dc250532a479d7789f", "v6.0.0"),
    "aws-actions/configure-aws-credentials": ("61815dcd50bd041e203e49132bacad1fd04d2708", "v5.1.1"),
}


def workflow(name: str) -> dict[str, Any]:
    # YAML 1.1, as PyYAML reads it, takes the key "on" for true.
    read: dict[Any, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return {**read, "on": read[True]}


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in workflow(name)["jobs"].values() for step in job["steps"]]


def test_there_are_two() -> None:
    assert NAMES == ["deploy.yml", "test.yml"]


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_named_by_their_commit_with_the_version_beside_it(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert set(used) <= {f"{action}@{commit} # {version}" for action, (commit, version) in PINNED.items()}
    assert len(used) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_what_is_run_is_one_command_of_this_project(name: str) -> None:
    for line in (step["run"] for step in steps(name) if "run" in step):
        words = line.removeprefix("sudo ").split()
        if words[0] == "make":
            assert words[1] in TARGETS, line
            assert all((PROJECT / word.removeprefix("TESTS=")).exists() for word in words[2:]), line
        else:
            assert words[0].startswith(".ci/"), line
            assert (PROJECT / words[0]).stat().st_mode & 0o100, line
        assert "${{" not in line


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_is_used_and_no_token_is_kept(name: str) -> None:
    assert "secrets." not in (FOLDER / name).read_text(encoding="utf-8")
    given = workflow(name)
    assert given["permissions"] == {}
    for job in given["jobs"].values():
        assert job["permissions"].items() <= {"contents": "read", "id-token": "write"}.items()
        assert all(step["with"]["persist-credentials"] is False for step in job["steps"] if "checkout" in str(step))


def test_tests_run_for_every_change_and_without_an_account() -> None:
    given = workflow("test.yml")
    assert given["on"] == {"push": {"branches": ["main"]}, "pull_request": None}
    assert {tuple(job["permissions"]) for job in given["jobs"].values()} == {("contents",)}
    assert "vars." not in (FOLDER / "test.yml").read_text(encoding="utf-8")
    assert {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in given["jobs"].items()} == {
        "test": ["sudo .ci/run"],
        "audit": ["make audit"],
        "images": ["sudo .ci/run images"],
    }
    machines = given["jobs"]["images"]["strategy"]["matrix"]["include"]
    assert {one["architecture"]: one["runner"] for one in machines} == {
        "x86_64": "ubuntu-24.04", "arm64": "ubuntu-24.04-arm",
    }  # fmt: skip


def test_a_deployment_is_somebodys_decision_guarded_and_alone() -> None:
    given = workflow("deploy.yml")
    assert given["on"] == {"workflow_dispatch": None}
    assert given["concurrency"] == {"group": "deploy", "cancel-in-progress": False}
    assert given["jobs"]["deploy"]["environment"] == "production"


def test_a_deployment_builds_before_it_may_act_in_the_account_and_promotes_nothing() -> None:
    done = [step.get("run") or step["uses"].partition("@")[0] for step in steps("deploy.yml")]
    assert done == [
        "actions/checkout",
        "make sam-environment",
        ".ci/deploy build",
        "aws-actions/configure-aws-credentials",
        ".ci/deploy deploy",
    ]


def test_a_deployment_may_take_as_long_as_a_slow_rollout() -> None:
    minutes = int(re.findall(r"--max-wait-duration (\d+)", (PROJECT / ".ci" / "deploy").read_text(encoding="utf-8"))[0])
    (role,) = (step["with"] for step in steps("deploy.yml") if "configure-aws-credentials" in str(step.get("uses")))
    assert minutes > 10 * 10  # Linear10PercentEvery10Minutes, the slowest that the template offers
    assert role["role-duration-seconds"] == minutes * 60
    assert workflow("deploy.yml")["jobs"]["deploy"]["timeout-minutes"] >= minutes + 60  # what is built before
    text = (FOLDER / "deploy.yml").read_text(encoding="utf-8")
    assert f"MaxSessionDuration must be {minutes * 60} or more" in text


def test_the_variables_to_set_are_those_that_the_workflow_lists() -> None:
    text = (FOLDER / "deploy.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r"^#   ([A-Z_]+) ", text, re.MULTILINE))
    assert listed == set(re.findall(r"vars\.([A-Z_]+)", text))
    assert listed == {"AWS_ROLE_ARN", "AWS_REGION", "STACK_NAME", "ARCHITECTURE", "PARAMETERS"}
