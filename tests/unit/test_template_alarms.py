"""What the translated template watches, and whom it tells; nothing is called."""

import ast
import json
import re
from collections.abc import Mapping

import pytest

from functions import telemetry
from tests.template import ALARMS, ALL_ON, FUNCTIONS, MACHINE, RETRAINING_MACHINE, ROOT, VARIANTS, Json, Stack, document

# What AWS measures by itself, by namespace and dimensions. Sources: Lambda Developer Guide, "Types of metrics for
# Lambda functions"; API Gateway Developer Guide, "Monitor CloudWatch metrics for HTTP APIs"; SQS Developer Guide,
# "Available CloudWatch metrics"; Step Functions Developer Guide, "Monitoring metrics using CloudWatch".
MEASURED_BY_AWS = {
    ("AWS/ApiGateway", "ApiId", "Stage"): {"4xx", "5xx", "Count", "IntegrationLatency", "Latency"},
    ("AWS/Lambda", "FunctionName", "Resource"): {"Invocations", "Errors", "Throttles", "Duration"},
    ("AWS/Lambda", "FunctionName"): {
        "Invocations",
        "Errors",
        "Throttles",
        "Duration",
        "ConcurrentExecutions",
        "AsyncEventsReceived",
        "AsyncEventAge",
        "AsyncEventsDropped",
        "DestinationDeliveryFailures",
    },
    ("AWS/SQS", "QueueName"): {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
    ("AWS/States", "StateMachineArn"): {"ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed"},
}
MEASURED_RESOURCES = {
    "ApiId": {"HttpApi"},
    "Stage": {"$default"},
    "FunctionName": set(FUNCTIONS),
    "Resource": {f"{function}:live" for function in FUNCTIONS},
    "QueueName": {"BatchFailures.QueueName"},
    "StateMachineArn": {MACHINE, RETRAINING_MACHINE},
}


def measured_by_the_code(stack: Stack) -> set[tuple[str, str, str]]:
    """Namespace, dimension `function`, metric: of each call of telemetry.measure in a function's door."""
    measured = set()
    for function in FUNCTIONS:
        (command,) = stack.properties(function)["ImageConfig"]["Command"]
        door = ROOT.joinpath(*command.split(".")[:-1]).with_suffix(".py")
        for node in ast.walk(ast.parse(door.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "telemetry.measure":
                metrics = node.args[2]
                assert isinstance(metrics, ast.Dict)
                names = [key.value for key in metrics.keys if isinstance(key, ast.Constant)]
                measured |= {(telemetry.NAMESPACE, function, str(name)) for name in names}
    return measured


def filtered_from_logs(stack: Stack) -> set[tuple[str, str]]:
    filters = stack.of_type("AWS::Logs::MetricFilter").values()
    return {
        (made["MetricNamespace"], made["MetricName"]) for given in filters for made in given["MetricTransformations"]
    }


def is_measured(stack: Stack, namespace: str, metric: str, dimensions: Mapping[str, str]) -> bool:
    if namespace.startswith("AWS/"):
        there = metric in MEASURED_BY_AWS.get((namespace, *sorted(dimensions)), ())
        return there and all(value in MEASURED_RESOURCES[name] for name, value in dimensions.items())
    if not dimensions:
        return (namespace, metric) in filtered_from_logs(stack)
    return set(dimensions) == {"function"} and (namespace, dimensions["function"], metric) in measured_by_the_code(
        stack
    )


def alarmed_metrics(alarm: Json) -> list[tuple[str, str, dict[str, str]]]:
    asked = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one] or [alarm]
    return [
        (one["Namespace"], one["MetricName"], {given["Name"]: given["Value"] for given in one.get("Dimensions", [])})
        for one in asked
    ]


def widgets(stack: Stack) -> list[Json]:
    found: list[Json] = json.loads(stack.properties("Dashboard")["DashboardBody"])["widgets"]
    return found


def test_every_alarm_watches_what_aws_or_the_code_measures(stack: Stack) -> None:
    alarms = stack.of_type("AWS::CloudWatch::Alarm")
    assert len(alarms) == 16
    for name, alarm in alarms.items():
        for metric in alarmed_metrics(alarm):
            assert is_measured(stack, *metric), (name, metric)


def test_the_dashboard_shows_what_aws_or_the_code_measures_and_every_alarm(template: dict[str, Json]) -> None:
    for parameters in ({}, ALL_ON):
        stack = Stack(template, parameters)
        alarms, *others = widgets(stack)
        arn = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:"
        there = {arn + alarm["AlarmName"] for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()}
        assert set(alarms["properties"]["alarms"]) == there
        for widget in others:
            for namespace, metric, *rest in widget["properties"]["metrics"]:
                flat = [one for one in rest if isinstance(one, str)]
                dimensions = dict(zip(flat[::2], flat[1::2], strict=True))
                assert is_measured(Stack(template, ALL_ON), namespace, metric, dimensions), (widget, metric)


def test_a_models_failure_is_counted_by_the_very_words_that_are_logged(stack: Stack) -> None:
    given = stack.properties("ModelFailuresInTheLog")
    assert given["LogGroupName"] == stack.properties("PredictFunction")["LoggingConfig"]["LogGroup"]
    counted = re.findall(r'\(\$\.message = "([^"]+)"\)', given["FilterPattern"])
    assert given["FilterPattern"] == "{ " + " || ".join(f'($.message = "{message}")' for message in counted) + " }"
    tree = ast.parse((ROOT / "functions" / "live.py").read_text(encoding="utf-8"))
    (call,) = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "telemetry.failure"
    ]
    logged = {node.value for node in ast.walk(call.args[0]) if isinstance(node, ast.Constant) and node.value}
    assert set(counted) == logged


# Statistic, threshold, in how many of how many periods, of how many seconds. Nothing measured is never alarming.
WHEN = {
    "HttpErrors": ("Sum", 1, 2, 5, 60),
    "PredictErrors": ("Sum", 1, 2, 5, 60),
    "PredictThrottles": ("Sum", 1, 2, 5, 60),
    "PredictDuration": ("p99", 23_200, 3, 5, 60),
    "ModelFailures": ("Sum", 1, 1, 1, 60),
    "BatchErrors": ("Sum", 1, 1, 20, 60),
    "BatchThrottles": ("Sum", 1, 3, 3, 300),
    "BatchDuration": ("Maximum", 720_000, 1, 4, 300),
    "BatchEventAge": ("Maximum", "2160000", 1, 1, 300),
    "BatchDeadLetters": ("Maximum", 1, 1, 1, 60),
    "BatchLostFailures": ("Sum", 1, 1, 1, 60),
    "FanOutFailures": ("Sum", 1, 1, 1, 60),
    "FanOutDuration": ("Maximum", 720_000, 1, 4, 300),
    "RetrainingFailures": ("Sum", 1, 1, 1, 60),
}


def test_an_alarm_goes_off_at_these_values_and_never_for_want_of_any(stack: Stack) -> None:
    alarms = stack.of_type("AWS::CloudWatch::Alarm")
    assert {alarm["TreatMissingData"] for alarm in alarms.values()} == {"notBreaching"}
    del alarms["RejectedShare"], alarms["FanOutRejectedShare"]
    assert {alarm["ComparisonOperator"] for alarm in alarms.values()} == {"GreaterThanOrEqualToThreshold"}
    parts = ("Threshold", "DatapointsToAlarm", "EvaluationPeriods", "Period")
    assert {
        name: (alarm.get("Statistic") or alarm["ExtendedStatistic"], *(alarm[part] for part in parts))
        for name, alarm in alarms.items()
    } == WHEN


@pytest.mark.parametrize(
    ("name", "function"), [("RejectedShare", "BatchFunction"), ("FanOutRejectedShare", "FanOutFunction")]
)
def test_a_share_of_rejected_rows_over_the_one_asked_for_is_alarming(
    template: dict[str, Json], name: str, function: str
) -> None:
    alarm = Stack(template, {**ALL_ON, "AlarmRejectedShare": "0.02"}).properties(name)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", "0.02")
    share, scored, rejected = alarm["Metrics"]
    assert share["Expression"] == "IF(scored + rejected > 0, rejected / (scored + rejected), 0)"
    named = {one["Id"]: one["MetricStat"]["Metric"]["MetricName"] for one in (scored, rejected)}
    assert named == {"scored": "RowsScored", "rejected": "RowsRejected"}
    assert [one["MetricStat"]["Stat"] for one in (scored, rejected)] == ["Sum", "Sum"]
    for one in (scored, rejected):
        assert one["MetricStat"]["Metric"]["Dimensions"] == [{"Name": "function", "Value": function}]


# Not retraining's: its state machine takes a step again, and tells of one that failed.
@pytest.mark.parametrize("function", [name for name in FUNCTIONS if name != "ReleaseFunction"])
def test_an_alarm_comes_before_a_function_runs_out_of_time(stack: Stack, function: str) -> None:
    alarm = stack.properties(function.replace("Function", "Duration"))
    assert alarm["Dimensions"][0]["Value"] == function
    assert alarm["Threshold"] == stack.properties(function)["Timeout"] * 1000 * 0.8


def test_an_invocation_that_ran_out_of_time_is_still_looked_at_when_it_ends(stack: Stack) -> None:
    """Lambda dates errors and durations by the beginning. Source: Developer Guide, "Viewing metrics for functions"."""
    dated = [
        alarm
        for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()
        if (alarm.get("Namespace"), alarm.get("MetricName")) in {("AWS/Lambda", "Errors"), ("AWS/Lambda", "Duration")}
    ]
    assert len(dated) == 5
    for alarm in dated:
        function = alarm["Dimensions"][0]["Value"]
        looked_at = alarm["Period"] * (alarm["EvaluationPeriods"] - alarm["DatapointsToAlarm"] + 1)
        assert looked_at >= stack.properties(function)["Timeout"] + alarm["Period"], function


@pytest.mark.parametrize("seconds", ["60", "21600"])
def test_a_drop_that_waits_is_alarming_well_before_it_is_given_up(template: dict[str, Json], seconds: str) -> None:
    given = Stack(template, {**ALL_ON, "BatchMaxEventAgeSeconds": seconds})
    threshold = int(given.properties("BatchEventAge")["Threshold"])
    assert threshold == int(seconds) * 1000 // 10


def test_alarms_are_mailed_where_an_address_is_given(template: dict[str, Json]) -> None:
    told = Stack(template, {**ALL_ON, "AlarmEmail": "someone@example.com"})
    assert told.properties("AlarmTopic") == {"Subscription": [{"Protocol": "email", "Endpoint": "someone@example.com"}]}
    for name, alarm in told.of_type("AWS::CloudWatch::Alarm").items():
        # A model's failure is logged once: that the alarm is quiet again does not say that all is well again.
        well_again = None if name == "ModelFailures" else [ALARMS]
        assert (alarm["AlarmActions"], alarm.get("OKActions")) == ([ALARMS], well_again)
    silent = Stack(template, ALL_ON)
    assert "AlarmTopic" not in silent.of_type("AWS::SNS::Topic")
    for alarm in silent.of_type("AWS::CloudWatch::Alarm").values():
        assert set(alarm).isdisjoint({"AlarmActions", "OKActions"})


def test_only_the_accounts_own_alarms_may_write_to_the_topic(template: dict[str, Json]) -> None:
    told = Stack(template, VARIANTS["alarms-by-mail"])
    assert told.properties("AlarmTopicPolicy") == {
        "Topics": [ALARMS],
        "PolicyDocument": document(
            {
                "Sid": "AlarmsOfThisAccount",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": ALARMS,
                "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
            },
            {
                "Sid": "OverTlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sns:Publish",
                "Resource": ALARMS,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ),
    }
