"""docs/architecture.svg: the stack's parts and what goes between them, read off the translated template.

What there is and every arrow come from events, permissions and roles; only the places of the boxes are chosen here. A
part that has no place yet stands in the last row.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.documents import stack
from tests.documents.drawing import Arrow, Box, picture
from tests.documents.marked import DOCS
from tests.template import Stack, as_list

PICTURE = DOCS / "architecture.svg"
KINDS = {
    "AWS::ApiGatewayV2::Api": "door",
    "AWS::Lambda::Function": "lambda",
    "AWS::S3::Bucket": "store",
    "AWS::SQS::Queue": "store",
    "AWS::SNS::Topic": "store",
    "AWS::StepFunctions::StateMachine": "flow",
    "AWS::Events::Rule": "door",
    "AWS::Scheduler::Schedule": "door",
}
WIDTH, TOP, ROW = 1124, 178, 118
LEFT, SECOND, THIRD, FOURTH = 24, 254, 590, 900
PLACES: dict[str, tuple[float, float, float, float]] = {
    "HttpApi": (SECOND, TOP, 180, 76),
    "PredictFunction": (THIRD, TOP, 200, 76),
    "FanOutFunction": (THIRD, TOP + ROW, 200, 76),
    "FanOutMachine": (THIRD, TOP + 2 * ROW, 200, 76),
    "BatchFunction": (THIRD, TOP + 3 * ROW, 200, 76),
    "ModelBucket": (FOURTH, TOP, 200, 2 * ROW + 76),
    "DropBucket": (SECOND, TOP + ROW, 180, 2 * ROW + 76),
    "BatchFailures": (FOURTH, TOP + 3 * ROW + 14, 200, 76),
    "AlarmTopic": (SECOND, TOP + 4 * ROW, 180, 76),
}
WITH_RETRAINING: dict[str, tuple[float, float, float, float]] = {
    "ModelBucket": (FOURTH, TOP, 200, 4 * ROW + 76),
    "BatchFailures": (SECOND, TOP + 4 * ROW, 180, 76),
    "ReleaseFunction": (THIRD, TOP + 4 * ROW, 200, 76),
    "RetrainingMachine": (THIRD, TOP + 5 * ROW, 200, 76),
    "RetrainingOnData": (SECOND, TOP + 5 * ROW - 14, 200, 58),
    "RetrainingOnSchedule": (SECOND, TOP + 5 * ROW + 56, 200, 58),
    "RetrainingTopic": (FOURTH, TOP + 5 * ROW, 200, 76),
    "AlarmTopic": (FOURTH, TOP + 6 * ROW - 26, 200, 76),
}
"""Places where retraining is part of the picture; the others stay."""
WORDS: dict[str, tuple[str, ...]] = {
    "HttpApi": ("who may call, how much,", "access log"),
    "PredictFunction": ("one request, one answer;", "the version that is live"),
    "FanOutFunction": ("plans, scores one part,", "joins the parts"),
    "FanOutMachine": ("one huge file in parts, or", "every file under a prefix"),
    "BatchFunction": ("one dropped file at a time,", "as a stream"),
    "ModelBucket": (
        "models/<name>/",
        "  versions/<version>/",
        "    model.onnx",
        "    model.joblib",
        "    manifest.json",
        "  aliases/live.json",
    ),
    "DropBucket": ("incoming/", "", "scored/", "  + summary", "", "rejected/"),
    "BatchFailures": ("drops given up, with", "their events"),
    "ReleaseFunction": ("the gate's decision, and", "the alias that is moved"),
    "RetrainingMachine": ("trains (SageMaker), asks", "the gate, promotes, tells"),
    "RetrainingOnData": ("when a table lands",),
    "RetrainingOnSchedule": ("on a schedule",),
    "RetrainingTopic": ("what came of it, by e-mail",),
    "AlarmTopic": ("tells AlarmEmail", ""),
}
IN_MONO = ("ModelBucket", "DropBucket")
CALLERS, SENDERS, TRAINING = "Callers", "Senders of files", "Training"
OUTSIDE = {
    CALLERS: Box(LEFT, TOP, 160, 76, "outside", CALLERS, ("signed, with a token,", "or open")),
    SENDERS: Box(LEFT, TOP + 2 * ROW, 160, 76, "outside", SENDERS, ("s3 cp of a CSV;", "look for the summary")),
    TRAINING: Box(FOURTH, 16, 200, 76, "outside", TRAINING, ("fits, checks, publishes,", "promotes")),
}
VERBS = {"s3:GetObject": "reads", "s3:PutObject": "writes", "s3:DeleteObject": "deletes"}


class Edge(NamedTuple):
    """What goes from one part to another, in words."""

    start: str
    end: str
    words: str


def text() -> str:
    """The picture's file."""
    whole = stack.whole()
    boxes = dict(_boxes(whole))
    every = {**boxes, **OUTSIDE}
    low = max(box.bottom for box in every.values()) + 30
    frame = Box(SECOND - 30, 120, WIDTH - SECOND + 22, low - 130, "room", "The stack")
    label = (
        "The parts of the stack: HTTP goes to predict, dropped files to batch, huge ones to fan-out; all read models."
    )
    return picture(WIDTH, int(low), label, [frame, *every.values()], _arrows(every, edges(whole)))


def nodes(whole: Stack) -> dict[str, str]:
    """Logical id -> type of every part that is drawn."""
    return {name: given["Type"] for name, given in whole.resources.items() if given["Type"] in KINDS}


def edges(whole: Stack) -> list[Edge]:
    """Every arrow that the template speaks of: events, calls, reads, writes. In a fixed order, each pair once."""
    found: dict[tuple[str, str], list[str]] = {}
    for edge in (*_events(whole), *_of_roles(whole)):
        words = found.setdefault((edge.start, edge.end), [])
        if edge.words not in words:
            words.append(edge.words)
    return [Edge(start, end, _together(words)) for (start, end), words in found.items()]


def _together(words: list[str]) -> str:
    """`writes a` and `writes b` are `writes a, b`."""
    told: dict[str, list[str]] = {}
    for one in words:
        verb, _, what = one.rpartition(" ")
        told.setdefault(verb, []).append(what)
    return "; ".join(f"{verb} {', '.join(what)}".strip() for verb, what in told.items())


def _events(whole: Stack) -> Iterator[Edge]:
    functions = whole.of_type("AWS::Lambda::Function")
    for api in whole.of_type("AWS::ApiGatewayV2::Api"):
        for permission in whole.of_type("AWS::Lambda::Permission").values():
            if permission.get("SourceArn", "").endswith(f"{api}/*"):
                yield Edge(api, _function(permission["FunctionName"], functions), "every request")
    for name, bucket in whole.of_type("AWS::S3::Bucket").items():
        for told in bucket.get("NotificationConfiguration", {}).get("LambdaConfigurations", []):
            yield Edge(name, _function(told["Function"], functions), "event")
    for kind in ("AWS::Events::Rule", "AWS::Scheduler::Schedule"):
        for name, rule in whole.of_type(kind).items():
            for target in [*as_list(rule.get("Targets", [])), *as_list(rule.get("Target", []))]:
                yield from (Edge(name, other, "starts") for other in _named(whole, str(target["Arn"])))


def _of_roles(whole: Stack) -> Iterator[Edge]:
    for name, kind in nodes(whole).items():
        properties = whole.properties(name)
        role = str(properties.get("Role") or properties.get("RoleArn") or "").removesuffix(".Arn")
        if role and kind in ("AWS::Lambda::Function", "AWS::StepFunctions::StateMachine"):
            for _, statement in stack.statements(role):
                yield from _of_statement(whole, name, statement)


def _of_statement(whole: Stack, name: str, statement: dict[str, Any]) -> Iterator[Edge]:
    actions = stack.actions(statement)
    for resource in as_list(statement["Resource"]):
        for other in _named(whole, str(resource)):
            prefix = _short(str(resource).partition("/")[2].removesuffix("*"))
            if "s3:GetObject" in actions and "s3:PutObject" not in actions:
                yield Edge(other, name, f"reads {prefix}")
            if "s3:PutObject" in actions:
                verbs = ", ".join(VERBS[action] for action in actions if action in VERBS and action != "s3:GetObject")
                yield Edge(name, other, f"{verbs} {prefix}")
            if "sqs:SendMessage" in actions:
                yield Edge(name, other, "what is given up")
            if "sns:Publish" in actions:
                yield Edge(name, other, "tells")
            if "states:StartExecution" in actions and other != name:
                yield Edge(name, other, "starts")
            if "lambda:InvokeFunction" in actions:
                yield Edge(name, other, "calls")


def _short(prefix: str) -> str:
    """Of keys below a model's name what kind they are, as `aliases/`; of others where they begin."""
    parts = prefix.split("/")
    return f"{parts[2]}/" if len(parts) > 2 and parts[2] else f"{parts[0]}/"


def _named(whole: Stack, arn: str) -> Iterator[str]:
    """The parts that an ARN names."""
    for name, kind in nodes(whole).items():
        own = whole.properties(name)
        if kind == "AWS::S3::Bucket":
            is_meant = arn.partition("/")[0].endswith(f":::{own['BucketName']}")
        elif kind == "AWS::StepFunctions::StateMachine":
            is_meant = arn.endswith(f":stateMachine:{own['StateMachineName']}")
        else:
            is_meant = arn.removesuffix(":live").rpartition(":")[2] in (name, f"{name}.Arn")
        if is_meant:
            yield name


def _function(arn: str, functions: dict[str, Any]) -> str:
    return next(name for name in functions if f":{name}" in arn or arn == name)


def _boxes(whole: Stack) -> Iterator[tuple[str, Box]]:
    always = Stack(stack.template())
    places = PLACES | (WITH_RETRAINING if "RetrainingMachine" in whole.resources else {})
    at, last = SECOND, max(y + height for _, y, _, height in places.values()) + 42
    for name, kind in nodes(whole).items():
        x, y, width, height = places.get(name) or (at, last, 180, 76)
        if name not in places:
            at += 202
        words = (_alarms(whole), "to AlarmEmail") if name == "AlarmTopic" else WORDS.get(name, ())
        sometimes = name not in always.resources
        yield name, Box(x, y, width, height, KINDS[kind], name, words, name in IN_MONO, sometimes)


def _alarms(whole: Stack) -> str:
    return f"up to {len(whole.of_type('AWS::CloudWatch::Alarm'))} alarms by e-mail"


def _arrows(boxes: dict[str, Box], found: list[Edge]) -> list[Arrow]:
    from_outside = [
        Edge(CALLERS, "HttpApi", ""),
        Edge(SENDERS, "DropBucket", ""),
        Edge(TRAINING, "ModelBucket", "publishes"),
    ]
    every = [edge for edge in (*from_outside, *found) if edge.start in boxes and edge.end in boxes]
    always = {*Stack(stack.template()).resources, *OUTSIDE}
    return [_arrow(boxes, edge, every, not {edge.start, edge.end} <= always) for edge in every]


def _arrow(boxes: dict[str, Box], edge: Edge, every: list[Edge], sometimes: bool) -> Arrow:
    start, end = boxes[edge.start], boxes[edge.end]
    if start.x == end.x:
        return _upright(
            start, end, edge, sometimes, any((one.start, one.end) == (edge.end, edge.start) for one in every)
        )
    right = start.x < end.x
    if _across(start, end):
        points = (
            (start.right - 40 if right else start.x + 40, start.bottom),
            (end.x + 40 if right else end.right - 40, end.y),
        )
        return Arrow(*points, _split(edge.words), upright=True, sometimes=sometimes, shift=(20.0, 22.0))
    # Level with whichever of the two is the smaller, so that tall boxes have their arrows apart.
    small, tall = (start, end) if start.height <= end.height else (end, start)
    place, among = _port(boxes, edge, every, edge.start if small is start else edge.end)
    y = small.y + small.height / 2 + (place - (among - 1) / 2) * 28
    other = min(max(y, tall.y + 16), tall.bottom - 16)
    begins, ends = (y, other) if small is start else (other, y)
    points = ((start.right, begins), (end.x, ends)) if right else ((start.x, begins), (end.right, ends))
    lines = _split(edge.words)
    below = place == among - 1 and among > 1 and tall.height > small.height
    return Arrow(*points, lines, sometimes=sometimes, shift=(0.0, 20.0 + 14 * (len(lines) - 1) if below else 0.0))


def _upright(start: Box, end: Box, edge: Edge, sometimes: bool, back: bool) -> Arrow:
    """From one box to another above or below it; beside the one that comes back, if one does."""
    up = end.y < start.y
    shift = (-36 if up else 36) if back else 0.0
    points = (
        (start.middle + shift, start.y if up else start.bottom),
        (end.middle + shift, end.bottom if up else end.y),
    )
    beside = (-28.0 if shift < 0 else 28.0 + 2.5 * max(0, len(edge.words) - 6), 11.0)
    return Arrow(*points, (edge.words,) if edge.words else (), upright=True, sometimes=sometimes, shift=beside)


def _across(start: Box, end: Box) -> bool:
    """Whether the arrow goes down and across: to a box of the next row, in another column."""
    return start.x != end.x and end.y > start.bottom and start.height == end.height


def _port(boxes: dict[str, Box], edge: Edge, every: list[Edge], name: str) -> tuple[int, int]:
    """Which of how many arrows on its side of this box an arrow is, from above: what comes in before what goes out."""

    def other(one: Edge) -> str:
        return one.end if one.start == name else one.start

    mine = boxes[name]
    right = boxes[other(edge)].x > mine.x
    beside = [
        one
        for one in every
        if name in (one.start, one.end)
        and boxes[other(one)].x != mine.x
        and (boxes[other(one)].x > mine.x) is right
        and not _across(boxes[one.start], boxes[one.end])
    ]
    beside.sort(key=lambda one: (boxes[other(one)].y, one.start == name))
    return beside.index(edge), len(beside)


def _split(words: str) -> tuple[str, ...]:
    """In lines of the room that there is between two columns."""
    lines: list[str] = []
    for word in words.split():
        if lines and len(lines[-1]) + len(word) < 22:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return tuple(lines)
