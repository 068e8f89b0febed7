"""The template as AWS would see it: translated by SAM's own translator, its references followed. Knows no AWS account.

Run as a program it writes one translated template for each of VARIANTS into a folder, for cfn-lint.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parent.parent
REGION = "eu-central-1"
PSEUDO_PARAMETERS = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE = object()  # what AWS::NoValue stands for
ALWAYS = {"Fn::Equals": ["", ""]}
# What things are called in a stack of these.
MODELS = "serverless-sklearn-models-123456789012-eu-central-1"
DROPS = "serverless-sklearn-drops-123456789012-eu-central-1"
LAMBDA = "arn:aws:lambda:eu-central-1:123456789012:function"
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:stack-fan-out"
RETRAINING_MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:stack-retraining"
FAILURES = "arn:aws:sqs:eu-central-1:123456789012:BatchFailures"
ALARMS = "arn:aws:sns:eu-central-1:123456789012:AlarmTopic"

FUNCTIONS = ("PredictFunction", "BatchFunction", "FanOutFunction", "ReleaseFunction")
FAN_OUT = {"FanOut": "on"}
REPOSITORY = "serverless-sklearn-training"
RETRAINING = {
    "TrainingImage": f"123456789012.dkr.ecr.{REGION}.amazonaws.com/{REPOSITORY}:2026-11-23",
    "RetrainingTarget": "species",
    "RetrainingSchedule": "rate(7 days)",
    "RetrainingOnNewData": "on",
}
ALL_ON = {**FAN_OUT, **RETRAINING}
KEY = f"arn:aws:kms:{REGION}:123456789012:key/00000000-0000-4000-8000-000000000000"
CERTIFICATE = f"arn:aws:acm:{REGION}:123456789012:certificate/00000000-0000-4000-8000-000000000000"
# Name -> values of parameters. Together they make every resource, and decide every condition both ways.
VARIANTS: dict[str, dict[str, str]] = {
    "defaults": {},
    "fan-out": FAN_OUT,
    "jwt": {
        "HttpAuth": "JWT",
        "HttpJwtIssuer": "https://issuer.example/pool",
        "HttpJwtAudience": "one,two",
    },
    "jwt-with-scopes": {
        "HttpAuth": "JWT",
        "HttpJwtIssuer": "https://issuer.example/pool",
        "HttpJwtAudience": "one",
        "HttpJwtScopes": "predict,all",
        "HttpCorsOrigins": "https://a.example,https://b.example",
    },
    "iam-with-cors": {"HttpCorsOrigins": "https://a.example"},
    "open-with-cors": {"HttpAuth": "OPEN", "HttpCorsOrigins": "*"},
    "retraining": {**RETRAINING, "RetrainingEmail": "trainer@example.com"},
    "retraining-by-hand": {
        "TrainingImage": f"123456789012.dkr.ecr.{REGION}.amazonaws.com/team/{REPOSITORY}@sha256:{'0' * 64}",
        "RetrainingTarget": "species",
        "RetrainingOptions": '{"models": "true", "drop": "[\\"id\\", \\"note\\"]"}',
        "AlarmEmail": "someone@example.com",
    },
    "own-key": {**ALL_ON, "KeyArn": KEY, "AlarmEmail": "someone@example.com"},
    "alarms-by-mail": {"AlarmEmail": "someone@example.com"},
    "everything-expires": {"DropRetentionDays": "30", "ResultRetentionDays": "60"},
    "snap-start": {"PredictSnapStart": "on"},
    "kept-ready": {"PredictProvisionedConcurrency": "2"},
    "arm64-all-at-once": {"Architecture": "arm64", "Rollout": "AllAtOnce"},
    "linear": {"Rollout": "Linear10PercentEvery1Minute"},
    "mending-what-burns": {"RolloutAlarms": "off"},
    "traced-only-where-asked": {**ALL_ON, "Tracing": "PassThrough"},
    "own-name": {
        "HttpDomainName": "models.example.com",
        "HttpCertificateArn": CERTIFICATE,
        "HttpHostedZoneId": "Z0123456789ABC",
        "HttpBasePath": "/v1/flowers",
    },
    "own-name-without-zone-and-path": {
        "HttpDomainName": "models.example.com",
        "HttpCertificateArn": CERTIFICATE,
    },
    "in-a-vpc": {
        **ALL_ON,
        "VpcSubnetIds": "subnet-0a1b2c3d4e5f60718,subnet-0a1b2c3d4e5f60719",
        "VpcSecurityGroupIds": "sg-0a1b2c3d4e5f60718",
    },
    "batch-limited": {"BatchReservedConcurrency": "5"},
    "models-of-another-stack": {
        **FAN_OUT,
        "BucketPrefix": "candidate",
        "ModelBucketName": "serverless-sklearn-models-123456789012-eu-central-1",
        "ModelAlias": "candidate",
    },
}

Json = Any  # a template is JSON of any depth; mypy has no finite type for it


def source() -> str:
    """The text of template.yaml."""
    return (ROOT / "template.yaml").read_text(encoding="utf-8")


def translated(text: str | None = None, parameters: Mapping[str, str] | None = None) -> dict[str, Json]:
    """The CloudFormation template that SAM makes of `text` (by default: of template.yaml).

    `parameters` become the defaults, since SAM writes some values into what it makes. The functions get an image's
    address, as `sam deploy` would write one into them.
    """
    template = yaml_parse(text if text is not None else source())
    for name, value in (parameters or {}).items():
        template["Parameters"][name]["Default"] = value
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["ImageUri"] = "functions:latest"
    session = boto3.Session(region_name=REGION)
    made: dict[str, Json] = Translator({}, Parser(), boto_session=session).translate(template, parameter_values={})
    return made


class Stack:
    """A translated template with values for its parameters; `parameters` replace defaults.

    Of resources and outputs those are there whose condition holds.
    """

    def __init__(self, template: dict[str, Json], parameters: Mapping[str, str] | None = None) -> None:
        self.template = template
        self.parameters = {name: given["Default"] for name, given in template["Parameters"].items()}
        for name, value in (parameters or {}).items():
            if name not in self.parameters:
                raise KeyError(f"the template has no parameter {name}")
            self.parameters[name] = value
        self.resources: dict[str, Json] = self._there(template["Resources"])
        self.outputs: dict[str, Json] = self._there(template["Outputs"])

    def properties(self, logical_id: str) -> Json:
        """The resource's properties with every reference followed."""
        return self.resolved(self.resources[logical_id]["Properties"])

    def of_type(self, kind: str) -> dict[str, Json]:
        """Logical id -> followed properties of every resource of one type."""
        return {name: self.properties(name) for name, given in self.resources.items() if given["Type"] == kind}

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template does."""
        return self._holds(self.template["Conditions"][condition])

    def broken_rules(self) -> list[str]:
        """What CloudFormation says of these parameters before it makes anything."""
        return [
            assertion["AssertDescription"]
            for rule in self.template["Rules"].values()
            if self._holds(rule.get("RuleCondition", ALWAYS))
            for assertion in rule["Assertions"]
            if not self._holds(assertion["Assert"])
        ]

    def resolved(self, value: Json) -> Json:
        """`value` with Ref, Fn::GetAtt, Fn::Sub, Fn::If, Fn::Split followed.

        A made resource's own name is its logical id.
        """
        if isinstance(value, list):
            return [one for one in map(self.resolved, value) if one is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function == "Ref":
                return self._ref(argument)
            if function == "Fn::GetAtt":
                return self._attribute(*argument)
            if function == "Fn::Sub":
                text, values = argument if isinstance(argument, list) else (argument, {})
                own = {name: str(one) for name, one in self.resolved(values).items()}
                return re.sub(
                    r"\$\{([^}]+)\}", lambda name: own[name[1]] if name[1] in own else self._named(name[1]), text
                )
            if function == "Fn::If":
                condition, then, otherwise = argument
                return self.resolved(then if self.holds(condition) else otherwise)
            if function == "Fn::Split":
                separator, text = argument
                return str(self.resolved(text)).split(separator)
            if function == "Fn::Select":
                index, several = argument
                return self.resolved(several)[index]
        members = {name: self.resolved(one) for name, one in value.items()}
        return {name: one for name, one in members.items() if one is not NO_VALUE}

    def _named(self, name: str) -> str:
        logical_id, _, attribute = name.partition(".")
        return str(self._attribute(logical_id, attribute) if attribute else self._ref(name))

    def _ref(self, name: str) -> Json:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in PSEUDO_PARAMETERS:
            return PSEUDO_PARAMETERS[name]
        if name in self.parameters:
            return self.parameters[name]
        resource = self.resources[name]
        if resource["Type"] == "AWS::S3::Bucket":
            return self.resolved(resource["Properties"]["BucketName"])
        if resource["Type"] == "AWS::SNS::Topic":
            return f"arn:aws:sns:{REGION}:{PSEUDO_PARAMETERS['AWS::AccountId']}:{name}"
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            made = self.resolved(resource["Properties"]["StateMachineName"])
            return f"arn:aws:states:{REGION}:{PSEUDO_PARAMETERS['AWS::AccountId']}:stateMachine:{made}"
        if resource["Type"] == "AWS::Lambda::Alias":
            function = self._attribute(resource["Properties"]["FunctionName"]["Ref"], "Arn")
            return f"{function}:{resource['Properties']['Name']}"
        return name

    def _attribute(self, logical_id: str, attribute: str) -> str:
        kind = self.resources[logical_id]["Type"]
        account = f"{REGION}:{PSEUDO_PARAMETERS['AWS::AccountId']}"
        if (kind, attribute) == ("AWS::S3::Bucket", "Arn"):
            return f"arn:aws:s3:::{self._ref(logical_id)}"
        if (kind, attribute) == ("AWS::Lambda::Function", "Arn"):
            return f"arn:aws:lambda:{account}:function:{logical_id}"
        if (kind, attribute) == ("AWS::SQS::Queue", "Arn"):
            return f"arn:aws:sqs:{account}:{logical_id}"
        if (kind, attribute) == ("AWS::Logs::LogGroup", "Arn"):
            name = self.resolved(self.resources[logical_id]["Properties"]["LogGroupName"])
            return f"arn:aws:logs:{account}:log-group:{name}:*"
        return f"{logical_id}.{attribute}"

    def _there(self, given: dict[str, Json]) -> dict[str, Json]:
        conditions = self.template["Conditions"]
        return {name: one for name, one in given.items() if self._holds(conditions.get(one.get("Condition"), ALWAYS))}

    def _holds(self, condition: Json) -> bool:
        ((function, argument),) = condition.items()
        if function == "Fn::Not":
            return not self._holds(argument[0])
        if function == "Fn::And":
            return all(map(self._holds, argument))
        if function == "Fn::Or":
            return any(map(self._holds, argument))
        if function == "Condition":
            return self.holds(argument)
        if function == "Fn::Equals":
            one, other = map(self.resolved, argument)
            return bool(one == other)
        raise NotImplementedError(f"no condition of the template uses {function} yet")


def creation_order(template: dict[str, Json]) -> list[str]:
    """The resources in an order in which CloudFormation could make them.

    Raises graphlib.CycleError where there is none, which is when CloudFormation refuses the template.
    """
    resources = template["Resources"]
    needs = {
        name: {needed for needed in _references(given) if needed in resources} for name, given in resources.items()
    }
    return list(TopologicalSorter(needs).static_order())


def _references(value: Json) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _references(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name == "Ref":
                yield one
            elif name == "Fn::GetAtt":
                yield one[0]
            elif name == "Fn::Sub":
                text, values = one if isinstance(one, list) else (one, {})
                yield from re.findall(r"\$\{([^}.]+)[^}]*\}", text)
                yield from _references(values)
            elif name == "DependsOn":
                yield from [one] if isinstance(one, str) else one
            else:
                yield from _references(one)


def policies(function_logical_id: str, models: str = "models", drops: str = "drops") -> dict[str, Json]:
    """What the template lets a function do in S3, as `role_policies`."""
    role = translated()["Resources"][function_logical_id]["Properties"]["Role"]["Fn::GetAtt"][0]
    return role_policies(role, models, drops)


def role_policies(role: str, models: str, drops: str) -> dict[str, Json]:
    """What the template lets a role do in S3: one policy document, for buckets named `models` and `drops`.

    Statements about other services are left out, since MinIO refuses a policy that names an action it does not know.
    """
    stack = Stack(translated(), ALL_ON)
    statements = [
        statement
        for policy in stack.properties(role)["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if all(action.startswith("s3:") for action in as_list(statement["Action"]))
    ]
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    for logical_id, name in (("ModelBucket", models), ("DropBucket", drops)):
        text = text.replace(stack.properties(logical_id)["BucketName"], name)
    document: dict[str, Json] = json.loads(text)
    return document


def environment(stack: Stack, function: str) -> dict[str, str]:
    """The variables a function is given, as text."""
    variables = stack.properties(function)["Environment"]["Variables"]
    return {name: str(value) for name, value in variables.items()}


def document(*statements: dict[str, Json]) -> dict[str, Json]:
    """A policy of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def as_list(value: Json) -> list[Json]:
    """IAM writes one thing alone and several as a list; this is always a list."""
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of what only AWS's own copy of it has
    for variant, values in VARIANTS.items():
        text = json.dumps(translated(parameters=values), indent=2)
        Path(sys.argv[1], f"{variant}.json").write_text(text, encoding="utf-8")
