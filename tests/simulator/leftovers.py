"""What is there: of a stack in the simulated account, and of a simulator on this machine. It changes nothing."""

from pathlib import Path

from tests.simulator.server import Simulator

LISTED = {
    "lambda": ("list_functions", "Functions", "FunctionName"),
    "iam": ("list_roles", "Roles", "RoleName"),
    "logs": ("describe_log_groups", "logGroups", "logGroupName"),
    "cloudwatch": ("describe_alarms", "MetricAlarms", "AlarmName"),
    "apigatewayv2": ("get_apis", "Items", "Name"),
    "stepfunctions": ("list_state_machines", "stateMachines", "name"),
    "sns": ("list_topics", "Topics", "TopicArn"),
    "s3": ("list_buckets", "Buckets", "Name"),
}


def of_stack(simulator: Simulator, name: str, prefix: str) -> list[str]:
    """Names of what belongs to the stack, and of buckets with this prefix."""
    found = []
    for service, (verb, members, called) in LISTED.items():
        found += [each[called] for each in getattr(simulator.client(service), verb)()[members]]
    found += simulator.client("sqs").list_queues().get("QueueUrls", [])
    found += [each["DashboardName"] for each in simulator.client("cloudwatch").list_dashboards()["DashboardEntries"]]
    last = [(each, each.replace(":", "/").rpartition("/")[2]) for each in found]
    return [each for each, own in last if own == name or own.startswith((f"{name}-", f"{prefix}-"))]


def processes(marker: str) -> list[int]:
    """The processes that were started with this text, an endpoint or a folder, among their variables."""
    found = []
    for each in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += [int(each.parts[2])] if marker.encode() in each.read_bytes() else []
        except OSError:
            continue  # it has just ended, or is somebody else's
    return sorted(found)
