"""Who may do what by the translated template's roles, asked as IAM would be asked; nothing is called.

The documents themselves are compared in test_template.py.
"""

from collections.abc import Callable
from fnmatch import fnmatchcase

import pytest

from tests.template import ALL_ON, FUNCTIONS, KEY, VARIANTS, Json, Stack, as_list

MODELS = "arn:aws:s3:::serverless-sklearn-models-123456789012-eu-central-1"
DROPS = "arn:aws:s3:::serverless-sklearn-drops-123456789012-eu-central-1"
FOLDERS = (
    f"{MODELS}/models/iris",
    f"{MODELS}/models/iris-2",
    f"{DROPS}/incoming",
    f"{DROPS}/scored",
    f"{DROPS}/rejected",
    f"{MODELS}/other",
    f"{DROPS}/other",
)


@pytest.fixture(scope="module")
def stack(template: dict[str, Json]) -> Stack:
    """Everything the template makes where fan-out and retraining are on and every service has a key of one's own."""
    return Stack(template, VARIANTS["own-key"])


def statements(stack: Stack, role: str) -> list[Json]:
    """Of the role's own policies and of those attached to it."""
    attached = [one for one in stack.of_type("AWS::IAM::RolePolicy").values() if one["RoleName"] == role]
    given = [*stack.properties(role).get("Policies", []), *attached]
    return [statement for policy in given for statement in policy["PolicyDocument"]["Statement"]]


def may(stack: Stack, role: str, action: str, resource: str) -> bool:
    """Whether a statement allows it under some condition. What is denied is so to a function's own code alone."""
    asked = [statement for statement in statements(stack, role) if statement["Effect"] == "Allow"]
    denied = [statement for statement in statements(stack, role) if statement["Effect"] == "Deny"]
    assert all("lambda:SourceFunctionArn" in statement["Condition"]["ArnLike"] for statement in denied)
    return any(
        any(fnmatchcase(action, pattern) for pattern in as_list(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in as_list(statement["Resource"]))
        for statement in asked
    )


def where(stack: Stack, role: str, action: str) -> set[str]:
    return {folder for folder in FOLDERS if may(stack, role, action, f"{folder}/a/b.csv")}


RESULTS = {f"{DROPS}/scored", f"{DROPS}/rejected"}
READABLE = {f"{MODELS}/models/iris", f"{DROPS}/incoming", *RESULTS}


def test_predict_reads_its_model_and_no_other_and_nothing_that_was_dropped(stack: Stack) -> None:
    assert where(stack, "PredictRole", "s3:GetObject") == {f"{MODELS}/models/iris"}
    for action in ("s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:DeleteObjectVersion"):
        assert where(stack, "PredictRole", action) == set()


@pytest.mark.parametrize("role", ["BatchRole", "FanOutRole"])
def test_who_scores_drops_reads_its_model_and_them_and_writes_and_deletes_only_results(stack: Stack, role: str) -> None:
    assert where(stack, role, "s3:GetObject") == READABLE
    for action in ("s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"):
        assert where(stack, role, action) == RESULTS
    for action in ("s3:DeleteObjectVersion", "s3:PutObjectAcl", "s3:PutBucketPolicy"):
        assert where(stack, role, action) == set()


@pytest.mark.parametrize("role", ["PredictRole", "BatchRole", "FanOutRole", "ReleaseRole", "TrainingRole"])
def test_whoever_reads_models_reads_and_lists_the_one_of_the_parameter(template: dict[str, Json], role: str) -> None:
    wine = Stack(template, {**ALL_ON, "ModelName": "wine"})
    models = [one for one in statements(wine, role) if MODELS in str(one["Resource"])]
    assert [one["Resource"] for one in models if one["Action"] == "s3:GetObject"] == [f"{MODELS}/models/wine/*"]
    assert [one["Condition"] for one in models if one["Action"] == "s3:ListBucket"] == [
        {"StringLike": {"s3:prefix": "models/wine/*"}}
    ]


def test_nobody_else_may_delete_anything(stack: Stack) -> None:
    deleting = {
        role
        for role in stack.of_type("AWS::IAM::Role")
        for statement in statements(stack, role)
        for action in as_list(statement["Action"])
        if "Delete" in action and action != "logs:DeleteLogDelivery"
    }
    assert deleting == {"BatchRole", "FanOutRole"}


def test_a_role_names_what_it_may_touch_except_where_aws_knows_no_names(stack: Stack) -> None:
    anywhere = {
        (action.partition(":")[0], role)
        for role in stack.of_type("AWS::IAM::Role")
        for statement in statements(stack, role)
        if "*" in as_list(statement["Resource"])
        for action in as_list(statement["Action"])
    }
    machines = ("FanOutMachineRole", "RetrainingMachineRole")
    traced = ("PredictRole", "BatchRole", "FanOutRole", "ReleaseRole", *machines)
    assert anywhere == {
        ("cloudwatch", "RolloutRole"),
        ("ecr", "TrainingRole"),
        ("sagemaker", "RetrainingMachineRole"),
        *(("logs", role) for role in machines),
        *(("xray", role) for role in traced),
    }


# How each type of resource that keeps data names its key.
KEYS: dict[str, Callable[[Json], Json]] = {
    "AWS::AppConfig::ConfigurationProfile": lambda given: given.get("KmsKeyIdentifier"),
    "AWS::Lambda::Function": lambda given: given.get("KmsKeyArn"),
    "AWS::Logs::LogGroup": lambda given: given.get("KmsKeyId"),
    "AWS::SQS::Queue": lambda given: given.get("KmsMasterKeyId"),
    "AWS::SNS::Topic": lambda given: given.get("KmsMasterKeyId"),
    "AWS::S3::Bucket": lambda given: given["BucketEncryption"]["ServerSideEncryptionConfiguration"][0][
        "ServerSideEncryptionByDefault"
    ].get("KMSMasterKeyID"),
}
KEEP_NO_DATA = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Stage",
    "AWS::AppConfig::Application",
    "AWS::AppConfig::HostedConfigurationVersion",  # its profile names the key
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::Events::Rule",
    "AWS::IAM::Role",
    "AWS::IAM::RolePolicy",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Version",
    "AWS::Logs::MetricFilter",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::StepFunctions::StateMachine",  # it carries names of objects and numbers of parts
}


def test_whatever_keeps_data_keeps_it_under_the_key_that_is_given(stack: Stack) -> None:
    kinds = {resource["Type"] for resource in stack.resources.values()}
    assert kinds == KEYS.keys() | KEEP_NO_DATA
    for kind, key in KEYS.items():
        for name, given in stack.of_type(kind).items():
            assert key(given) == KEY, name


def test_a_key_that_is_not_given_is_named_nowhere(template: dict[str, Json]) -> None:
    stack = Stack(template, ALL_ON)
    for kind, key in KEYS.items():
        assert [key(given) for given in stack.of_type(kind).values()] == [None] * len(stack.of_type(kind))


def test_every_function_has_a_role_of_its_own(stack: Stack) -> None:
    assert len({stack.properties(function)["Role"] for function in FUNCTIONS}) == len(FUNCTIONS)
