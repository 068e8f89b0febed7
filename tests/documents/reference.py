"""docs/reference.md: settings, make targets, commands with their options. All of it is read off the code."""

from tests.documents import commands, settings
from tests.documents.marked import DOCS, code, table
from tests.documents.words import told

DOCUMENT = DOCS / "reference.md"


def by_parameter() -> str:
    """Settings that the template sets."""
    words, made = _words(), settings.set_by_the_template()
    rows = ([code(name), ", ".join(map(code, made[name])), words[name]] for name in words if name in made)
    return table(["Setting", "Parameter", "What it is"], rows)


def others() -> str:
    """Settings that it does not."""
    words, made = _words(), settings.set_by_the_template()
    return table(["Setting", "What it is"], ([code(name), words[name]] for name in words if name not in made))


def _words() -> dict[str, str]:
    there = {**settings.set_by_the_template(), **settings.read()}
    return told("settings", there, "setting", "what it is, which values it takes, and what holds where it is not set")


def targets() -> str:
    return table(
        ["Command", "What it does"], ([code(f"make {name}"), does] for name, does in commands.targets().items())
    )


def programs() -> str:
    """A table of options for each command."""
    made = []
    for command in commands.commands():
        rows = [[_names(option), code(option.default), option.words] for option in command.options]
        listed = "\n" + table(["Option", "Default", "What it is"], rows) if rows else ""
        made.append(f"### {command.typed}\n\n{command.words}\n{listed}")
    return "\n".join(made)


PARTS = {"settings of parameters": by_parameter, "other settings": others, "make": targets, "commands": programs}


def _names(option: commands.Option) -> str:
    return ", ".join(map(code, option.names))
