"""A deployed stack's outputs, by its name; it must not know what they are for."""

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """What was asked for cannot be begun; the words say why and what to do."""


def outputs(cloudformation: Any, name: str) -> Mapping[str, str]:
    """Raises Refused where there is no such stack."""
    from botocore.exceptions import ClientError

    try:
        (found,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            region = cloudformation.meta.region_name
            raise Refused(
                f"there is no stack {name} in {region}; name it as in samconfig.toml, or another --region"
            ) from None
        raise
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}


def output(found: Mapping[str, str], key: str, stack: str) -> str:
    """Raises Refused where the stack has no such output."""
    if key not in found:
        raise Refused(f"the stack {stack} has no output {key}; is it one of this project's template.yaml?")
    return found[key]
