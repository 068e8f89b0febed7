"""The template's stack on the simulator: translated by SAM, made, looked up, deleted. It knows no model and no file.

What the simulator cannot make is named here with its reason; a test asks the simulator whether that is still so.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulator.server import ACCOUNT, Simulator
from tests.template import REGION, Stack, translated

# Types of resource that the simulator does not know.
UNKNOWN_TYPES = {
    "AWS::CodeDeploy::Application": "no CodeDeploy: a new function version takes over at once",
    "AWS::CodeDeploy::DeploymentGroup": "no CodeDeploy: a new function version takes over at once",
    "AWS::IAM::RolePolicy": "so fan-out is made here and not run; tests/integration/test_fanout.py runs it",
}
# A type that it knows, with a property that it does not.
UNKNOWN_FORMS = {("AWS::CloudWatch::Alarm", "Metrics"): "an alarm over metric math"}
# What it takes and forgets, and what stands in for it.
FORGOTTEN = {
    ("AWS::ApiGatewayV2::Api", "Body"): "routes, integrations, authorizers and CORS are made of it by API Gateway's "
    "own calls (tests/simulator/http_api.py)",
    ("AWS::S3::Bucket", "LifecycleConfiguration"): "nothing expires in a simulator that lives for minutes",
}
TEMPLATES = "templates"  # the bucket that `sam deploy` would make for itself
PATIENCE = 120.0


class StackFailed(Exception):
    """CloudFormation rolled back, or would not begin."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A stack that was made. `expected` is the template's own view of it, `outputs` what CloudFormation says."""

    simulator: Simulator
    name: str
    expected: Stack
    outputs: Mapping[str, str]
    physical: Mapping[str, str]
    """Logical id -> what the thing is called."""

    def statuses(self) -> dict[str, str]:
        """Logical id -> status, of every resource."""
        told = self.simulator.client("cloudformation").describe_stack_resources(StackName=self.name)
        return {each["LogicalResourceId"]: each["ResourceStatus"] for each in told["StackResources"]}

    def buckets(self) -> list[str]:
        """Names of the stack's own, which outlive it."""
        return sorted(given["BucketName"] for given in self.expected.of_type("AWS::S3::Bucket").values())

    def delete(self) -> None:
        """Raises StackFailed."""
        cloudformation = self.simulator.client("cloudformation")
        identity = cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["StackId"]
        cloudformation.delete_stack(StackName=self.name)
        _await(self.simulator, identity, "DELETE_COMPLETE")


def why_left_out(resource: Mapping[str, Any]) -> str:
    """Why the simulator cannot make this resource; empty where it can."""
    kind = resource["Type"]
    forms = [UNKNOWN_FORMS.get((kind, name), "") for name in resource.get("Properties", {})]
    return UNKNOWN_TYPES.get(kind, "") or "".join(forms)


def template(parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What CloudFormation is given: the translated template without what the simulator cannot make."""
    made = translated(parameters=parameters)
    resources = made["Resources"]
    gone = {name for name, given in resources.items() if why_left_out(given)}
    for name in gone:
        del resources[name]
    for given in resources.values():
        if "CodeDeployLambdaAliasUpdate" in given.get("UpdatePolicy", {}):
            del given["UpdatePolicy"]
        needed = given.get("DependsOn", [])
        needed = [needed] if isinstance(needed, str) else needed
        if gone & set(needed):
            given["DependsOn"] = [name for name in needed if name not in gone]
    return made


def deploy(simulator: Simulator, name: str = "stack", parameters: Mapping[str, str] | None = None) -> Deployed:
    """Makes the stack and waits. Raises StackFailed with what CloudFormation says of each resource."""
    given = {"EndpointUrl": simulator.endpoint, **(parameters or {})}
    made = template(given)
    create(simulator, name, made, given)
    cloudformation = simulator.client("cloudformation")
    (told,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in told["Outputs"]}
    resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    physical = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}
    deployed = Deployed(simulator, name, Stack(translated(parameters=given), given), outputs, physical)
    from tests.simulator import http_api

    http_api.make_routes(deployed)
    return deployed


def update(deployed: Deployed, parameters: Mapping[str, str]) -> None:
    """What `sam deploy` does with other parameters. Raises StackFailed."""
    simulator, given = deployed.simulator, {"EndpointUrl": deployed.simulator.endpoint, **parameters}
    _upload(simulator, deployed.name, template(given))
    cloudformation = simulator.client("cloudformation")
    told = cloudformation.update_stack(StackName=deployed.name, **_request(simulator, deployed.name, given))
    _await(simulator, told["StackId"], "UPDATE_COMPLETE")


def create(simulator: Simulator, name: str, made: dict[str, Any], parameters: Mapping[str, str]) -> None:
    """Raises StackFailed."""
    from botocore.exceptions import ClientError

    _upload(simulator, name, made)
    cloudformation = simulator.client("cloudformation")
    try:
        told = cloudformation.create_stack(StackName=name, **_request(simulator, name, parameters))
    except ClientError as error:
        raise StackFailed(error.response["Error"]["Message"]) from None
    _await(simulator, told["StackId"], "CREATE_COMPLETE")


def _upload(simulator: Simulator, name: str, made: dict[str, Any]) -> None:
    """Where CloudFormation reads a template that is too long for a request."""
    s3 = simulator.client("s3")
    if TEMPLATES not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=TEMPLATES, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=TEMPLATES, Key=f"{name}.json", Body=json.dumps(made).encode())


def _request(simulator: Simulator, name: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    return {
        "TemplateURL": f"{simulator.endpoint}/{TEMPLATES}/{name}.json",
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM"],
    }


def _await(simulator: Simulator, identity: str, wanted: str) -> None:
    cloudformation = simulator.client("cloudformation")
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        (told,) = cloudformation.describe_stacks(StackName=identity)["Stacks"]
        if not told["StackStatus"].endswith("_IN_PROGRESS"):
            break
        time.sleep(0.05)
    if told["StackStatus"] != wanted:
        events = cloudformation.describe_stack_events(StackName=identity)["StackEvents"]
        reasons = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
            for event in events
            if event["ResourceStatus"].endswith("_FAILED")
        ]
        raise StackFailed(f"{told['StackStatus']}: " + "; ".join(reasons))


def empty(deployed: Deployed) -> None:
    """Deletes the buckets that outlived the stack, with every version in them."""
    s3 = deployed.simulator.client("s3")
    for name in deployed.buckets():
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                s3.delete_object(Bucket=name, Key=each["Key"], VersionId=each["VersionId"])
        s3.delete_bucket(Bucket=name)


def arn(service: str, rest: str) -> str:
    """An ARN of the simulated account."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"
