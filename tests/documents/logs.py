"""What the functions log, read off their calls of telemetry: messages, fields, metrics. Nothing is run."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.conftest import PROJECT

FUNCTIONS = PROJECT / "functions"
ALWAYS = {"level", "timestamp", "message"}
LEVELS = {"log": "INFO", "measure": "INFO", "failure": "ERROR"}
OWN = {"function", "code", "error", "trace"}  # what measure and failure add by themselves
TOLD_BY_WARNINGS = {"category", "place"}


class Line(NamedTuple):
    """One call: what it writes. `metrics` maps a name to its unit."""

    message: str
    level: str
    fields: tuple[str, ...]
    metrics: dict[str, str]


@cache
def lines() -> tuple[Line, ...]:
    """Raises ValueError for a call whose message, fields or metrics are not to be read off the code."""
    files = sorted(file for file in FUNCTIONS.rglob("*.py") if file.name != "telemetry.py")
    return tuple(line for file in files for line in _of(file))


def messages() -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in lines():
        found.setdefault(line.message, []).append(line)
    return found


def fields() -> set[str]:
    return {field for line in lines() for field in line.fields} | ALWAYS | TOLD_BY_WARNINGS


def metrics() -> dict[str, str]:
    """`<message> <Metric>` -> its unit."""
    return {f"{line.message} {name}": unit for line in lines() for name, unit in line.metrics.items()}


def _of(file: Path) -> Iterator[Line]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {f"telemetry.{how}" for how in LEVELS}:
            yield from _line(tree, node, f"{file.relative_to(PROJECT)}:{node.lineno}")


def _line(tree: ast.Module, call: ast.Call, place: str) -> Iterator[Line]:
    how = ast.unparse(call.func).rpartition(".")[2]
    metrics = _metrics(call.args[2], place) if how == "measure" else {}
    fields = [name for keyword in call.keywords if keyword.arg != "level" for name in _named(tree, keyword, place)]
    fields += {"measure": ["function"], "failure": ["code", "error", "trace"]}.get(how, [])
    texts = [node.value for node in _choices(call.args[0]) if isinstance(node, ast.Constant)]
    if not texts:
        raise ValueError(
            f"{place}: the message is not a text that stands there; write it out, so that it is documented"
        )
    for text in texts:
        yield Line(str(text), LEVELS[how], tuple(fields), metrics)


def _choices(node: ast.expr) -> list[ast.expr]:
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]


def _metrics(node: ast.expr, place: str) -> dict[str, str]:
    if not isinstance(node, ast.Dict):
        raise ValueError(
            f"{place}: the metrics are not a dict that stands there; write it out, so that they are documented"
        )
    found = {}
    for key, value in zip(node.keys, node.values, strict=True):
        assert isinstance(key, ast.Constant), place
        assert isinstance(value, ast.Tuple), place
        unit = value.elts[1]
        assert isinstance(unit, ast.Constant), place
        found[str(key.value)] = str(unit.value)
    return found


def _named(tree: ast.Module, keyword: ast.keyword, place: str) -> list[str]:
    """The fields of `name=...`, or of `**record` where `record` is a dict written out in the same file."""
    if keyword.arg is not None:
        return [keyword.arg]
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == ast.unparse(keyword.value)
            and isinstance(node.value, ast.Dict)
        ):
            return [str(key.value) for key in node.value.keys if isinstance(key, ast.Constant)]
    raise ValueError(f"{place}: **{ast.unparse(keyword.value)} is no dict written out in this file; name the fields")
