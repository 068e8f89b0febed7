"""What the translated template promises of retraining; nothing is called."""

import json
import re

import pytest

from functions.settings import GateSettings
from tests.template import (
    ALL_ON,
    DROPS,
    FAN_OUT,
    KEY,
    LAMBDA,
    MODELS,
    REPOSITORY,
    RETRAINING,
    RETRAINING_MACHINE,
    ROOT,
    VARIANTS,
    Json,
    Stack,
    document,
    environment,
)
from tests.unit.test_template import READ_MODEL, TRACES, logs_of
from tests.unit.test_template_permissions import may

MODEL = f"arn:aws:s3:::{MODELS}/models/iris"
ACCOUNT = "eu-central-1:123456789012"
TOPIC = f"arn:aws:sns:{ACCOUNT}:RetrainingTopic"


def test_whoever_trains_reads_data_and_its_model_and_publishes_versions_and_moves_no_alias(stack: Stack) -> None:
    logs, image, store = stack.properties("TrainingRole")["Policies"]
    assert logs["PolicyDocument"] == document(
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": f"arn:aws:logs:{ACCOUNT}:log-group:/aws/sagemaker/TrainingJobs:*",
        }
    )
    assert image["PolicyDocument"] == document(
        {
            "Sid": "Pull",
            "Effect": "Allow",
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": f"arn:aws:ecr:{ACCOUNT}:repository/{REPOSITORY}",
        },
        {"Sid": "LogInToPull", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
    )
    assert store["PolicyDocument"] == document(
        {
            "Sid": "ReadData",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{DROPS}/incoming-training/*",
        },
        {
            "Sid": "ListData",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": f"arn:aws:s3:::{DROPS}",
            "Condition": {"StringLike": {"s3:prefix": "incoming-training/*"}},
        },
        *READ_MODEL,
        {
            "Sid": "PublishVersions",
            "Effect": "Allow",
            "Action": "s3:PutObject",
            "Resource": [f"{MODEL}/versions/*", f"{MODEL}/evidence/*"],
        },
        {
            "Sid": "SageMakersOwnArchive",
            "Effect": "Allow",
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{MODELS}/training-jobs/*",
        },
    )


def test_whoever_promotes_reads_the_model_and_writes_its_one_alias(stack: Stack) -> None:
    assert stack.properties("ReleaseRole")["Policies"] == [
        {"PolicyName": "logs", "PolicyDocument": logs_of("release")},
        {
            "PolicyName": "store",
            "PolicyDocument": document(
                *READ_MODEL,
                {
                    "Sid": "MoveTheAlias",
                    "Effect": "Allow",
                    "Action": "s3:PutObject",
                    "Resource": [f"{MODEL}/aliases/live.json", f"{MODEL}/aliases/live.history/*"],
                },
            ),
        },
        TRACES,
    ]


def test_the_machine_runs_jobs_of_its_own_names_as_the_training_role_and_nothing_else(stack: Stack) -> None:
    own, traces = stack.properties("RetrainingMachineRole")["Policies"]
    events = "StepFunctionsGetEventsForSageMakerTrainingJobsRule"
    assert own["PolicyDocument"] == document(
        {
            "Sid": "SeeOtherRuns",
            "Effect": "Allow",
            "Action": "states:ListExecutions",
            "Resource": RETRAINING_MACHINE,
        },
        {
            "Sid": "RunJobs",
            "Effect": "Allow",
            "Action": [
                "sagemaker:AddTags",
                "sagemaker:CreateTrainingJob",
                "sagemaker:DescribeTrainingJob",
                "sagemaker:ListTags",
                "sagemaker:StopTrainingJob",
            ],
            "Resource": f"arn:aws:sagemaker:{ACCOUNT}:training-job/serverless-sklearn-*",
        },
        {"Sid": "SeeWhenTheyBegan", "Effect": "Allow", "Action": "sagemaker:ListTrainingJobs", "Resource": "*"},
        {
            "Sid": "AsTheTrainingRole",
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": "TrainingRole.Arn",
            "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        },
        {
            "Sid": "HearOfTheirEnd",
            "Effect": "Allow",
            "Action": ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
            "Resource": f"arn:aws:events:{ACCOUNT}:rule/{events}",
        },
        {
            "Sid": "TakeSteps",
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": f"{LAMBDA}:ReleaseFunction:live",
        },
        {"Sid": "Tell", "Effect": "Allow", "Action": "sns:Publish", "Resource": TOPIC},
        {
            "Sid": "WriteLog",
            "Effect": "Allow",
            "Action": [
                "logs:CreateLogDelivery",
                "logs:GetLogDelivery",
                "logs:UpdateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:DescribeResourcePolicies",
                "logs:DescribeLogGroups",
            ],
            "Resource": "*",
        },
    )
    assert traces["PolicyDocument"]["Statement"][0]["Action"] == [
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
    ]


@pytest.mark.parametrize(
    ("role", "writes"),
    [
        ("TrainingRole", {f"{MODEL}/versions/v/model.onnx", f"{MODEL}/evidence/run.json"}),
        ("ReleaseRole", {f"{MODEL}/aliases/live.json", f"{MODEL}/aliases/live.history/x.json"}),
        ("RetrainingMachineRole", set()),
        ("RetrainingStartRole", set()),
    ],
)
def test_no_two_of_retrainings_roles_may_write_the_same_and_none_anything_else(
    stack: Stack, role: str, writes: set[str]
) -> None:
    places = {
        f"{MODEL}/versions/v/model.onnx",
        f"{MODEL}/evidence/run.json",
        f"{MODEL}/aliases/live.json",
        f"{MODEL}/aliases/live.history/x.json",
        f"{MODEL}/aliases/candidate.json",
        f"{MODEL}/pins/v.json",
        f"arn:aws:s3:::{MODELS}/models/other/versions/v/model.onnx",
        f"arn:aws:s3:::{MODELS}/models/other/aliases/live.json",
        f"arn:aws:s3:::{DROPS}/incoming/a.csv",
        f"arn:aws:s3:::{DROPS}/incoming-training/a.csv",
    }
    assert {place for place in places if may(stack, role, "s3:PutObject", place)} == writes
    for action in ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutBucketPolicy"):
        assert not [place for place in places if may(stack, role, action, place)]


def test_nobody_but_training_reads_what_is_trained_on(stack: Stack) -> None:
    data = f"arn:aws:s3:::{DROPS}/incoming-training/a.csv"
    assert {role for role in stack.of_type("AWS::IAM::Role") if may(stack, role, "s3:GetObject", data)} == {
        "TrainingRole"
    }
    assert not may(stack, "TrainingRole", "s3:GetObject", f"arn:aws:s3:::{DROPS}/incoming/a.csv")


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        (RETRAINING["TrainingImage"], REPOSITORY),
        (VARIANTS["retraining-by-hand"]["TrainingImage"], f"team/{REPOSITORY}"),
        (f"210987654321.dkr.ecr.eu-central-1.amazonaws.com/{REPOSITORY}", REPOSITORY),
    ],
    ids=["by tag", "by digest", "neither, of another account"],
)
def test_whoever_trains_may_pull_the_one_image(template: dict[str, Json], image: str, repository: str) -> None:
    stack = Stack(template, {**RETRAINING, "TrainingImage": image})
    (statement, _) = stack.properties("TrainingRole")["Policies"][1]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == f"arn:aws:ecr:eu-central-1:{image[:12]}:repository/{repository}"


def test_retraining_is_off_unless_an_image_is_given(template: dict[str, Json]) -> None:
    off, on = Stack(template, FAN_OUT), Stack(template, ALL_ON)
    made = {name for name in on.resources if name not in off.resources}
    assert {name for name in made if not name.startswith(("Retraining", "Release", "Training"))} == set()
    assert not [name for name in off.resources if name.startswith(("Retraining", "Release", "Training"))]
    assert set(on.outputs) - set(off.outputs) == {"RetrainingMachine", "RetrainingTopic"}
    assert "EventBridgeConfiguration" not in off.properties("DropBucket")["NotificationConfiguration"]


def test_what_starts_it_is_a_schedule_new_data_or_a_person(template: dict[str, Json]) -> None:
    target = {
        "Id": "retraining",
        "Arn": RETRAINING_MACHINE,
        "RoleArn": "RetrainingStartRole.Arn",
        "Input": "{}",
    }
    both = Stack(template, {**RETRAINING, "RetrainingData": "incoming-training/flowers/"})
    schedule, data = both.properties("RetrainingOnSchedule"), both.properties("RetrainingOnData")
    assert (schedule["ScheduleExpression"], schedule["Targets"]) == ("rate(7 days)", [target])
    assert data["Targets"] == [target]
    assert data["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [DROPS]},
            "object": {"key": [{"prefix": "incoming-training/flowers/"}], "size": [{"numeric": [">", 0]}]},
        },
    }
    (policy,) = both.properties("RetrainingStartRole")["Policies"]
    assert policy["PolicyDocument"] == document(
        {"Effect": "Allow", "Action": "states:StartExecution", "Resource": RETRAINING_MACHINE}
    )
    by_hand = Stack(template, VARIANTS["retraining-by-hand"])
    assert not by_hand.of_type("AWS::Events::Rule")
    assert "EventBridgeConfiguration" not in by_hand.properties("DropBucket")["NotificationConfiguration"]


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        (RETRAINING, []),
        (
            {"TrainingImage": RETRAINING["TrainingImage"]},
            ["TrainingImage needs RetrainingTarget, the column to predict"],
        ),
        (
            {**RETRAINING, "ModelBucketName": "models-of-another"},
            ["TrainingImage belongs to the stack whose bucket of models it is, not to one with ModelBucketName"],
        ),
        ({"RetrainingTarget": "species"}, ["RetrainingTarget is of no use without TrainingImage"]),
        ({"RetrainingSchedule": "rate(1 day)"}, ["RetrainingSchedule is of no use without TrainingImage"]),
        ({"RetrainingOnNewData": "on"}, ["RetrainingOnNewData is of no use without TrainingImage"]),
    ],
)
def test_parameters_that_would_do_nothing_are_refused(
    template: dict[str, Json], parameters: dict[str, str], told: list[str]
) -> None:
    assert Stack(template, parameters).broken_rules() == told


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("TrainingImage", RETRAINING["TrainingImage"], "training:latest"),
        ("RetrainingSchedule", "cron(0 4 ? * MON *)", "weekly"),
        ("RetrainingMinScore", "0.9", "90 %"),
        ("RetrainingMaxDropVsLive", "-.01", "1e"),
        ("RetrainingData", "incoming-training/current.csv", "/incoming-training"),
        ("RetrainingOptions", '{"models": "true"}', "--models"),
        ("RetrainingInstanceType", "ml.m5.xlarge", "m5.xlarge"),
        ("RetrainingEmail", "someone@example.com", "someone"),
    ],
)
def test_a_value_that_could_not_work_is_refused(template: dict[str, Json], name: str, good: str, bad: str) -> None:
    pattern = template["Parameters"][name]["AllowedPattern"]
    assert re.fullmatch(pattern, good)
    assert not re.fullmatch(pattern, bad)


def states(stack: Stack) -> dict[str, Json]:
    found: dict[str, Json] = stack.properties("RetrainingMachine")["Definition"]["States"]
    return found


def test_whatever_fails_is_explained_and_told_and_ends_as_a_failure(stack: Stack) -> None:
    there = states(stack)
    working = {name for name, state in there.items() if state["Type"] == "Task"} - {"Tell", "Explain", "TellOfFailure"}
    working -= {"ItsJob"}  # whose failure keeps the run, which looks again
    assert working == {"Others", "Train", "Gate", "Promote"}
    for name in working:
        assert there[name]["Catch"][-1] == {
            "ErrorEquals": ["States.ALL"],
            "ResultPath": "$.failed",
            "Next": "Explain",
        }
    assert (there["Explain"]["Next"], there["TellOfFailure"]["Next"]) == ("TellOfFailure", "Failed")
    assert there["Failed"]["Type"] == "Fail"


def test_no_number_of_a_parameter_stands_in_a_definition_as_cloudformation_would_write_it(stack: Stack) -> None:
    # It writes a text, also for a parameter of type Number: aws/serverless-application-model#1616.
    job = states(stack)["Train"]["Parameters"]
    assert job["ResourceConfig"]["VolumeSizeInGB.$"] == "States.StringToJson('30')"
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds.$": "States.StringToJson('3600')"}
    numbers = {name for name, given in stack.template["Parameters"].items() if given["Type"] == "Number"}
    for machine in ("RetrainingMachine", "FanOutMachine"):
        definition = json.dumps(stack.resources[machine]["Properties"]["Definition"])
        assert not [name for name in re.findall(r'\{"Ref": "(\w+)"\}', definition) if name in numbers]


def test_a_run_that_waits_for_the_longest_job_stays_below_the_events_an_execution_may_have(stack: Stack) -> None:
    longest = stack.template["Parameters"]["RetrainingMaxSeconds"]["MaxValue"]
    there = states(stack)
    look = ["Queue", "Others", "Listed", "Oldest", "Turn", "ItsJob", "Seen"]
    for state, following in zip(look, [*look[1:], "Queue"], strict=True):
        assert json.dumps(following) in json.dumps(there[state])
    # Each state is entered and left; a task is scheduled, started and done besides.
    events = sum(5 if there[state]["Type"] == "Task" else 2 for state in look)
    assert longest / there["Queue"]["Seconds"] * events < 25_000 * 0.9  # a call that is tried again is three more


def test_the_job_that_a_waiting_run_looks_for_is_named_as_the_oldest_run_names_its_first(stack: Stack) -> None:
    there = states(stack)
    first = there["Begin"]["Result"]["attempt"]
    named = there["Name"]["Parameters"]["run.$"]
    assert there["ItsJob"]["Parameters"]["NameContains.$"] == named.replace(
        "'{} {}', $$.Execution.Id, $.attempt", f"'{{}} {first}', $.oldest.run"
    )
    assert there["Oldest"]["ResultPath"] == "$.oldest"


def test_a_full_list_is_told_by_its_length_and_fits_into_a_state(stack: Stack) -> None:
    there = states(stack)
    most = there["Others"]["Parameters"]["MaxResults"]
    assert re.findall(r'"NumericLessThan": (\d+)', json.dumps(there["Turn"])) == [str(most)] * 2
    arn = "arn:aws-us-gov:states:us-gov-west-1:123456789012"
    longest = {
        "ExecutionArn": f"{arn}:execution:{'m' * 80}:{'e' * 80}",
        "Name": "e" * 80,
        "RedriveCount": 1000,
        "RedriveDate": "2026-11-23T04:05:12.123Z",
        "StartDate": "2026-11-23T04:05:12.123Z",
        "StateMachineArn": f"{arn}:stateMachine:{'m' * 80}",
        "Status": "RUNNING",
    }
    assert len(json.dumps({"Executions": [longest] * most, "NextToken": "t" * 1024})) < 256 * 1024


def test_the_longest_prefix_still_makes_names_that_sagemaker_takes(template: dict[str, Json]) -> None:
    stack = Stack(template, {**RETRAINING, "BucketPrefix": "a" * 28})
    name = states(stack)["Name"]["Parameters"]["run.$"]
    prefix = name.removeprefix("States.Format('").partition("{}")[0]
    assert len(prefix) + len("0" * 32) <= 63


def test_the_job_runs_in_the_subnets_and_under_the_key_that_are_given(template: dict[str, Json]) -> None:
    plain = states(Stack(template, RETRAINING))["Train"]["Parameters"]
    inside = states(Stack(template, VARIANTS["in-a-vpc"]))["Train"]["Parameters"]
    keyed = states(Stack(template, VARIANTS["own-key"]))["Train"]["Parameters"]
    assert inside["VpcConfig"] == {
        "Subnets": ["subnet-0a1b2c3d4e5f60718", "subnet-0a1b2c3d4e5f60719"],
        "SecurityGroupIds": ["sg-0a1b2c3d4e5f60718"],
    }
    assert (keyed["OutputDataConfig"]["KmsKeyId"], keyed["ResourceConfig"]["VolumeKmsKeyId"]) == (KEY, KEY)
    assert "VpcConfig" not in plain
    assert "KmsKeyId" not in plain["OutputDataConfig"]
    assert "VolumeKmsKeyId" not in plain["ResourceConfig"]


def test_in_a_vpc_and_with_a_key_its_roles_may_use_them(template: dict[str, Json]) -> None:
    network, key = Stack(template, VARIANTS["in-a-vpc"]), Stack(template, VARIANTS["own-key"])
    for action in (
        "ec2:CreateNetworkInterface",
        "ec2:CreateNetworkInterfacePermission",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteNetworkInterfacePermission",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    ):
        assert may(network, "TrainingRole", action, "*")
        assert not may(key, "TrainingRole", action, "*")
    used = {
        "TrainingRole": {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:CreateGrant"},
        "ReleaseRole": {"kms:Decrypt", "kms:GenerateDataKey"},
        "RetrainingMachineRole": {"kms:Decrypt", "kms:GenerateDataKey"},
    }
    for role, actions in used.items():
        assert {action for action in (*used["TrainingRole"], "kms:Sign") if may(key, role, action, KEY)} == actions
        assert not [action for action in used["TrainingRole"] if may(network, role, action, KEY)]


def test_whoever_trains_may_lend_the_key_to_aws_alone(template: dict[str, Json]) -> None:
    *_, key = Stack(template, VARIANTS["own-key"]).properties("TrainingRole")["Policies"]
    assert key["PolicyDocument"] == document(
        {
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey"],
            "Resource": KEY,
        },
        {
            "Effect": "Allow",
            "Action": "kms:CreateGrant",
            "Resource": KEY,
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
    )


@pytest.mark.parametrize(
    ("parameters", "address"),
    [
        (VARIANTS["retraining"], "trainer@example.com"),
        (VARIANTS["retraining-by-hand"], "someone@example.com"),
        ({**VARIANTS["retraining"], "AlarmEmail": "someone@example.com"}, "trainer@example.com"),
        (RETRAINING, None),
    ],
    ids=["its own", "the alarms'", "its own before the alarms'", "nobody"],
)
def test_what_came_of_it_is_mailed_to_whom_it_is_for(
    template: dict[str, Json], parameters: dict[str, str], address: str | None
) -> None:
    topic = Stack(template, parameters).properties("RetrainingTopic")
    assert topic == ({"Subscription": [{"Protocol": "email", "Endpoint": address}]} if address else {})


def test_the_topic_refuses_plain_http(stack: Stack) -> None:
    assert stack.properties("RetrainingTopicOverTlsOnly") == {
        "Topics": [TOPIC],
        "PolicyDocument": document(
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sns:Publish",
                "Resource": TOPIC,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ),
    }


def test_the_gate_is_set_by_parameters_whose_names_stand_in_what_it_says(template: dict[str, Json]) -> None:
    asked = Stack(template, {**RETRAINING, "RetrainingMinScore": "0.9", "RetrainingMaxDropVsLive": "-0.01"})
    assert GateSettings.read(environment(asked, "ReleaseFunction")) == GateSettings(0.9, -0.01)
    default = environment(Stack(template, RETRAINING), "ReleaseFunction")
    assert GateSettings.read(default) == GateSettings(None, 0.02)
    wiring = (ROOT / "functions" / "wiring.py").read_text(encoding="utf-8")
    (called,) = re.findall(r'gate\.max_drop, \("(\w+)", "(\w+)"\)', wiring)
    assert set(called) < set(template["Parameters"])


def test_the_machine_logs_errors_without_data_and_is_traced_as_the_functions_are(template: dict[str, Json]) -> None:
    for parameters, traced in ((RETRAINING, True), (VARIANTS["traced-only-where-asked"], False)):
        machine = Stack(template, parameters).properties("RetrainingMachine")
        logging = machine["LoggingConfiguration"]
        assert (logging["Level"], logging["IncludeExecutionData"]) == ("ERROR", False)
        group = logging["Destinations"][0]["CloudWatchLogsLogGroup"]["LogGroupArn"]
        assert group == f"arn:aws:logs:{ACCOUNT}:log-group:/aws/vendedlogs/states/stack-retraining:*"
        assert machine["TracingConfiguration"] == {"Enabled": traced}
