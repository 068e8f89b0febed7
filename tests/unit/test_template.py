"""What the translated template promises of functions and roles, as AWS would read it; nothing is called."""

import ast
import json
from collections.abc import Mapping
from graphlib import CycleError
from typing import Any

import pytest

from tests.template import (
    ALL_ON,
    DROPS,
    FAILURES,
    FUNCTIONS,
    KEY,
    LAMBDA,
    MACHINE,
    MODELS,
    RETRAINING_MACHINE,
    ROOT,
    VARIANTS,
    Json,
    Stack,
    as_list,
    creation_order,
    document,
    policies,
    source,
    translated,
)

READ_MODEL = (
    {
        "Sid": "ReadModel",
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{MODELS}/models/iris/*",
    },
    {
        "Sid": "ListModel",
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{MODELS}",
        "Condition": {"StringLike": {"s3:prefix": "models/iris/*"}},
    },
)


def logs_of(function: str) -> dict[str, Any]:
    group = f"arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/stack-{function}:*"
    return document({"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": group})


TRACES = {
    "PolicyName": "traces",
    "PolicyDocument": document(
        {"Effect": "Allow", "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "Resource": "*"}
    ),
}


def test_predict_may_read_its_model_write_its_own_log_and_nothing_else(stack: Stack) -> None:
    assert stack.properties("PredictRole")["Policies"] == [
        {"PolicyName": "logs", "PolicyDocument": logs_of("predict")},
        {"PolicyName": "store", "PolicyDocument": document(*READ_MODEL)},
        TRACES,
    ]


DROPS_AND_RESULTS = (
    {
        "Sid": "ReadDrops",
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{DROPS}/incoming/*",
    },
    {
        "Sid": "OwnResults",
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"],
        "Resource": [f"arn:aws:s3:::{DROPS}/scored/*", f"arn:aws:s3:::{DROPS}/rejected/*"],
    },
    {
        "Sid": "ListDropsAndResults",
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{DROPS}",
        "Condition": {"StringLike": {"s3:prefix": ["incoming/*", "scored/*", "rejected/*"]}},
    },
)


def test_batch_may_read_its_model_and_drops_and_write_and_delete_only_its_own_results(stack: Stack) -> None:
    assert stack.properties("BatchRole")["Policies"] == [
        {"PolicyName": "logs", "PolicyDocument": logs_of("batch")},
        {"PolicyName": "store", "PolicyDocument": document(*READ_MODEL, *DROPS_AND_RESULTS)},
        {
            "PolicyName": "failures",
            "PolicyDocument": document({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": FAILURES}),
        },
        TRACES,
    ]


def test_fan_outs_function_may_do_what_batch_may_and_find_uploads_that_nobody_finished(stack: Stack) -> None:
    find = {
        "Sid": "FindUploads",
        "Effect": "Allow",
        "Action": "s3:ListBucketMultipartUploads",
        "Resource": f"arn:aws:s3:::{DROPS}",
    }
    assert stack.properties("FanOutRole")["Policies"] == [
        {"PolicyName": "logs", "PolicyDocument": logs_of("fan-out")},
        {"PolicyName": "store", "PolicyDocument": document(*READ_MODEL, *DROPS_AND_RESULTS, find)},
        TRACES,
    ]


def test_with_a_key_of_ones_own_predict_may_decrypt_and_those_that_write_may_encrypt(template: dict[str, Json]) -> None:
    without, given = Stack(template, ALL_ON), Stack(template, VARIANTS["own-key"])
    both = ["kms:Decrypt", "kms:GenerateDataKey"]
    for role, actions in (("PredictRole", "kms:Decrypt"), ("BatchRole", both), ("FanOutRole", both)):
        added = {
            "PolicyName": "key",
            "PolicyDocument": document({"Effect": "Allow", "Action": actions, "Resource": KEY}),
        }
        assert given.properties(role)["Policies"] == [*without.properties(role)["Policies"], added]


def test_calls_are_traced_and_logged_as_json(stack: Stack, template: dict[str, Json]) -> None:
    asked = Stack(template, VARIANTS["traced-only-where-asked"])
    for function, role in (("PredictFunction", "PredictRole"), ("BatchFunction", "BatchRole")):
        assert stack.properties(function)["TracingConfig"] == {"Mode": "Active"}
        assert stack.properties(function)["LoggingConfig"]["LogFormat"] == "JSON"
        assert asked.properties(function)["TracingConfig"] == {"Mode": "PassThrough"}
        assert TRACES not in asked.properties(role)["Policies"]


def test_all_functions_run_in_the_subnets_that_are_given(template: dict[str, Json]) -> None:
    outside, inside = Stack(template, ALL_ON), Stack(template, VARIANTS["in-a-vpc"])
    actions = [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ]
    from_within = {"lambda:SourceFunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:*"}
    network = {
        "PolicyName": "network",
        "PolicyDocument": document(
            {"Effect": "Allow", "Action": actions, "Resource": "*"},
            {"Effect": "Deny", "Action": actions, "Resource": "*", "Condition": {"ArnLike": from_within}},
        ),
    }
    for function in FUNCTIONS:
        assert "VpcConfig" not in outside.properties(function)
        assert inside.properties(function)["VpcConfig"] == {
            "SubnetIds": ["subnet-0a1b2c3d4e5f60718", "subnet-0a1b2c3d4e5f60719"],
            "SecurityGroupIds": ["sg-0a1b2c3d4e5f60718"],
        }
        role = function.replace("Function", "Role")
        added = [
            policy
            for policy in inside.properties(role)["Policies"]
            if policy not in outside.properties(role)["Policies"]
        ]
        assert added == [network]


def test_a_new_function_version_takes_over_step_by_step_and_its_errors_take_it_back() -> None:
    rolled_back_by = {"Predict": ["PredictErrors", "HttpErrors", "ModelFailures"], "Batch": ["BatchErrors"]}
    for rollout in ("Canary10Percent10Minutes", "Linear10PercentEvery1Minute", "AllAtOnce"):
        stack = Stack(translated(parameters={"Rollout": rollout}))
        for name, alarms in rolled_back_by.items():
            group = stack.properties(f"{name}FunctionDeploymentGroup")
            assert group["DeploymentConfigName"] == f"CodeDeployDefault.Lambda{rollout}"
            assert group["AlarmConfiguration"] == {"Enabled": True, "Alarms": [{"Name": alarm} for alarm in alarms]}
            assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
            assert group["ServiceRoleArn"] == "RolloutRole.Arn"
            assert stack.resources[f"{name}FunctionAliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"][
                "DeploymentGroupName"
            ] == {"Ref": f"{name}FunctionDeploymentGroup"}


@pytest.mark.parametrize("rollout", ["Canary10Percent10Minutes", "AllAtOnce"])
def test_the_deployment_that_puts_out_a_burning_alarm_goes_through_without_alarms(rollout: str) -> None:
    parameters = {"Rollout": rollout, "RolloutAlarms": "off"}
    stack = Stack(translated(parameters=parameters), parameters)
    for group in stack.of_type("AWS::CodeDeploy::DeploymentGroup").values():
        assert group["AlarmConfiguration"] == {}
        assert group["DeploymentConfigName"] == f"CodeDeployDefault.Lambda{rollout}"
        assert group["AutoRollbackConfiguration"]["Enabled"] is True
    assert len(stack.of_type("AWS::CloudWatch::Alarm")) > 0  # they go on telling people


def test_a_rollout_may_move_the_two_aliases_and_look_at_alarms(stack: Stack) -> None:
    (policy,) = stack.properties("RolloutRole")["Policies"]
    assert policy["PolicyDocument"] == document(
        {
            "Sid": "MoveAliases",
            "Effect": "Allow",
            "Action": ["lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"],
            "Resource": [
                f"{LAMBDA}:PredictFunction",
                f"{LAMBDA}:PredictFunction:*",
                f"{LAMBDA}:BatchFunction",
                f"{LAMBDA}:BatchFunction:*",
            ],
        },
        {"Sid": "LookAtAlarms", "Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": "*"},
    )


def test_predict_starts_cold_unless_asked_for_a_snapshot_or_for_environments_kept_ready(
    template: dict[str, Json],
) -> None:
    def readiness(parameters: Mapping[str, str]) -> tuple[Json, Json]:
        stack = Stack(template, parameters)
        kept = stack.properties("PredictFunctionAliaslive").get("ProvisionedConcurrencyConfig")
        return stack.properties("PredictFunction")["SnapStart"], kept

    assert readiness({}) == ({"ApplyOn": "None"}, None)
    assert readiness(VARIANTS["snap-start"]) == ({"ApplyOn": "PublishedVersions"}, None)
    assert readiness(VARIANTS["kept-ready"]) == ({"ApplyOn": "None"}, {"ProvisionedConcurrentExecutions": "2"})


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_all_functions_run_on_the_processor_asked_for(template: dict[str, Json], architecture: str) -> None:
    stack = Stack(template, {**ALL_ON, "Architecture": architecture})
    assert [stack.properties(function)["Architectures"] for function in FUNCTIONS] == [[architecture]] * len(FUNCTIONS)


def test_a_role_has_no_more_than_its_policies_and_only_its_service_may_take_it(stack: Stack) -> None:
    roles = stack.of_type("AWS::IAM::Role")
    services = {
        "BatchRole": "lambda.amazonaws.com",
        "FanOutMachineRole": "states.amazonaws.com",
        "FanOutRole": "lambda.amazonaws.com",
        "PredictRole": "lambda.amazonaws.com",
        "ReleaseRole": "lambda.amazonaws.com",
        "RetrainingMachineRole": "states.amazonaws.com",
        "RetrainingStartRole": "events.amazonaws.com",
        "RolloutRole": "codedeploy.amazonaws.com",
        "TrainingRole": "sagemaker.amazonaws.com",
    }
    assert sorted(roles) == sorted(services)
    for name, role in roles.items():
        assert set(role) <= {"AssumeRolePolicyDocument", "Policies"}
        assert role["AssumeRolePolicyDocument"] == document(
            {"Effect": "Allow", "Principal": {"Service": services[name]}, "Action": "sts:AssumeRole"}
        )


def test_each_function_takes_its_own_role(stack: Stack) -> None:
    roles = {name: stack.properties(name)["Role"] for name in FUNCTIONS}
    assert roles == {
        "PredictFunction": "PredictRole.Arn",
        "BatchFunction": "BatchRole.Arn",
        "FanOutFunction": "FanOutRole.Arn",
        "ReleaseFunction": "ReleaseRole.Arn",
    }


def test_the_policies_for_test_users_are_the_templates_with_other_bucket_names(stack: Stack) -> None:
    of_the_template = json.dumps(stack.properties("BatchRole")["Policies"][1]["PolicyDocument"])
    expected = json.loads(of_the_template.replace(MODELS, "one").replace(DROPS, "two"))
    assert policies("BatchFunction", models="one", drops="two") == expected


def test_the_resources_can_be_made_in_some_order(template: dict[str, Json]) -> None:
    order = creation_order(template)
    assert sorted(order) == sorted(template["Resources"])
    # S3 tests a notification's target when the bucket is made, so the permission must be there by then.
    assert order.index("DropBucketMayCallBatch") < order.index("DropBucket")


def test_a_cycle_would_be_found() -> None:
    built = "DATA_STORE: !Sub s3://${BucketPrefix}-drops-${AWS::AccountId}-${AWS::Region}"
    assert built in source()
    with pytest.raises(CycleError) as raised:
        creation_order(translated(source().replace(built, "DATA_STORE: !Sub s3://${DropBucket}")))
    assert {"BatchFunction", "DropBucket", "DropBucketMayCallBatch"} <= set(raised.value.args[1])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_functions_command_names_a_handler_that_exists(stack: Stack, function: str) -> None:
    (command,) = stack.properties(function)["ImageConfig"]["Command"]
    module, _, handler = command.rpartition(".")
    file = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    defined = {
        node.name for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)
    }
    assert handler in defined


def test_all_functions_are_one_image_that_can_be_built(template: dict[str, Json]) -> None:
    built = [template["Resources"][name]["Metadata"] for name in FUNCTIONS]
    assert built == [built[0]] * len(FUNCTIONS)
    assert (ROOT / built[0]["DockerContext"] / built[0]["Dockerfile"]).is_file()


def test_every_function_has_the_alias_live_of_its_newest_version(stack: Stack) -> None:
    for function in FUNCTIONS:
        alias = stack.resources[f"{function}Aliaslive"]["Properties"]
        version, attribute = alias["FunctionVersion"]["Fn::GetAtt"]
        assert (alias["Name"], alias["FunctionName"], attribute) == ("live", {"Ref": function}, "Version")
        assert stack.resources[version]["Properties"]["FunctionName"] == {"Ref": function}


def test_a_change_of_a_setting_alone_makes_a_new_function_version() -> None:
    def versions(text: str) -> set[str]:
        resources = translated(text)["Resources"]
        return {name for name, given in resources.items() if given["Type"] == "AWS::Lambda::Version"}

    changed = source().replace("MODEL_ALIAS: !Ref ModelAlias", "MODEL_ALIAS: other")
    assert changed != source()
    assert versions(source()).isdisjoint(versions(changed))


def test_only_the_api_and_the_drop_bucket_may_call_and_only_the_aliases(stack: Stack) -> None:
    assert stack.of_type("AWS::Lambda::Permission") == {
        "HttpApiMayCallPredict": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": f"{LAMBDA}:PredictFunction:live",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": "arn:aws:execute-api:eu-central-1:123456789012:HttpApi/*",
        },
        "DropBucketMayCallBatch": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": f"{LAMBDA}:BatchFunction:live",
            "Principal": "s3.amazonaws.com",
            "SourceAccount": "123456789012",
            "SourceArn": f"arn:aws:s3:::{stack.properties('DropBucket')['BucketName']}",
        },
    }


def test_concurrency_is_reserved_only_where_asked_for(template: dict[str, Json]) -> None:
    assert "ReservedConcurrentExecutions" not in Stack(template).properties("BatchFunction")
    limited = Stack(template, {"BatchReservedConcurrency": "5"}).properties("BatchFunction")
    assert limited["ReservedConcurrentExecutions"] == "5"


def test_the_outputs_say_where_to_send_publish_and_drop(stack: Stack) -> None:
    values = {name: stack.resolved(given["Value"]) for name, given in stack.outputs.items()}
    assert values == {
        "Url": "https://HttpApi.execute-api.eu-central-1.amazonaws.com",
        "ModelBucket": MODELS,
        "DropBucket": DROPS,
        "BatchFailures": "BatchFailures",
        "PredictFunction": f"{LAMBDA}:PredictFunction:live",
        "BatchFunction": f"{LAMBDA}:BatchFunction:live",
        "FanOutMachine": MACHINE,
        "RetrainingMachine": RETRAINING_MACHINE,
        "RetrainingTopic": "arn:aws:sns:eu-central-1:123456789012:RetrainingTopic",
    }


def test_no_statement_allows_every_action(stack: Stack) -> None:
    for role in stack.of_type("AWS::IAM::Role").values():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                assert not [action for action in as_list(statement["Action"]) if "*" in action]
