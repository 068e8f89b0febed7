"""Every command that this project has, with its options: programs by their own parsers, make by its file. Runs none."""

import argparse
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import typer

from tests.conftest import PROJECT

ROOMS = ("functions", "training", "local", "operations", "images", "benchmarks")
# Rooms whose programs are started by what is documented: by an image, by its build, by make.
STARTED_BY = {"functions.start": "an image", "images": "an image's build", "benchmarks": "make bench-*"}


class Option(NamedTuple):
    """One option or argument as it is typed, with its default and its help in the program's own words."""

    names: tuple[str, ...]
    takes: bool
    default: str
    words: str


class Command(NamedTuple):
    """One command of a program; `name` is empty where the program is but one."""

    program: str
    name: str
    words: str
    options: tuple[Option, ...]

    @property
    def typed(self) -> str:
        return f"{self.program} {self.name}".strip()


@cache
def commands() -> tuple[Command, ...]:
    return (*_of_training(), *_of_local(), *_of_score(), *_of_operations())


def programs() -> set[str]:
    """Every module of the project that `python -m` starts, by what is in the folders."""
    found = set()
    for room in ROOMS:
        for file in PROJECT.glob(f"{room}/**/*.py"):
            if file.name == "__main__.py":
                found.add(".".join(file.relative_to(PROJECT).parts[:-1]))
            elif re.search(r'^if __name__ == "__main__":', file.read_text(encoding="utf-8"), re.MULTILINE):
                found.add(".".join(file.relative_to(PROJECT).with_suffix("").parts))
    return found


def targets() -> dict[str, str]:
    """`make` target -> what the Makefile says of it."""
    text = (PROJECT / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z-]+):.*?  ## (.*)$", text, re.MULTILINE))


def _of_training() -> Iterator[Command]:
    from training.cli import app

    yield from _of_typer("python -m training", app)


def _of_operations() -> Iterator[Command]:
    if (PROJECT / "operations" / "cli.py").exists():
        yield from _of_typer("python -m operations", import_module("operations.cli").app)


def _of_typer(program: str, app: typer.Typer) -> Iterator[Command]:
    group = typer.main.get_command(app)
    for name, command in sorted(group.commands.items()):  # type: ignore[attr-defined] # several commands are a group
        words = (command.help or "").split("\n\n")[0]
        options = tuple(_of_parameter(one) for one in command.params if "--help" not in one.opts)
        yield Command(program, name, " ".join(words.split()), options)


def _of_parameter(one: Any) -> Option:
    names = (*one.opts, *one.secondary_opts) if one.param_type_name == "option" else (one.metavar or one.name,)
    return Option(
        tuple(names), not getattr(one, "is_flag", False), _default(one.default), getattr(one, "help", "") or ""
    )


def _of_local() -> Iterator[Command]:
    from local.__main__ import parser

    yield from _of_argparse("python -m local", parser())


def _of_score() -> Iterator[Command]:
    from functions.score import _parser

    yield from _of_argparse("python -m functions.score", _parser())


def _of_argparse(program: str, parser: argparse.ArgumentParser) -> Iterator[Command]:
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        yield Command(program, "", parser.description or "", tuple(_options(parser)))
    for group in inner:
        helped = {action.dest: action.help or "" for action in group._choices_actions}
        for name, one in group.choices.items():
            yield Command(program, name, helped.get(name, one.description or ""), tuple(_options(one)))


def _options(parser: argparse.ArgumentParser) -> Iterator[Option]:
    for action in parser._actions:
        if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
            names = tuple(action.option_strings) or (str(action.metavar or action.dest),)
            words = (action.help or "") % {**vars(action), "prog": parser.prog}
            yield Option(names, action.nargs != 0, "", words)


def _default(value: object) -> str:
    return "" if value is None or value is False or value == () else str(value)
