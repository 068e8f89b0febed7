"""The pages say what there is: every parameter, output, alarm, setting, command, metric and log line, and no other."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from functions import errors
from functions.scoring import reasons
from functions.scoring.summary import Status, Summary
from tests.conftest import PROJECT
from tests.documents import commands, costs, logs, pages, settings, stack, stack_picture, words
from tests.documents import errors as error_document
from tests.documents.marked import DOCS
from tests.typed import blocks

RUNNING = [DOCS / f"{name}.md" for name in ("architecture", "deploy", "operate", "reference", "security")]
EVERY = [PROJECT / "README.md", *sorted(DOCS.glob("*.md"))]
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
# Words in the code's type that are AWS's or other people's, by the form they have.
OTHERS_CAMEL = {
    "CloudFormation",
    "ConcurrentExecutions",
    "OutOfMemory",
    "DockerBuildTarget",
    "SourceAccount",
    "RequestId",
}
OTHERS_SNAKE = {"access_denied", "parameter_overrides", "x86_64"}
OTHERS_UPPER = {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "MODEL_BUCKET", "DROP_BUCKET"}


def spans(page: Path) -> list[str]:
    """What stands in the code's type in a page, outside its blocks."""
    return SPAN.findall(prose(page))


def prose(page: Path) -> str:
    """A page without its blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def test_what_is_made_is_what_stands_there() -> None:
    for file, text in pages.made().items():
        assert file.read_text(encoding="utf-8") == text, (
            f"{file.relative_to(PROJECT)} is not up to date; run: make docs"
        )


@pytest.mark.parametrize(
    ("file", "part", "write"),
    [
        ("parameters", None, "when"),
        ("alarms", None, "means"),
        ("settings", None, "what it is"),
        ("logs", "fields", "x"),
    ],
)
def test_a_thing_without_words_and_words_without_a_thing_say_what_to_write_and_what_to_take_out(
    file: str, part: str | None, write: str
) -> None:
    there = list(words.told(file, _names(file, part), "thing", write, part))
    with pytest.raises(words.WordsDiffer) as lacking:
        words.told(file, [*there, "NewOne"], "thing", write, part)
    assert f"docs/words/{file}.toml has no words about the thing NewOne" in str(lacking.value)
    assert str(lacking.value).endswith(f"write {write}")
    with pytest.raises(words.WordsDiffer, match=f"tells of the thing {there[0]}.*which is not there; take it out"):
        words.told(file, there[1:], "thing", write, part)


def _names(file: str, part: str | None) -> list[str]:
    import tomllib

    found = tomllib.loads((words.FOLDER / f"{file}.toml").read_text(encoding="utf-8"))
    return list(found[part] if part else found)


def test_every_parameter_output_and_alarm_of_the_template_is_documented() -> None:
    assert {*stack.parameters(), *stack.outputs()} <= set(spans(DOCS / "deploy.md"))
    told = re.findall(r"^### (\w+)$", (DOCS / "operate.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert told == list(stack.resources("AWS::CloudWatch::Alarm"))


def test_every_alarm_says_what_it_means_and_what_to_do_in_sentences() -> None:
    for name, told in words.told("alarms", stack.resources("AWS::CloudWatch::Alarm"), "alarm", "").items():
        assert set(told) == {"means", "do"}, name
        assert told["do"], name
        assert all(sentence.rstrip(")").endswith(".") for sentence in (told["means"], *told["do"])), name


def test_every_setting_message_field_and_metric_is_documented() -> None:
    assert {*settings.read(), *settings.set_by_the_template()} <= set(spans(DOCS / "reference.md"))
    metrics = {name.rpartition(" ")[2] for name in logs.metrics()}
    assert {*logs.messages(), *logs.fields(), *metrics} <= set(spans(DOCS / "operate.md"))


def test_every_program_is_documented_or_is_started_by_something_that_is() -> None:
    documented = {command.program.removeprefix("python -m ") for command in commands.commands()}
    for program in commands.programs():
        started = any(program == room or program.startswith(f"{room}.") for room in commands.STARTED_BY)
        assert program in documented or started, (
            f"python -m {program} is in no page; have its parser read in tests/documents/commands.py, or say in "
            "STARTED_BY there what starts it"
        )


def test_make_help_tells_of_every_command_but_the_environments() -> None:
    text = (PROJECT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))
    assert {name for name in named if not name.endswith("environment")} == set(commands.targets())


@pytest.mark.parametrize("page", RUNNING, ids=lambda page: page.name)
def test_every_name_in_a_page_is_of_something_that_exists(page: Path) -> None:
    things = {*stack.parameters(), *stack.outputs(), *stack.template()["Resources"]}
    things |= {name.rpartition(" ")[2] for name in logs.metrics()} | set(measured()) | OTHERS_CAMEL
    things |= {name for name in vars(errors) if name[0].isupper()}
    things |= {value for given in stack.parameters().values() for value in given.get("AllowedValues", [])}
    variables = {*settings.read(), *settings.set_by_the_template()} | OTHERS_UPPER
    codes = {*logs.fields(), *errors_codes(), *statuses(), *Summary.__struct_fields__} | OTHERS_SNAKE
    for span in spans(page):
        name = span.partition("=")[0]
        if re.fullmatch(r"(?:[A-Z][a-z0-9]+){2,}", name):
            assert name in things, f"{page.name} speaks of `{span}`, which is no parameter, output, alarm or metric"
        elif re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", name):
            assert name in variables, f"{page.name} speaks of the setting `{span}`, which nothing reads"
        elif re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", name):
            assert name in codes, f"{page.name} speaks of `{span}`, which is no code, reason, status or field"


def measured() -> Iterator[str]:
    """Metrics in alarms and on the dashboard."""
    for alarm in stack.whole().of_type("AWS::CloudWatch::Alarm").values():
        yield from (
            one["MetricStat"]["Metric"]["MetricName"] for one in alarm.get("Metrics", []) if "MetricStat" in one
        )
        yield alarm.get("MetricName", "")
    for widget in json.loads(stack.whole().properties("Dashboard")["DashboardBody"])["widgets"]:
        yield from (metric[1] for metric in widget["properties"].get("metrics", []))


def errors_codes() -> set[str]:
    tree = error_document.below(errors.ServingError)
    return {error.code for error in tree} | {value for name, value in vars(reasons).items() if name.isupper()}


def statuses() -> set[str]:
    told = (
        (DOCS / "batch.md").read_text(encoding="utf-8").partition("Besides, the function's log")[2].partition("\n\n")[0]
    )
    return {*get_args(Status), *SPAN.findall(told)}


def test_messages_that_a_page_quotes_are_the_codes_own() -> None:
    quoted = [span for span in spans(DOCS / "operate.md") if "…" in span]
    assert len(quoted) >= 9
    said = [text for room in ("functions", "training") for text in texts(PROJECT / room)]
    for span in quoted:
        assert span in said, f"no code says `{span}`"


def texts(room: Path) -> Iterator[str]:
    """Every text in a room's code, its values as …; the space that a dash of the docs stands for kept."""
    for file in sorted(room.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in node.values)


def test_queries_ask_for_fields_that_are_logged() -> None:
    known = {*logs.fields(), *(name.rpartition(" ")[2] for name in logs.metrics())}
    language = {"filter", "sort", "desc", "limit", "fields", "stats", "count", "sum", "pct", "by"}
    queries = [line for block in blocks(DOCS / "operate.md", "logs") for line in block.text.splitlines() if line]
    asked = [line for line in queries if not line.startswith("#")]
    assert len(asked) == len(queries) - len(asked) >= 5  # each says what it is for
    for line in asked:
        bare = re.sub(r'"[^"]*"|@timestamp|\d+', "", line)
        assert set(re.findall(r"\w+", bare)) <= known | language, line
        for message in re.findall(r'message = "([^"]+)"', line):
            assert message in logs.messages(), line


@pytest.mark.parametrize("page", EVERY, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = target.partition("#")
        there = page if not file else (page.parent / file)
        assert there.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(there), (
            f"{page.name} links to {target}; its headings are {anchors(there)}"
        )


def anchors(page: Path) -> list[str]:
    heads = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads]


def test_policies_in_a_page_are_json_with_actions_that_are_named_one_by_one() -> None:
    for page in RUNNING:
        for block in blocks(page, "json"):
            policy = json.loads(block.text)
            for statement in policy["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                assert statement["Sid" if statement.get("Sid") == "IamDecides" else "Effect"]
                assert statement.get("Sid") == "IamDecides" or not [action for action in actions if "*" in action]


def test_the_picture_shows_every_function_bucket_queue_and_machine_and_who_may_do_what() -> None:
    text, whole = stack_picture.PICTURE.read_text(encoding="utf-8"), stack.whole()
    for name in stack_picture.nodes(whole):
        assert f">{name}</text>" in text
    found = {(edge.start, edge.end): edge.words for edge in stack_picture.edges(whole)}
    assert found[("HttpApi", "PredictFunction")] == "every request"
    assert found[("DropBucket", "BatchFunction")] == "event; reads incoming/"
    assert found[("BatchFunction", "DropBucket")] == "writes, deletes scored/, rejected/"
    assert found[("BatchFunction", "BatchFailures")] == "what is given up"
    assert not [pair for pair in found if pair[0] == "PredictFunction"]  # it writes nowhere
    scoring = {"PredictFunction", "BatchFunction", "FanOutFunction"}
    assert not [pair for pair in found if pair[0] in scoring and pair[1] == "ModelBucket"]


def test_prices_and_figures_come_to_what_the_tables_say() -> None:
    # Reckoned here once more, by hand: 1769 MB, 1 ms, a line of log, X-Ray's sample at 100 requests a second.
    parts = costs.a_million_predictions(0.3, 100.0)
    assert parts["HTTP API"] == pytest.approx(1.00)
    assert parts["Lambda"] == pytest.approx(0.20 + 1e6 * 0.001 * 1769 / 1024 * 0.0000166667)
    assert parts["Logs"] == pytest.approx(1e6 * (costs.request_line_bytes() + 1250) * 0.5 / 1e9)
    assert parts["X-Ray"] == pytest.approx(5 * (1 + 0.05 * 99) / 100)
    assert costs.a_million_predictions(0.3, 0.1)["X-Ray"] == pytest.approx(5.0)
    assert costs.a_million_predictions(10.0, 100.0)["Lambda"] > parts["Lambda"]
    told = (DOCS / "deploy.md").read_text(encoding="utf-8")
    assert f"growth / 8 MiB + {costs.AROUND_A_DROP[0]} a file" in told
    assert f"bytes / 4 MiB + {costs.AROUND_A_DROP[1]} a file" in told
    rows = costs.a_billion_rows(100.0, 1.5, 1.0)
    assert rows["S3 requests"] == pytest.approx(
        (1.5e11 / 8388608 + 200 * 11) * 0.005 / 1000 + (1e11 / 4194304 + 200 * 20) * 0.0004 / 1000
    )
    assert rows["S3, a month"] == pytest.approx(2.5 * 100 * 0.023)


def test_a_drop_takes_no_more_requests_than_its_costs_reckon_with() -> None:
    from collections import Counter

    from functions import loader
    from functions.registry.memory import MemoryStore
    from functions.scoring.loop import Options
    from functions.scoring.models import Models
    from functions.scoring.worker import Worker
    from tests.models import publish_iris

    asked: Counter[str] = Counter()

    class Counted(MemoryStore):
        def __getattribute__(self, name: str) -> object:
            asked[name] += 1
            return super().__getattribute__(name)

    store = Counted()
    publish_iris(store)
    store.put("incoming/a.csv", b"sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\nx,3,4,5\n")
    worker = Worker(
        store, Models(store, loader.Reference("iris")), Options(1024 * 1024, None, probabilities=False), 1.0
    )
    asked.clear()
    assert worker.score("incoming/a.csv").status == "scored"
    writes = asked["put"] + asked["keys"] + 3 * asked["writer"]  # an upload in parts: begun, a part, completed
    reads = asked["get"] + asked["stat"] + asked["read"]
    assert (writes, reads) <= costs.AROUND_A_DROP
    assert writes <= costs.AROUND_A_DROP[0]
    assert reads <= costs.AROUND_A_DROP[1]
