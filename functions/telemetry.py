"""One JSON line per event on standard output, with metrics in CloudWatch's embedded metric format. No library.

Source: CloudWatch User Guide, "Specification: Embedded metric format".
"""

import sys
import time
from typing import Any

import msgspec

NAMESPACE = "serverless-sklearn"


def log(message: str, *, level: str = "INFO", **fields: Any) -> None:
    """Writes one line: level, message and the fields that are not None, all JSON-ready."""
    _write({"level": level, "time": _now(), "message": message, **_given(fields)})


def measure(message: str, function: str, metrics: dict[str, tuple[float, str]], **fields: Any) -> None:
    """Writes one line that is a log entry and a set of metrics at once; `metrics` maps name to (value, unit)."""
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["function"]],
        "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in metrics.items()],
    }
    values = {name: value for name, (value, _) in metrics.items()}
    embedded = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    line = {"level": "INFO", "time": _now(), "message": message, "function": function, **values, **_given(fields)}
    _write({**line, "_aws": embedded})


def traceback_of(error: BaseException) -> str:
    """The traceback as text, for the log only."""
    import traceback

    return "".join(traceback.format_exception(error))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _write(line: dict[str, Any]) -> None:
    try:
        text = msgspec.json.encode(line).decode()
    except UnicodeEncodeError:  # half of a surrogate pair, out of an event: the line is written, with its escape
        import json

        text = json.dumps(line)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
