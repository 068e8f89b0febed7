"""A changed parameter reaches the function alias: it is among the values whose number every function version bears."""

import re
from typing import Any

import pytest

from tests.template import Stack, as_list, translated

TEMPLATE = translated()
FUNCTIONS = [name for name, given in TEMPLATE["Resources"].items() if given["Type"] == "AWS::Lambda::Function"]
VERSIONS = [name for name, given in TEMPLATE["Resources"].items() if given["Type"] == "AWS::Lambda::Version"]

# A function has them and its versions have not: a change is at work at once, and must make no roll-out. Source: AWS
# Lambda Developer Guide, "Configuring reserved concurrency for a function".
NOT_OF_A_VERSION = {"ReservedConcurrentExecutions"}


def of_a_version(function: str) -> dict[str, Any]:
    """The properties that a published version of the function keeps."""
    given = TEMPLATE["Resources"][function]["Properties"]
    return {name: value for name, value in given.items() if name not in NOT_OF_A_VERSION}


def parameters_in(value: Any) -> set[str]:
    """The parameters that a value of the template depends on, by itself or by a condition."""
    if isinstance(value, list):
        return set().union(*map(parameters_in, value))
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for name, one in value.items():
        if name == "Ref":
            found.add(one)
        elif name == "Fn::Sub":
            text, *own = as_list(one)
            found |= set(re.findall(r"\$\{([^}.]+)\}", text)) | parameters_in(own)
        elif name == "Fn::If":
            found |= parameters_in(TEMPLATE["Conditions"][one[0]]) | parameters_in(one[1:])
        elif name == "Condition":
            found |= parameters_in(TEMPLATE["Conditions"][one])
        else:
            found |= parameters_in(one)
    return found & set(TEMPLATE["Parameters"])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_parameter_that_a_functions_version_depends_on_is_numbered(function: str) -> None:
    needed = parameters_in(of_a_version(function))
    assert needed - parameters_in(TEMPLATE["Resources"]["SettingsNumber"]["Properties"]["Content"]) == set()


def test_no_parameter_is_numbered_that_no_functions_version_depends_on() -> None:
    needed = set().union(*(parameters_in(of_a_version(name)) for name in FUNCTIONS))
    assert parameters_in(TEMPLATE["Resources"]["SettingsNumber"]["Properties"]["Content"]) == needed


@pytest.mark.parametrize(
    "changed",
    [
        {"BatchReservedConcurrency": "0"},
        {"RolloutAlarms": "off"},
        {"Rollout": "AllAtOnce"},
        {"AlarmEmail": "a@b.example"},
    ],
)
def test_what_is_none_of_a_versions_makes_no_roll_out(changed: dict[str, str]) -> None:
    """Batch is stopped, or an alarm left out, at once: no function version is made to which an alias would move."""
    before, after = Stack(TEMPLATE), Stack(translated(parameters=changed), changed)
    assert [
        {name: given for name, given in stack.resources.items() if given["Type"] == "AWS::Lambda::Version"}
        for stack in (before, after)
    ] == [{name: TEMPLATE["Resources"][name] for name in VERSIONS if name in before.resources}] * 2
    assert before.properties("SettingsNumber") == after.properties("SettingsNumber")


def test_each_value_stands_under_its_name() -> None:
    stack = Stack(TEMPLATE)
    lines = stack.properties("SettingsNumber")["Content"].splitlines()
    assert lines == [f"{name}={stack.parameters[name]}" for name in sorted(line.partition("=")[0] for line in lines)]


@pytest.mark.parametrize("name", [*FUNCTIONS, *VERSIONS])
def test_every_function_and_its_version_bear_the_number(name: str) -> None:
    """The version, so that CloudFormation makes another; the function, so that Lambda does."""
    description = TEMPLATE["Resources"][name]["Properties"]["Description"]
    assert re.search(r"Settings \$\{SettingsNumber\}", description["Fn::Sub"])


@pytest.mark.parametrize("name", VERSIONS)
def test_a_function_version_that_was_replaced_stays_to_be_gone_back_to(name: str) -> None:
    kept = {policy: TEMPLATE["Resources"][name].get(policy) for policy in ("DeletionPolicy", "UpdateReplacePolicy")}
    assert kept == {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
