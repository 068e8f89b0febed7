"""What the stack costs, from the prices in docs/words/prices.toml, the figures in benchmarks/results and the template.

Formulas only; the same ones stand in docs/deploy.md in words. It asks nobody for a price.
"""

import io
import json
import tomllib
from contextlib import redirect_stdout
from math import ceil
from typing import Any

from functions import telemetry
from functions.registry.s3 import PART_BYTES
from functions.scoring.results import RANGE_BYTES
from tests.conftest import PROJECT
from tests.documents import logs, stack
from tests.documents.marked import table
from tests.documents.words import FOLDER
from tests.template import Stack

MILLION, BILLION = 10**6, 10**9
MONTH_SECONDS = 730 * 3600
# Assumed: Lambda's own start and report lines of one call, as JSON, and the access log's line.
LAMBDA_LINES_BYTES, ACCESS_LINE_BYTES = 800, 450
FIXED_SAMPLE, SHARE_SAMPLED = 1.0, 0.05  # X-Ray: the first call of each second, and of the others one in twenty
AROUND_A_DROP = (11, 20)  # the most writes and reads for one dropped file besides its own bytes; a test counts them
ROWS_OF_A_FILE = 5 * MILLION

Json = Any


def prices() -> dict[str, Json]:
    found: dict[str, Json] = tomllib.loads((FOLDER / "prices.toml").read_text(encoding="utf-8"))
    return found


def price(name: str) -> float:
    """US dollars for one."""
    given = prices()[name]
    return float(given["usd"] / given["per"])


def measured(name: str) -> Json:
    return json.loads((PROJECT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))


def gigabytes() -> float:
    """Memory of a function as the template's default has it; Lambda's GB are 1024 MB."""
    return float(stack.parameters()["PredictMemory"]["Default"]) / 1024


def request_milliseconds() -> float:
    """A warm one-row request, as benchmarks/results/warm.json has it."""
    return float(measured("warm")["contestants"]["predict"]["p50_us"]) / 1000


def request_line_bytes() -> int:
    """The line that predict writes for a request, metrics and all."""
    written = io.StringIO()
    metrics = {
        name.partition(" ")[2]: (1.234, unit) for name, unit in logs.metrics().items() if name.startswith("request ")
    }
    with redirect_stdout(written):
        telemetry.measure(
            "request", "serverless-sklearn-PredictFunction-0a1B2c3D4e5F", metrics, request_id="0" * 36,
            path="/predict", status=200, model="20261123T093011Z-3cda37da",
        )  # fmt: skip
    return len(written.getvalue())


def a_million_predictions(milliseconds: float, a_second: float) -> dict[str, float]:
    """By what it is for; each request takes so long in the function, and so many come in a second."""
    billed = ceil(milliseconds) / 1000
    sampled = min(1.0, (FIXED_SAMPLE + SHARE_SAMPLED * max(0.0, a_second - FIXED_SAMPLE)) / a_second)
    line = request_line_bytes() + LAMBDA_LINES_BYTES + ACCESS_LINE_BYTES
    return {
        "HTTP API": MILLION * price("http_requests"),
        "Lambda": MILLION * (price("lambda_requests") + gigabytes() * billed * price("lambda_seconds")),
        "Logs": MILLION * line * price("log_bytes"),
        "X-Ray": MILLION * sampled * price("traces"),
    }


def processor_seconds_a_row() -> float:
    """Of batch on a bucket (benchmarks/results/batch.json, MinIO); Lambda's default memory is one processor."""
    case = measured("batch")["cases"]["minio"]
    return float(case["contestants"]["batch"]["processor_s"]) / float(case["rows"])


def a_billion_rows(bytes_a_row: float, growth: float, slower: float) -> dict[str, float]:
    """By what it is for: files of five million rows, `slower` times as much processor time as was measured here."""
    files = BILLION / ROWS_OF_A_FILE
    seconds = BILLION * processor_seconds_a_row() * slower
    size = BILLION * bytes_a_row
    writes = growth * size / PART_BYTES + files * AROUND_A_DROP[0]
    reads = size / RANGE_BYTES + files * AROUND_A_DROP[1]
    return {
        "Lambda": gigabytes() * seconds * price("lambda_seconds") + files * price("lambda_requests"),
        "S3 requests": writes * price("writes") + reads * price("reads"),
        "S3, a month": (1 + growth) * size / BILLION * price("stored_gb"),
    }


def idle() -> list[tuple[str, str, float]]:
    """What is paid a month while nobody calls: what, how many, US dollars."""
    alarms = Stack(stack.template()).of_type("AWS::CloudWatch::Alarm").values()
    watched = sum(sum("MetricStat" in one for one in given.get("Metrics", [{"MetricStat": 1}])) for given in alarms)
    image = float(measured("images")["images"]["full"]["mb"]) / 1000
    repositories = len(stack.resources("AWS::Lambda::Function"))  # SAM makes one for each, also for those left out
    return [
        ("Alarms", f"{watched} metrics", watched * price("alarm_metrics")),
        ("Dashboard", "1; the account's first three are free", price("dashboards")),
        ("Image", f"{repositories} times {image:.2f} GB", repositories * image * price("image_gb")),
    ]


def switches() -> list[tuple[str, str, float]]:
    """What is added a month by parameters: which, how reckoned, US dollars."""
    held = gigabytes() * MONTH_SECONDS
    return [
        ("`PredictProvisionedConcurrency`", "each environment kept ready", held * price("kept_ready")),
        ("`PredictSnapStart`", "each function version whose snapshot is kept", held * price("snapshot_kept")),
        ("`PredictSnapStart`", "1,000 starts out of it", 1000 * gigabytes() * price("snapshot_restored")),
        ("`KeyArn`", "the key", price("keys")),
        ("metrics", f"those that the code writes, {_metrics()}, while it is called", _metrics() * price("metrics")),
    ]


def predictions_table() -> str:
    here = request_milliseconds()
    rows = []
    for milliseconds, a_second in ((here, 100.0), (here, 1.0), (10.0, 100.0)):
        parts = a_million_predictions(milliseconds, a_second)
        told = f"{milliseconds:.2f} ms" if milliseconds == here else f"{milliseconds:.0f} ms"
        rows.append(
            [told, f"{a_second:.0f}", *(f"{part:.2f}" for part in parts.values()), f"{sum(parts.values()):.2f}"]
        )
    return table(["A request takes", "A second", *parts, "In all"], rows)


def rows_table() -> str:
    rows = []
    case = measured("batch")["cases"]["minio"]
    width = case["bytes"] / case["rows"]
    for bytes_a_row, growth, slower in ((width, 1.35, 1.0), (width, 1.35, 2.0), (100.0, 1.1, 4.0)):
        parts = a_billion_rows(bytes_a_row, growth, slower)
        paid = parts["Lambda"] + parts["S3 requests"]
        told = [f"{parts[name]:.3f}" for name in ("Lambda", "S3 requests")]
        rate = 1 / (processor_seconds_a_row() * slower) / MILLION
        rows.append([f"{bytes_a_row:.0f}", f"{rate:.1f}", *told, f"{paid:.2f}", f"{parts['S3, a month']:.2f}"])
    heads = ["Bytes a row", "Million rows a second", "Lambda", "S3 requests", "In all", "Kept, a month"]
    return table(heads, rows)


def idle_table() -> str:
    rows = [[what, how, f"{usd:.2f}"] for what, how, usd in idle()]
    total = sum(usd for *_, usd in idle())
    added = [[what, how, f"+ {usd:.2f}"] for what, how, usd in switches()]
    return table(["A month", "", "US dollars"], [*rows, ["**Idle**", "", f"**{total:.2f}**"], *added])


def prices_table() -> str:
    found = prices()
    rows = [
        [
            f"{given['usd']:.10f}".rstrip("0").rstrip("."),
            f"{given['per']:,} {given['unit']}" if given["per"] > 1 else f"a {given['unit']}",
            given["page"],
        ]
        for given in found.values()
        if isinstance(given, dict)
    ]
    read = (
        f"Read on {found['read']} from stored copies of these pages and, where a figure is left to a script, of pages\n"
        "that quote it; look there before you count on one.\n\n"
    )
    return read + table(["US dollars", "For", "Page"], rows)


PARTS = {
    "costs of predictions": predictions_table,
    "costs of rows": rows_table,
    "costs of nothing": idle_table,
    "prices": prices_table,
}


def _metrics() -> int:
    return len([name for name in logs.metrics() if not name.startswith("step ")])
