"""What .ci/deploy tells SAM of the template's parameters: a word for each, given or not. It knows no stack and no AWS.

Run by SAM's own Python from the project's folder. Standard input holds Name=Value, one to a line; so do the arguments,
which the lines may not name.
"""

import re
import sys
from contextlib import suppress
from pathlib import Path

from click import BadParameter
from samcli.cli.types import CfnParameterOverridesType
from samcli.yamlhelper import yaml_parse


def main() -> None:
    known = yaml_parse(Path("template.yaml").read_text(encoding="utf-8"))["Parameters"]
    given = dict(each.split("=", 1) for each in sys.argv[1:])
    for line in filter(None, (line.rstrip("\r\n") for line in sys.stdin)):
        name, equals, value = line.partition("=")
        if not equals or not re.fullmatch("[A-Za-z][A-Za-z0-9]*", name):
            refuse(f"PARAMETERS holds '{line}'; write Name=Value, one to a line")
        if name == "Architecture":
            refuse("PARAMETERS holds Architecture; set ARCHITECTURE instead")
        if name in given:
            refuse(f"PARAMETERS holds {name} twice; leave one of the lines")
        if name not in known:
            refuse(f"PARAMETERS holds {name}, and template.yaml has no such parameter")
        given[name] = value
    # Of a parameter that it is not told SAM has CloudFormation keep the value that the stack was last given.
    defaults = {name: str(parameter["Default"]) for name, parameter in known.items() if "Default" in parameter}
    for name, value in {**defaults, **given}.items():
        sys.stdout.write(f"{word(name, value)}\n")


def word(name: str, value: str) -> str:
    """The parameter so that SAM reads this value; ends the run where there is no such word."""
    # SAM takes a backslash away in front of these three alone: one in front of anything else stays as it is.
    inside = value.replace("\\ ", "\\\\ ").replace('"', '\\"').replace("'", "\\'")
    for quote in ('"', "'"):
        made = f"{name}={quote}{inside}{quote}"
        with suppress(BadParameter):
            if CfnParameterOverridesType().convert((made,), None, None) == {name: value}:
                return made
    return refuse(f"PARAMETERS holds {name}={value}, and SAM cannot be told of a backslash at the end or before '")


def refuse(why: str) -> str:
    sys.stderr.write(f"deploy: {why}\n")
    sys.exit(2)


main()
