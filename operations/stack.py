"""A deployed stack's outputs and resources, by its name; it must not know what they are for."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


class Refused(Exception):
    """What was asked for cannot be begun; the words say why and what to do."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A thing that the stack has: its name in the template, its type, and what AWS calls it."""

    logical: str
    kind: str
    physical: str


def outputs(cloudformation: Any, name: str) -> Mapping[str, str]:
    """Raises Refused where there is no such stack."""
    with _there(cloudformation, name):
        (found,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}


def resources(cloudformation: Any, name: str) -> list[Resource]:
    """Without those that the stack has given up. Raises Refused where there is no such stack."""
    with _there(cloudformation, name):
        pages = list(cloudformation.get_paginator("list_stack_resources").paginate(StackName=name))
    return [
        Resource(each["LogicalResourceId"], each["ResourceType"], each["PhysicalResourceId"])
        for page in pages
        for each in page["StackResourceSummaries"]
        if "PhysicalResourceId" in each and not each["ResourceStatus"].startswith("DELETE_")
    ]


@contextmanager
def _there(cloudformation: Any, name: str) -> Iterator[None]:
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            region = cloudformation.meta.region_name
            raise Refused(
                f"there is no stack {name} in {region}; name it as in samconfig.toml, or another --region"
            ) from None
        raise


def output(found: Mapping[str, str], key: str, stack: str) -> str:
    """Raises Refused where the stack has no such output."""
    if key not in found:
        raise Refused(f"the stack {stack} has no output {key}; is it one of this project's template.yaml?")
    return found[key]
