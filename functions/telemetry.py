"""One JSON line per event on standard output, with metrics in CloudWatch's embedded metric format. No library.

Sources: CloudWatch User Guide, "Specification: Embedded metric format"; AWS Lambda Developer Guide, "Log-level
filtering", which takes a line's level only where the line has a `timestamp`.
"""

import sys
import time
from typing import Any

import msgspec

from functions.errors import ServingError

NAMESPACE = "serverless-sklearn"


def log(message: str, *, level: str = "INFO", **fields: Any) -> None:
    """Writes one line: level, message and the fields that are not None, all JSON-ready."""
    _write({"level": level, "timestamp": _now(), "message": message, **_given(fields)})


def measure(message: str, function: str, metrics: dict[str, tuple[float, str]], **fields: Any) -> None:
    """Writes one line that is a log entry and a set of metrics at once; `metrics` maps name to (value, unit).

    `function` is the metrics' dimension: Lambda's name for the function, so that two stacks do not count together.
    """
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["function"]],
        "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in metrics.items()],
    }
    values = {name: value for name, (value, _) in metrics.items()}
    embedded = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    line = {"level": "INFO", "timestamp": _now(), "message": message, "function": function, **values, **_given(fields)}
    _write({**line, "_aws": embedded})


def failure(message: str, error: Exception, **fields: Any) -> None:
    """Writes one line about an error. A deliberate one says enough by its message; a defect shows its traceback."""
    if isinstance(error, ServingError):
        told = {"code": error.code, "error": error.message}
    else:
        told = {"error": str(error), "trace": _traceback(error)}
    log(message, level="ERROR", **told, **fields)


def warnings_as_lines() -> None:
    """From now on a library's warning is a log line too, and no loose text among them."""
    import warnings

    warnings.showwarning = _log_warning


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: object = None,
) -> None:
    del file, line  # where and how the standard library would have shown it
    log(str(message), level="WARN", category=category.__name__, place=f"{filename.rpartition('/')[2]}:{lineno}")


def _traceback(error: BaseException) -> str:
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
