"""The tables of docs/operate.md: alarms with what to do, the dashboard, log lines, their fields, metrics."""

import json
from typing import Any

from tests.documents import logs, stack
from tests.documents.marked import DOCS, code, table
from tests.documents.words import told

DOCUMENT = DOCS / "operate.md"
ALARM = (
    'a table [Name] with `means = "..."` (what has happened, and to whom) and `do = ["...", "..."]`, the first first'
)
COMPARED = {
    "GreaterThanOrEqualToThreshold": "at least",
    "GreaterThanThreshold": "over",
    "LessThanThreshold": "under",
    "LessThanOrEqualToThreshold": "at most",
}


def alarms() -> str:
    """A section for each alarm: its facts, its meaning, what to do."""
    there = stack.resources("AWS::CloudWatch::Alarm")
    words = told("alarms", there, "alarm", ALARM)
    return "\n".join(_alarm(name, words[name]) for name in there)


def dashboard() -> str:
    """What the dashboard's tiles show."""
    widgets = json.loads(stack.whole().properties("Dashboard")["DashboardBody"])["widgets"]
    rows = [[one["properties"]["title"], ", ".join(_shown(one["properties"]))] for one in widgets]
    return table(["Tile", "Shows"], rows)


def messages() -> str:
    words = told("logs", logs.messages(), "log line", "what has happened when it is written", part="messages")
    rows = []
    for message, lines in logs.messages().items():
        fields = sorted({field for line in lines for field in line.fields} - logs.ALWAYS)
        levels = sorted({line.level for line in lines})
        rows.append([code(message), ", ".join(levels), ", ".join(map(code, fields)), words[message]])
    return table(["`message`", "`level`", "Fields", "Means"], rows)


def fields() -> str:
    words = told("logs", logs.fields(), "log field", "what it holds", part="fields")
    return table(["Field", "Holds"], ([code(name), words[name]] for name in words))


def metrics() -> str:
    found = logs.metrics()
    words = told("logs", found, "metric", 'what it counts, as "<message> <Metric>"', part="metrics")
    rows = []
    for name in words:
        message, metric = name.split(" ")
        rows.append([code(metric), found[name], f"of each {code(message)} line", words[name]])
    return table(["Metric", "Unit", "Written", "Is"], rows)


PARTS = {"alarms": alarms, "dashboard": dashboard, "messages": messages, "fields": fields, "metrics": metrics}


def _alarm(name: str, words: dict[str, Any]) -> str:
    given = stack.resources("AWS::CloudWatch::Alarm")[name]
    properties = stack.whole().properties(name)
    there = stack.condition(given)
    steps = "".join(f"{number}. {step}\n" for number, step in enumerate(words["do"], 1))
    called = properties["AlarmName"].replace("stack-", "<stack>-", 1)
    where = f" Only where {there}." if there else ""
    return (
        f"### {name}\n\n`{called}`: {properties['AlarmDescription']}{where} ({_when(properties)})\n\n"
        f"{words['means']}\n\n{steps}"
    )


def _when(alarm: dict[str, Any]) -> str:
    """The facts: which metric, when it goes off."""
    measured = [one["MetricStat"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
    if measured:
        names = " and ".join(code(one["Metric"]["MetricName"]) for one in measured)
        return f"Of {names}, in {measured[0]['Period']:,} s."
    how = COMPARED[alarm["ComparisonOperator"]]
    statistic = alarm.get("Statistic") or alarm["ExtendedStatistic"]
    times = alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]), alarm["EvaluationPeriods"]
    often = f", {times[0]} times of {times[1]}" if times[1] > 1 else ""
    threshold = f"{int(alarm['Threshold']):,}"
    metric = code(f"{alarm['Namespace']} {alarm['MetricName']}".replace("/stack ", "/<stack> "))
    return f"{metric}: {statistic} {how} {threshold} in {alarm['Period']} s{often}."


def _shown(properties: dict[str, Any]) -> list[str]:
    if "alarms" in properties:
        return ["every alarm and its state"]
    return [_measured(*metric) for metric in properties["metrics"]]


def _measured(namespace: str, metric: str, *rest: Any) -> str:
    """A metric of the dashboard, which figure of it, and whose it is."""
    figure = "".join(f" {one['stat']}" for one in rest if isinstance(one, dict))
    dimensions = [one for one in rest if isinstance(one, str)]
    whose = dimensions[1].rpartition(":")[2].partition(".")[0] if dimensions else namespace
    return f"{code(metric)}{figure} of {code(whose.replace('stack-', '<stack>-').replace('/stack', '/<stack>'))}"
