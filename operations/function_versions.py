"""Function versions of a deployed stack and the function aliases that name them; it must not know how they are shown.

CloudFormation hands a roll-out to CodeDeploy as "from the version that the stack deployed last to the new one", and
CodeDeploy refuses where the alias names another: whoever points an alias back by hand brings it forth again before the
next deployment.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from operations.stack import Refused, Resource
from operations.waking import awaken


@dataclass(frozen=True, slots=True)
class Function:
    """A function with an alias. `logical` is its name in the template, `deployed` the version that the stack knows."""

    logical: str
    name: str
    alias: str
    deployed: str


@dataclass(frozen=True, slots=True)
class Alias:
    """The version that it names; `shifted` are others that get a share of its calls while a roll-out is under way."""

    version: str
    shifted: tuple[str, ...]
    revision: str


@dataclass(frozen=True, slots=True)
class Version:
    """A published version. It never changes."""

    number: str
    published: datetime
    description: str


def functions(resources: Iterable[Resource], stack: str) -> list[Function]:
    """The stack's functions that have an alias, by their names. Raises Refused where it has none."""
    there = list(resources)
    aliases = dict(_ends(there, "AWS::Lambda::Alias"))
    deployed: dict[str, list[str]] = {}
    for name, version in _ends(there, "AWS::Lambda::Version"):
        deployed.setdefault(name, []).append(version)
    found = []
    for each in there:
        if each.kind == "AWS::Lambda::Function" and each.physical in aliases:
            versions = deployed.get(each.physical, [])
            if len(versions) != 1:
                raise Refused(
                    f"the stack {stack} has {len(versions)} versions of {each.logical}; is a deployment under way?"
                )
            found.append(Function(each.logical, each.physical, aliases[each.physical], versions[0]))
    if not found:
        raise Refused(f"the stack {stack} has no function with an alias; is it one of this project's template.yaml?")
    return sorted(found, key=lambda function: function.logical)


def named(found: Iterable[Function], logical: str) -> Function:
    """Raises Refused where there is no such function."""
    known = {function.logical: function for function in found}
    if logical not in known:
        raise Refused(f"the stack has no function {logical}; it has {', '.join(known)}")
    return known[logical]


def versions(client: Any, function: Function) -> list[Version]:
    """Newest first."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function.name)
    found = [
        Version(
            each["Version"],
            datetime.fromisoformat(each["LastModified"]).astimezone(UTC),
            each.get("Description", ""),
        )
        for page in pages
        for each in page["Versions"]
        if each["Version"] != "$LATEST"
    ]
    return sorted(found, key=lambda version: int(version.number), reverse=True)


def alias(client: Any, function: Function) -> Alias:
    """As it is now."""
    told = client.get_alias(FunctionName=function.name, Name=function.alias)
    weights = (told.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return Alias(told["FunctionVersion"], tuple(weights), told["RevisionId"])


def before(known: Iterable[Version], function: Function, version: str) -> str:
    """The newest version that is older than this one. Raises Refused where there is none."""
    older = [int(each.number) for each in known if int(each.number) < int(version)]
    if not older:
        raise Refused(f"there is no version of {function.logical} older than {version}")
    return str(max(older))


def move(client: Any, function: Function, now: Alias, version: str, say: Callable[[str], None]) -> None:
    """Points the alias at this version, for all calls, once the version answers them; `say` is told of waiting.

    Raises Refused where somebody else is moving it, and where the version would answer no call.
    """
    from botocore.exceptions import ClientError

    if now.shifted:
        raise Refused(
            f"a roll-out of {function.logical} is under way and would move {function.alias} again; "
            "end it first: aws deploy stop-deployment --auto-rollback-enabled --deployment-id ..."
        )
    try:
        awaken(client, function.name, version, f"version {version} of {function.logical}", say)
    except Refused as refused:
        raise Refused(
            f"{refused}; {function.alias} stays at version {now.version}: take another version, or mend that first"
        ) from None
    try:
        client.update_alias(
            FunctionName=function.name,
            Name=function.alias,
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": {}},
            RevisionId=now.revision,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "PreconditionFailedException":
            raise Refused(f"somebody else moved {function.alias} of {function.logical} just now; look again") from None
        raise


def _ends(resources: Iterable[Resource], kind: str) -> Iterator[tuple[str, str]]:
    """The function's name and what follows it, of ARNs arn:aws:lambda:region:account:function:name:version-or-alias."""
    for each in resources:
        if each.kind == kind:
            name, end = each.physical.split(":")[6:]
            yield name, end
