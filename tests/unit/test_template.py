"""What the translated template promises, read as AWS would read it; nothing is called."""

import ast
import hashlib
import json
import re
from collections.abc import Mapping
from graphlib import CycleError
from typing import Any

import pytest

from functions.protocols import cors
from functions.settings import BatchSettings, FanOutSettings, ModelSettings, SiteSettings, StoreSettings
from tests.template import (
    CERTIFICATE,
    FAN_OUT,
    FUNCTIONS,
    KEY,
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

MODELS = "serverless-sklearn-models-123456789012-eu-central-1"
DROPS = "serverless-sklearn-drops-123456789012-eu-central-1"
LAMBDA = "arn:aws:lambda:eu-central-1:123456789012:function"
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:stack-fan-out"
FAILURES = "arn:aws:sqs:eu-central-1:123456789012:BatchFailures"
# Read by settings, and not the template's to set: Lambda gives its region, and one endpoint is enough for one service.
NOT_IN_THE_TEMPLATE = {"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_S3"}


@pytest.fixture(scope="module")
def template() -> dict[str, Json]:
    return translated()


@pytest.fixture(scope="module")
def stack(template: dict[str, Json]) -> Stack:
    """Everything the template can make."""
    return Stack(template, FAN_OUT)


def environment(stack: Stack, function: str) -> dict[str, str]:
    variables = stack.properties(function)["Environment"]["Variables"]
    return {name: str(value) for name, value in variables.items()}


READ_MODELS = {
    "Sid": "ReadModels",
    "Effect": "Allow",
    "Action": "s3:GetObject",
    "Resource": f"arn:aws:s3:::{MODELS}/models/*",
}
LIST_MODELS = {
    "Sid": "ListModels",
    "Effect": "Allow",
    "Action": "s3:ListBucket",
    "Resource": f"arn:aws:s3:::{MODELS}",
    "Condition": {"StringLike": {"s3:prefix": "models/*"}},
}


def logs_of(function: str) -> dict[str, Any]:
    group = f"arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/stack-{function}:*"
    return document({"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": group})


TRACES = {
    "PolicyName": "traces",
    "PolicyDocument": document(
        {"Effect": "Allow", "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "Resource": "*"}
    ),
}


def test_predict_may_read_models_write_its_own_log_and_nothing_else(stack: Stack) -> None:
    assert stack.properties("PredictRole")["Policies"] == [
        {"PolicyName": "logs", "PolicyDocument": logs_of("predict")},
        {"PolicyName": "store", "PolicyDocument": document(READ_MODELS, LIST_MODELS)},
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


def test_batch_may_read_models_and_drops_and_write_and_delete_only_its_own_results(stack: Stack) -> None:
    assert stack.properties("BatchRole")["Policies"] == [
        {"PolicyName": "logs", "PolicyDocument": logs_of("batch")},
        {"PolicyName": "store", "PolicyDocument": document(READ_MODELS, LIST_MODELS, *DROPS_AND_RESULTS)},
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
        {"PolicyName": "store", "PolicyDocument": document(READ_MODELS, LIST_MODELS, *DROPS_AND_RESULTS, find)},
        TRACES,
    ]


def test_with_a_key_of_ones_own_predict_may_decrypt_and_those_that_write_may_encrypt(template: dict[str, Json]) -> None:
    without, given = Stack(template, FAN_OUT), Stack(template, VARIANTS["own-key"])
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
    outside, inside = Stack(template, FAN_OUT), Stack(template, VARIANTS["in-a-vpc"])
    network = {
        "PolicyName": "network",
        "PolicyDocument": document(
            {
                "Effect": "Allow",
                "Action": [
                    "ec2:CreateNetworkInterface",
                    "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeSubnets",
                    "ec2:DeleteNetworkInterface",
                    "ec2:AssignPrivateIpAddresses",
                    "ec2:UnassignPrivateIpAddresses",
                ],
                "Resource": "*",
            }
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
    stack = Stack(template, {**FAN_OUT, "Architecture": architecture})
    assert [stack.properties(function)["Architectures"] for function in FUNCTIONS] == [[architecture]] * len(FUNCTIONS)


def test_batch_may_start_the_state_machine_and_that_may_call_the_functions_and_run_its_own_children(
    stack: Stack,
) -> None:
    assert stack.of_type("AWS::IAM::RolePolicy") == {
        "BatchMayStartFanOut": {
            "RoleName": "BatchRole",
            "PolicyName": "fan-out",
            "PolicyDocument": document({"Effect": "Allow", "Action": "states:StartExecution", "Resource": MACHINE}),
        },
        "FanOutMachinePolicy": {
            "RoleName": "FanOutMachineRole",
            "PolicyName": "fan-out",
            "PolicyDocument": document(
                {
                    "Sid": "TakeSteps",
                    "Effect": "Allow",
                    "Action": "lambda:InvokeFunction",
                    "Resource": [f"{LAMBDA}:FanOutFunction:live", f"{LAMBDA}:BatchFunction:live"],
                },
                {
                    "Sid": "ListDrops",
                    "Effect": "Allow",
                    "Action": "s3:ListBucket",
                    "Resource": f"arn:aws:s3:::{DROPS}",
                    "Condition": {"StringLike": {"s3:prefix": "incoming/*"}},
                },
                {"Sid": "StartChildren", "Effect": "Allow", "Action": "states:StartExecution", "Resource": MACHINE},
                {
                    "Sid": "FollowChildren",
                    "Effect": "Allow",
                    "Action": ["states:DescribeExecution", "states:StopExecution"],
                    "Resource": MACHINE.replace(":stateMachine:", ":execution:") + "/*",
                },
            ),
        },
    }


def test_fan_out_is_off_unless_asked_for(template: dict[str, Json], stack: Stack) -> None:
    off = Stack(template)
    made = {name for name in stack.resources if name not in off.resources}
    assert {name for name in made if not name.startswith("FanOut")} == {"BatchMayStartFanOut"}
    assert not [name for name in off.resources if "FanOut" in name]
    assert set(stack.outputs) - set(off.outputs) == {"FanOutMachine"}
    assert environment(off, "BatchFunction")["BATCH_FANOUT"] == ""
    assert environment(stack, "BatchFunction")["BATCH_FANOUT"] == MACHINE


def test_a_map_of_the_state_machine_runs_as_wide_as_asked_and_tolerates_no_failure(template: dict[str, Json]) -> None:
    given = Stack(template, {**FAN_OUT, "FanOutConcurrency": "7"}).properties("FanOutMachine")["Definition"]
    maps = [state for state in given["States"].values() if state["Type"] == "Map"]
    assert len(maps) == 2
    for one in maps:
        assert (one["MaxConcurrency"], one["ToleratedFailureCount"]) == ("7", 0)
        assert one["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


def test_whatever_fails_in_a_run_of_parts_ends_in_abort(stack: Stack) -> None:
    states = stack.properties("FanOutMachine")["Definition"]["States"]
    for name in ("Plan", "Parts", "Finish"):
        assert states[name]["Catch"] == [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failed", "Next": "Abort"}]


def test_a_role_has_no_more_than_its_policies_and_only_its_service_may_take_it(stack: Stack) -> None:
    roles = stack.of_type("AWS::IAM::Role")
    services = {
        "BatchRole": "lambda.amazonaws.com",
        "FanOutMachineRole": "states.amazonaws.com",
        "FanOutRole": "lambda.amazonaws.com",
        "PredictRole": "lambda.amazonaws.com",
        "RolloutRole": "codedeploy.amazonaws.com",
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


def test_the_template_sets_what_settings_reads_and_nothing_else(stack: Stack) -> None:
    tree = ast.parse((ROOT / "functions" / "settings.py").read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    read = {text for text in texts if text.isupper() and text.replace("_", "").isalnum()}
    named = {name for function in FUNCTIONS for name in environment(stack, function)}
    assert named == read - NOT_IN_THE_TEMPLATE


def test_what_sam_local_is_given_are_settings_that_the_template_names(stack: Stack) -> None:
    # Others would be left out without a word.
    given = json.loads((ROOT / "local" / "sam.json").read_text(encoding="utf-8"))["Parameters"]
    assert set(given) <= set(environment(stack, "BatchFunction"))


def test_predict_is_told_nothing_of_drops(stack: Stack) -> None:
    only_batch = set(environment(stack, "BatchFunction")) - set(environment(stack, "PredictFunction"))
    assert only_batch == {"DATA_STORE"} | {name for name in only_batch if name.startswith("BATCH_")}


def test_the_templates_defaults_are_the_codes_defaults(template: dict[str, Json], stack: Stack) -> None:
    assert FanOutSettings.read(environment(stack, "FanOutFunction")) == FanOutSettings.read({})
    given = environment(Stack(template), "BatchFunction")
    least = {"MODEL_STORE": f"s3://{MODELS}", "DATA_STORE": f"s3://{DROPS}", "MODEL_NAME": "iris"}
    assert BatchSettings.read(given) == BatchSettings.read(least)
    assert ModelSettings.read(given) == ModelSettings.read(least)
    assert StoreSettings.read(given) == StoreSettings.read(least)


def test_a_setting_reaches_the_functions_from_its_parameter(template: dict[str, Json]) -> None:
    parameters = {
        "ModelName": "wine",
        "ModelAlias": "candidate",
        "ModelVersion": "20261122T195207Z-1f0c9a2b",
        "ModelRefreshSeconds": "5",
        "HttpBasePath": "/v1",
        "HttpCorsOrigins": "https://a.example,https://b.example",
        "BatchMaxRejectedShare": "0.1",
        "BatchMaxRecordBytes": "4096",
        "BatchSeparator": "tab",
        "BatchProbabilities": "true",
        "FanOut": "on",
        "FanOutPartBytes": "2097152",
        "EndpointUrl": "http://127.0.0.1:9000",
    }
    asked = environment(Stack(template, parameters), "PredictFunction")
    assert ModelSettings.read(asked) == ModelSettings(
        store=f"s3://{MODELS}",
        name="wine",
        alias="candidate",
        version="20261122T195207Z-1f0c9a2b",
        refresh_seconds=5.0,
    )
    assert SiteSettings.read(asked) == SiteSettings("/v1", ("https://a.example", "https://b.example"))
    given = environment(Stack(template, parameters), "BatchFunction")
    assert BatchSettings.read(given) == BatchSettings(
        store=f"s3://{DROPS}",
        max_rejected_share=0.1,
        max_record_bytes=4096,
        separator="\t",
        probabilities=True,
        fan_out=MACHINE,
    )
    parts = environment(Stack(template, parameters), "FanOutFunction")
    assert FanOutSettings.read(parts) == FanOutSettings(part_bytes=2097152)
    assert BatchSettings.read({**parts, "BATCH_FANOUT": MACHINE}) == BatchSettings.read(given)
    assert StoreSettings.read(given).endpoint == "http://127.0.0.1:9000"


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


def test_every_http_request_goes_to_predicts_alias(stack: Stack) -> None:
    body = stack.properties("HttpApi")["Body"]
    assert list(body["paths"]) == ["/$default"]
    assert list(body["paths"]["/$default"]) == ["x-amazon-apigateway-any-method"]
    route = body["paths"]["/$default"]["x-amazon-apigateway-any-method"]
    assert route["isDefaultRoute"] is True
    assert route["x-amazon-apigateway-integration"] == {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "payloadFormatVersion": "2.0",
        "uri": "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/"
        f"{LAMBDA}:PredictFunction:live/invocations",
    }


def test_predict_answers_before_the_http_api_gives_up(stack: Stack) -> None:
    assert stack.properties("PredictFunction")["Timeout"] < 30


def test_a_file_dropped_under_incoming_goes_to_batchs_alias_whatever_its_name_ends_in(stack: Stack) -> None:
    assert stack.properties("DropBucket")["NotificationConfiguration"] == {
        "LambdaConfigurations": [
            {
                "Event": "s3:ObjectCreated:*",
                "Function": f"{LAMBDA}:BatchFunction:live",
                "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "incoming/"}]}},
            }
        ]
    }


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


def http(parameters: Mapping[str, str]) -> Json:
    return Stack(translated(parameters=parameters)).properties("HttpApi")["Body"]


def security(parameters: Mapping[str, str]) -> Json:
    return http(parameters)["paths"]["/$default"]["x-amazon-apigateway-any-method"]["security"]


AWS_IAM = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "x-amazon-apigateway-authtype": "awsSigv4",
}


def test_a_request_must_be_signed_unless_parameters_ask_for_tokens_or_open_the_api(template: dict[str, Json]) -> None:
    assert security({}) == [{"AWS_IAM": []}]
    assert security(VARIANTS["jwt"]) == [{"JWT": []}]
    assert security(VARIANTS["jwt-with-scopes"]) == [{"JWT": ["predict", "all"]}]
    assert security({"HttpAuth": "OPEN"}) == []
    assert template["Parameters"]["HttpAuth"]["AllowedValues"] == ["IAM", "JWT", "OPEN"]
    assert http({})["components"]["securitySchemes"] == {"AWS_IAM": AWS_IAM}


def test_a_token_must_be_the_issuers_and_for_one_of_the_audience() -> None:
    assert http(VARIANTS["jwt"])["components"]["securitySchemes"] == {
        "AWS_IAM": AWS_IAM,
        "JWT": {
            "type": "oauth2",
            "x-amazon-apigateway-authorizer": {
                "type": "jwt",
                "identitySource": "$request.header.Authorization",
                "jwtConfiguration": {"issuer": "https://issuer.example/pool", "audience": ["one", "two"]},
            },
        },
    }


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        (VARIANTS["own-name"], []),
        (VARIANTS["in-a-vpc"], []),
        (
            {"VpcSubnetIds": "subnet-0a1b"},
            ["VpcSubnetIds needs VpcSecurityGroupIds, what the functions may reach there"],
        ),
        ({"VpcSecurityGroupIds": "sg-0a1b"}, ["VpcSecurityGroupIds is of no use without VpcSubnetIds"]),
        ({"HttpJwtIssuer": "https://issuer.example"}, ["HttpJwtIssuer is of no use without HttpAuth JWT"]),
        (
            {"HttpCertificateArn": CERTIFICATE, "HttpHostedZoneId": "Z1"},
            [
                "HttpCertificateArn is of no use without HttpDomainName, the name it is for",
                "HttpHostedZoneId is of no use without HttpDomainName, the name to write there",
            ],
        ),
        (
            {"HttpDomainName": "models.example.com"},
            ["HttpDomainName needs HttpCertificateArn, a certificate for it in this region"],
        ),
        ({}, []),
        ({"HttpAuth": "OPEN"}, []),
        (VARIANTS["jwt"], []),
        (VARIANTS["snap-start"], []),
        (VARIANTS["kept-ready"], []),
        (
            {**VARIANTS["snap-start"], **VARIANTS["kept-ready"]},
            ["PredictSnapStart and PredictProvisionedConcurrency do not go together; choose one"],
        ),
        (
            {"HttpAuth": "JWT"},
            [
                "HttpAuth JWT needs HttpJwtIssuer, as https://issuer",
                "HttpAuth JWT needs HttpJwtAudience, since without one every token of the issuer would do",
            ],
        ),
        (
            {"HttpAuth": "JWT", "HttpJwtIssuer": "https://issuer.example"},
            ["HttpAuth JWT needs HttpJwtAudience, since without one every token of the issuer would do"],
        ),
    ],
)
def test_parameters_that_do_not_go_together_are_refused_before_anything_is_made(
    template: dict[str, Json], parameters: dict[str, str], told: list[str]
) -> None:
    assert Stack(template, parameters).broken_rules() == told


def test_under_a_name_of_its_own_the_api_has_no_other_and_keeps_its_path(template: dict[str, Json]) -> None:
    stack = Stack(template, VARIANTS["own-name"])
    shut = "x-amazon-apigateway-endpoint-configuration"
    assert http(VARIANTS["own-name"])["servers"] == [{shut: {"disableExecuteApiEndpoint": True}}]
    assert http({})["servers"] == [{shut: {"disableExecuteApiEndpoint": False}}]
    assert stack.properties("HttpName") == {
        "DomainName": "models.example.com",
        "DomainNameConfigurations": [
            {"CertificateArn": CERTIFICATE, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}
        ],
    }
    mapping = {"ApiId": "HttpApi", "DomainName": "HttpName", "Stage": "HttpApiApiGatewayDefaultStage"}
    assert stack.properties("HttpNameLeadsToTheApi") == {**mapping, "ApiMappingKey": "v1/flowers"}
    assert stack.properties("HttpNameInTheZone") == {
        "HostedZoneId": "Z0123456789ABC",
        "Name": "models.example.com",
        "Type": "A",
        "AliasTarget": {
            "DNSName": "HttpName.RegionalDomainName",
            "HostedZoneId": "HttpName.RegionalHostedZoneId",
        },
    }
    assert stack.resolved(stack.outputs["Url"]["Value"]) == "https://models.example.com/v1/flowers"
    assert SiteSettings.read(environment(stack, "PredictFunction")).base_path == "/v1/flowers"
    without = Stack(template, VARIANTS["own-name-without-zone-and-path"])
    assert without.properties("HttpNameLeadsToTheApi") == mapping
    assert "HttpNameInTheZone" not in without.resources
    assert without.resolved(without.outputs["NameLeadsTo"]["Value"]) == "HttpName.RegionalDomainName"
    assert not [name for name in Stack(template).resources if name.startswith("HttpName")]


def test_other_sites_are_shut_out_unless_named() -> None:
    body = http({})
    assert "x-amazon-apigateway-cors" not in body
    assert list(body["paths"]) == ["/$default"]


@pytest.mark.parametrize("variant", [name for name, given in VARIANTS.items() if "HttpCorsOrigins" in given])
def test_a_browser_may_ask_without_a_signature_or_a_token_whether_it_may_ask(variant: str) -> None:
    body = http(VARIANTS[variant])
    asked = body["paths"]["/{proxy+}"]
    answered = body["paths"]["/$default"]["x-amazon-apigateway-any-method"]
    assert list(asked) == ["options"]
    assert asked["options"]["security"] == []
    integration = "x-amazon-apigateway-integration"
    assert asked["options"][integration] == answered[integration]
    alone = {name: value for name, value in VARIANTS[variant].items() if name != "HttpCorsOrigins"}
    assert answered["security"] == security(alone)


def test_the_api_tells_other_sites_what_the_function_does() -> None:
    assert http(VARIANTS["jwt-with-scopes"])["x-amazon-apigateway-cors"] == {
        "allowOrigins": ["https://a.example", "https://b.example"],
        "allowMethods": ["GET", "HEAD", "POST"],
        "allowHeaders": cors.HEADERS.split(", "),
        "maxAge": int(cors.KEPT),
    }


def test_callers_are_held_to_a_rate_and_every_request_leaves_a_line_of_json(template: dict[str, Json]) -> None:
    stage = Stack(template).of_type("AWS::ApiGatewayV2::Stage")["HttpApiApiGatewayDefaultStage"]
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 100, "ThrottlingBurstLimit": 200}
    logs = stage["AccessLogSettings"]
    assert logs["DestinationArn"] == "arn:aws:logs:eu-central-1:123456789012:log-group:AccessLogs"
    line = json.loads(logs["Format"])
    assert "\n" not in logs["Format"]
    assert set(line) >= {"time", "requestId", "ip", "caller", "status", "milliseconds", "error"}
    assert not [value for value in line.values() if not value.startswith("$context.")]


def test_every_parameter_stands_in_one_group_and_says_what_it_is_for(template: dict[str, Json]) -> None:
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    named = [name for group in groups for name in group["Parameters"]]
    assert sorted(named) == sorted(template["Parameters"])
    for name, given in template["Parameters"].items():
        assert given["Description"].endswith((".", ".md")), name


def taken(parameter: Json, value: str) -> bool:
    """Whether CloudFormation takes this value for the parameter."""
    if parameter["Type"] == "Number":
        return bool(float(parameter.get("MinValue", "-inf")) <= float(value) <= float(parameter.get("MaxValue", "inf")))
    listed = parameter.get("AllowedValues", [value])
    return value in listed and re.fullmatch(parameter.get("AllowedPattern", ".*"), value) is not None


def test_the_variants_and_the_defaults_are_values_that_cloudformation_takes(template: dict[str, Json]) -> None:
    parameters = template["Parameters"]
    assert not [name for name, given in parameters.items() if not taken(given, str(given["Default"]))]
    for variant, values in VARIANTS.items():
        assert not [name for name, value in values.items() if not taken(parameters[name], value)], variant


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HttpAuth", "NONE"),
        ("HttpJwtIssuer", "http://issuer.example"),
        ("HttpJwtIssuer", "issuer.example"),
        ("HttpJwtAudience", "one, two"),
        ("HttpJwtScopes", "one,,two"),
        ("HttpCorsOrigins", "a.example"),
        ("HttpCorsOrigins", "https://a.example,*"),
        ("HttpRequestsPerSecond", "0"),
        ("HttpDomainName", "https://models.example.com"),
        ("HttpCertificateArn", "models.example.com"),
        ("HttpHostedZoneId", "example.com"),
        ("KeyArn", "alias/mine"),
        ("KeyArn", "arn:aws:kms:eu-central-1:123456789012:alias/mine"),
        ("DropRetentionDays", "0"),
        ("ResultRetentionDays", "-1"),
        ("BatchRetries", "3"),
        ("BatchMaxEventAgeSeconds", "30"),
        ("PredictProvisionedConcurrency", "0"),
        ("PredictSnapStart", "true"),
        ("VpcSubnetIds", "subnet-1, subnet-2"),
        ("VpcSecurityGroupIds", "subnet-1"),
        ("Rollout", "Canary50Percent5Minutes"),
        ("AlarmEmail", "somebody"),
        ("AlarmRejectedShare", "2"),
    ],
)
def test_cloudformation_refuses_a_value_that_could_not_work(template: dict[str, Json], name: str, value: str) -> None:
    assert not taken(template["Parameters"][name], value)


def test_the_variants_decide_every_condition_both_ways_and_break_no_rule(template: dict[str, Json]) -> None:
    for condition in template["Conditions"]:
        decided = {Stack(template, values).holds(condition) for values in VARIANTS.values()}
        assert decided == {True, False}, condition
    assert not [name for name, values in VARIANTS.items() if Stack(template, values).broken_rules()]


def test_both_buckets_outlive_the_stack_and_keep_versions(stack: Stack) -> None:
    buckets = stack.of_type("AWS::S3::Bucket")
    assert {name: given["BucketName"] for name, given in buckets.items()} == {
        "ModelBucket": MODELS,
        "DropBucket": DROPS,
    }
    for name, given in buckets.items():
        resource = stack.resources[name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
        assert given["VersioningConfiguration"] == {"Status": "Enabled"}


UPLOADS_AND_OLD_VERSIONS = [
    {
        "Id": "uploads-nobody-finished",
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    },
    {
        "Id": "old-versions",
        "Status": "Enabled",
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
        "ExpiredObjectDeleteMarker": True,
    },
]


def test_uploads_that_a_killed_function_left_open_go_after_a_week_and_what_was_overwritten_after_ninety_days(
    stack: Stack,
) -> None:
    for given in stack.of_type("AWS::S3::Bucket").values():
        assert given["LifecycleConfiguration"] == {"Rules": UPLOADS_AND_OLD_VERSIONS}


def test_drops_and_results_are_deleted_only_where_asked_for_and_models_never(template: dict[str, Json]) -> None:
    asked = Stack(template, VARIANTS["everything-expires"])
    assert asked.properties("DropBucket")["LifecycleConfiguration"]["Rules"] == [
        *UPLOADS_AND_OLD_VERSIONS,
        {"Id": "drops", "Status": "Enabled", "Prefix": "incoming/", "ExpirationInDays": "30"},
        {"Id": "scored", "Status": "Enabled", "Prefix": "scored/", "ExpirationInDays": "60"},
        {"Id": "rejected", "Status": "Enabled", "Prefix": "rejected/", "ExpirationInDays": "60"},
    ]
    assert asked.properties("ModelBucket")["LifecycleConfiguration"]["Rules"] == UPLOADS_AND_OLD_VERSIONS


def test_a_key_of_ones_own_encrypts_buckets_queue_logs_and_settings(template: dict[str, Json]) -> None:
    given = Stack(template, VARIANTS["own-key"])
    for bucket in given.of_type("AWS::S3::Bucket").values():
        assert bucket["BucketEncryption"] == {
            "ServerSideEncryptionConfiguration": [
                {
                    "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
                    "BucketKeyEnabled": True,
                }
            ]
        }
    queue = given.properties("BatchFailures")
    assert (queue["KmsMasterKeyId"], "SqsManagedSseEnabled" in queue) == (KEY, False)
    assert given.properties("AlarmTopic")["KmsMasterKeyId"] == KEY
    assert {group["KmsKeyId"] for group in given.of_type("AWS::Logs::LogGroup").values()} == {KEY}
    assert {given.properties(function)["KmsKeyArn"] for function in FUNCTIONS} == {KEY}


def test_without_one_aws_keeps_the_keys(stack: Stack) -> None:
    queue = stack.properties("BatchFailures")
    assert (queue["SqsManagedSseEnabled"], "KmsMasterKeyId" in queue) == (True, False)
    assert not [name for name, group in stack.of_type("AWS::Logs::LogGroup").items() if "KmsKeyId" in group]
    assert not [function for function in FUNCTIONS if "KmsKeyArn" in stack.properties(function)]


def test_a_drop_that_is_given_up_stays_in_a_queue_with_its_event_for_fourteen_days(template: dict[str, Json]) -> None:
    stack = Stack(template, {"BatchRetries": "1", "BatchMaxEventAgeSeconds": "3600"})
    assert stack.of_type("AWS::Lambda::EventInvokeConfig") == {
        "BatchGivesUp": {
            "FunctionName": "BatchFunction",
            "Qualifier": "live",
            "MaximumRetryAttempts": "1",
            "MaximumEventAgeInSeconds": "3600",
            "DestinationConfig": {"OnFailure": {"Destination": FAILURES}},
        }
    }
    assert stack.properties("BatchFailures")["MessageRetentionPeriod"] == 14 * 24 * 60 * 60


def test_the_queue_of_failures_refuses_plain_http(stack: Stack) -> None:
    assert stack.of_type("AWS::SQS::QueuePolicy") == {
        "BatchFailuresOverTlsOnly": {
            "Queues": ["BatchFailures"],
            "PolicyDocument": document(
                {
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "sqs:*",
                    "Resource": FAILURES,
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                }
            ),
        }
    }


def test_both_buckets_are_private_encrypted_and_refuse_plain_http(stack: Stack) -> None:
    for given in stack.of_type("AWS::S3::Bucket").values():
        assert given["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }
        assert given["BucketEncryption"] == {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        }
    assert {given["Bucket"]: given["PolicyDocument"] for given in stack.of_type("AWS::S3::BucketPolicy").values()} == {
        bucket: document(
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        )
        for bucket in (MODELS, DROPS)
    }


def test_the_longest_prefix_still_makes_bucket_names_that_s3_takes(template: dict[str, Json]) -> None:
    longest_region, most = "ap-southeast-1", 63
    prefix = "a" * 28
    names = [
        given["BucketName"].replace("eu-central-1", longest_region)
        for given in Stack(template, {"BucketPrefix": prefix}).of_type("AWS::S3::Bucket").values()
    ]
    assert max(map(len, names)) == most
    assert template["Parameters"]["BucketPrefix"]["AllowedPattern"] == "[a-z0-9][a-z0-9-]{1,26}[a-z0-9]"


def test_each_function_logs_to_a_group_that_forgets(template: dict[str, Json]) -> None:
    stack = Stack(template, {**FAN_OUT, "LogRetentionDays": "7"})
    groups = stack.of_type("AWS::Logs::LogGroup")
    used = {stack.properties(function)["LoggingConfig"]["LogGroup"] for function in FUNCTIONS}
    assert used | {"AccessLogs"} == set(groups)
    assert {given["RetentionInDays"] for given in groups.values()} == {"7"}


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
    }


def test_no_statement_allows_every_action(stack: Stack) -> None:
    for role in stack.of_type("AWS::IAM::Role").values():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                assert not [action for action in as_list(statement["Action"]) if "*" in action]


def test_the_sample_storage_events_speak_of_the_iris_file_that_is_here() -> None:
    content = (ROOT / "data" / "iris.csv").read_bytes()
    for name in ("s3-put", "s3-put-minio"):
        event = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
        told = event["Records"][0]["s3"]["object"]
        assert (told["size"], told["eTag"]) == (len(content), hashlib.md5(content, usedforsecurity=False).hexdigest())
