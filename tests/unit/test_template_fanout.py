"""What the translated template promises of fan-out and of its state machine; nothing is called."""

from collections.abc import Iterator

import pytest

from operations.waking import REJECTIONS
from tests.template import ALL_ON, DROPS, LAMBDA, MACHINE, RETRAINING, Json, Stack, document, environment


def test_batch_may_start_and_follow_the_state_machine_and_that_may_call_the_functions_and_run_its_own_children(
    stack: Stack,
) -> None:
    assert stack.of_type("AWS::IAM::RolePolicy") == {
        "BatchMayStartFanOut": {
            "RoleName": "BatchRole",
            "PolicyName": "fan-out",
            "PolicyDocument": document(
                {"Effect": "Allow", "Action": "states:StartExecution", "Resource": MACHINE},
                {
                    "Effect": "Allow",
                    "Action": "states:DescribeExecution",
                    "Resource": MACHINE.replace(":stateMachine:", ":execution:") + ":*",
                },
            ),
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
                {
                    "Sid": "HaveLogsDelivered",
                    "Effect": "Allow",
                    "Action": [
                        "logs:CreateLogDelivery",
                        "logs:DeleteLogDelivery",
                        "logs:DescribeLogGroups",
                        "logs:DescribeResourcePolicies",
                        "logs:GetLogDelivery",
                        "logs:ListLogDeliveries",
                        "logs:PutResourcePolicy",
                        "logs:UpdateLogDelivery",
                    ],
                    "Resource": "*",
                },
                {
                    "Sid": "Traces",
                    "Effect": "Allow",
                    "Action": [
                        "xray:GetSamplingRules",
                        "xray:GetSamplingTargets",
                        "xray:PutTelemetryRecords",
                        "xray:PutTraceSegments",
                    ],
                    "Resource": "*",
                },
            ),
        },
    }


def test_fan_out_is_off_unless_asked_for(template: dict[str, Json], stack: Stack) -> None:
    off = Stack(template, RETRAINING)
    made = {name for name in stack.resources if name not in off.resources}
    assert {name for name in made if not name.startswith("FanOut")} == {"BatchMayStartFanOut"}
    assert not [name for name in off.resources if "FanOut" in name]
    assert set(stack.outputs) - set(off.outputs) == {"FanOutMachine"}
    assert environment(off, "BatchFunction")["BATCH_FANOUT"] == ""
    assert environment(stack, "BatchFunction")["BATCH_FANOUT"] == MACHINE


def test_a_map_of_the_state_machine_runs_as_wide_as_asked_and_tolerates_no_failure(template: dict[str, Json]) -> None:
    given = Stack(template, {**ALL_ON, "FanOutConcurrency": "7"}).properties("FanOutMachine")["Definition"]
    maps = [state for state in given["States"].values() if state["Type"] == "Map"]
    assert len(maps) == 2
    assert given["States"]["Width"]["Parameters"] == {"atOnce.$": "States.StringToJson('7')"}
    for one in maps:
        assert (one["MaxConcurrencyPath"], one["ToleratedFailureCount"]) == ("$.width.atOnce", 0)
        assert one["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


def test_the_state_machine_logs_errors_without_data_and_is_traced_as_the_functions_are(
    template: dict[str, Json],
) -> None:
    for tracing, traced in (("Active", True), ("PassThrough", False)):
        stack = Stack(template, {**ALL_ON, "Tracing": tracing})
        machine = stack.properties("FanOutMachine")
        assert machine["LoggingConfiguration"] == {
            "Level": "ERROR",
            "IncludeExecutionData": False,
            "Destinations": [
                {
                    "CloudWatchLogsLogGroup": {
                        "LogGroupArn": "arn:aws:logs:eu-central-1:123456789012:log-group:"
                        "/aws/vendedlogs/states/stack-fan-out:*"
                    }
                }
            ],
        }
        assert machine["TracingConfiguration"] == {"Enabled": traced}
        policy = stack.properties("FanOutMachinePolicy")["PolicyDocument"]
        assert ("Traces" in [statement["Sid"] for statement in policy["Statement"]]) is traced


def test_whatever_fails_in_a_run_of_parts_ends_in_abort(stack: Stack) -> None:
    states = stack.properties("FanOutMachine")["Definition"]["States"]
    for name in ("Plan", "Parts", "Finish"):
        assert states[name]["Catch"] == [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failed", "Next": "Abort"}]


def tasks(states: Json) -> Iterator[tuple[str, Json]]:
    """Every task by its name, of a map's own states, too."""
    for name, state in states.items():
        if state["Type"] == "Task":
            yield name, state
        yield from tasks(state.get("ItemProcessor", {}).get("States", {}))


@pytest.mark.parametrize("error", sorted(REJECTIONS))
def test_a_function_that_nobody_called_for_weeks_is_waited_for_while_it_wakes(stack: Stack, error: str) -> None:
    seen = 0
    for machine in ("FanOutMachine", "RetrainingMachine"):
        for name, state in tasks(stack.properties(machine)["Definition"]["States"]):
            if state["Resource"].endswith(":lambda:invoke"):
                seen += 1
                first = next(
                    one for one in state["Retry"] if {f"Lambda.{error}", "States.ALL"} & set(one["ErrorEquals"])
                )
                pauses = [first["IntervalSeconds"] * first["BackoffRate"] ** n for n in range(20)]
                longest = first.get("MaxDelaySeconds", 1e9)
                waited = sum(min(pause, longest) for pause in pauses[: first["MaxAttempts"]])
                assert (waited >= 300, first.get("JitterStrategy")) == (True, None), name
    assert seen == 8
