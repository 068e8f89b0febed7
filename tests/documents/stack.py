"""What template.yaml has, as tables show it: parameters in groups, outputs, alarms, roles. It writes no page."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.template import VARIANTS, Stack, as_list, translated

Json = Any


@cache
def template() -> dict[str, Json]:
    """The translated template. SAM's translator takes a second, so it is asked once."""
    return translated()


@cache
def whole() -> Stack:
    """With everything that can be there at once: of the variants those that add something and take nothing away."""
    stack = Stack(template())
    for values in VARIANTS.values():
        more = Stack(template(), {**_given(stack), **values})
        adds = set(more.resources) >= set(stack.resources) and _size(more) > _size(stack)
        if adds and not more.broken_rules():
            stack = more
    return stack


def _given(stack: Stack) -> dict[str, str]:
    return {name: value for name, value in stack.parameters.items() if value != parameters()[name]["Default"]}


def _size(stack: Stack) -> int:
    policies = sum(len(role.get("Policies", [])) for role in stack.of_type("AWS::IAM::Role").values())
    return len(stack.resources) + policies


def groups() -> list[tuple[str, list[str]]]:
    """The parameters' groups by name, in the console's order."""
    made = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    return [(group["Label"]["default"], group["Parameters"]) for group in made]


def parameters() -> dict[str, Json]:
    found: dict[str, Json] = template()["Parameters"]
    return found


def outputs() -> dict[str, Json]:
    found: dict[str, Json] = template()["Outputs"]
    return found


def rules() -> list[str]:
    """What CloudFormation says of parameters that do not go together."""
    return [one["AssertDescription"] for rule in template()["Rules"].values() for one in rule["Assertions"]]


def resources(kind: str) -> dict[str, Json]:
    """Logical id -> resource of one type, under whatever condition, in the template's order."""
    return {name: given for name, given in template()["Resources"].items() if given["Type"] == kind}


def condition(resource: Json) -> str | None:
    """Under which setting of one parameter it is made, as `FanOut` is `on`; None where it always is."""
    name = resource.get("Condition")
    return _told(template()["Conditions"][name]) if name else None


def takes(parameter: Json) -> str:
    """Which values a parameter takes, in a few words; nothing where any will do."""
    if "AllowedValues" in parameter:
        return ", ".join(f"`{value}`" for value in parameter["AllowedValues"])
    if parameter["Type"] == "Number":
        return f"{parameter['MinValue']} to {parameter['MaxValue']}"
    return str(parameter.get("ConstraintDescription", ""))


def statements(role: str) -> Iterator[tuple[str, Json]]:
    """Every statement of a role, followed, and under which setting it is there; of policies that stand alone, too."""
    given = template()["Resources"][role]
    for policy in given["Properties"].get("Policies", []):
        there, chosen = _chosen(policy)
        yield from _each(there, chosen)
    for one in resources("AWS::IAM::RolePolicy").values():
        if one["Properties"]["RoleName"] == {"Ref": role}:
            there = condition(one) or ""
            yield from _each("" if there == condition(given) else there, one["Properties"])


def _each(there: str, policy: Json) -> Iterator[tuple[str, Json]]:
    for statement in policy["PolicyDocument"]["Statement"]:
        own, chosen = _chosen(statement)
        yield " and ".join(filter(None, (there, own))), whole().resolved(chosen)


def _chosen(given: Json) -> tuple[str, Json]:
    """The policy or statement of `Fn::If`, and the setting under which it is there."""
    if "Fn::If" not in given:
        return "", given
    name, then, _ = given["Fn::If"]
    return _told(template()["Conditions"][name]), then


def roles() -> list[str]:
    return list(whole().of_type("AWS::IAM::Role"))


def actions(statement: Json) -> list[str]:
    return [str(action) for action in as_list(statement["Action"])]


def named(arn: Json) -> str:
    """A resource in the reader's words: no account, no region, the stack's and buckets' names as placeholders."""
    stack = whole()
    text = str(arn)
    if stack.parameters["KeyArn"]:
        text = text.replace(stack.parameters["KeyArn"], "<KeyArn>")
    for output in ("ModelBucket", "DropBucket"):
        text = text.replace(stack.properties(output)["BucketName"], f"<{output}>")
    text = re.sub(r"arn:aws[a-z-]*:(\w+):[a-z0-9-]*:(\d*):", r"\1 ", text)
    text = text.replace("stack-", "<stack>-")
    return text.removesuffix(":*") if text.startswith("logs ") else text


def _told(condition: Json) -> str:
    ((function, argument),) = condition.items()
    if function == "Fn::Equals" and isinstance(argument[0], dict) and "Ref" in argument[0]:
        name, value = argument[0]["Ref"], argument[1]
        return f"`{name}` is `{value}`" if value else f"`{name}` is empty"
    if function == "Fn::Not":
        inner = _told(argument[0])
        return inner.replace(" is empty", " is given") if " is empty" in inner else f"not: {inner}"
    if function == "Fn::Or":
        return " or ".join(_told(one) for one in argument)
    if function == "Fn::And":
        return " and ".join(_told(one) for one in argument)
    if function == "Condition":
        return _told(template()["Conditions"][argument])
    raise NotImplementedError(f"no condition of a documented resource uses {function} yet")
