"""Which variables of the environment are read, and where, off the code. Nothing is run."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.conftest import PROJECT
from tests.documents import stack

ROOMS = ("functions", "training", "local", "operations")


@cache
def read() -> dict[str, set[str]]:
    """Variable -> the rooms that read it."""
    found: dict[str, set[str]] = {}
    for room in ROOMS:
        for file in sorted(PROJECT.glob(f"{room}/**/*.py")):
            for name in _of(file):
                found.setdefault(name, set()).add(room)
    return found


def set_by_the_template() -> dict[str, list[str]]:
    """Variable -> the parameters that its value is made of; of every function."""
    found: dict[str, list[str]] = {}
    for given in stack.resources("AWS::Lambda::Function").values():
        for name, value in given["Properties"].get("Environment", {}).get("Variables", {}).items():
            found[name] = sorted({*found.get(name, []), *_parameters(value)})
    return found


def _of(file: Path) -> Iterator[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        asked = _asked(node)
        if isinstance(asked, ast.Name):
            asked = ast.Constant(constants[asked.id]) if asked.id in constants else None
        if isinstance(asked, ast.Constant) and isinstance(asked.value, str):
            yield asked.value


def _asked(node: ast.AST) -> ast.expr | None:
    """What is asked of an environment: `environ["X"]`, `environ.get("X")`, `_number(environ, "X")`."""
    if isinstance(node, ast.Subscript) and _is_environ(node.value) and isinstance(node.ctx, ast.Load):
        return node.slice
    if not isinstance(node, ast.Call) or not node.args:
        return None
    if isinstance(node.func, ast.Attribute) and node.func.attr == "get" and _is_environ(node.func.value):
        return node.args[0]
    return node.args[1] if len(node.args) > 1 and _is_environ(node.args[0]) else None


def _is_environ(node: ast.expr) -> bool:
    return ast.unparse(node).rpartition(".")[2] in ("environ", "_environ")


def _parameters(value: Any) -> Iterator[str]:
    """Every parameter that an intrinsic function's value depends on, through conditions too."""
    import re

    if isinstance(value, dict):
        for function, argument in value.items():
            if function == "Ref" and argument in stack.parameters():
                yield argument
            elif function == "Fn::If":
                yield from _parameters(stack.template()["Conditions"][argument[0]])
                yield from _parameters(argument[1:])
            elif function == "Condition":
                yield from _parameters(stack.template()["Conditions"][argument])
            else:
                yield from _parameters(argument)
    elif isinstance(value, list):
        for one in value:
            yield from _parameters(one)
    elif isinstance(value, str):
        yield from (name for name in re.findall(r"\$\{(\w+)\}", value) if name in stack.parameters())
