"""Every command that a page has its reader type exists: program, subcommand, options, parameters, outputs, services.

What needs an AWS account cannot be typed here; botocore's own models say what AWS's command line takes, SAM's help what
SAM does.
"""

import re
import subprocess
from functools import cache
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from tests.conftest import PROJECT
from tests.documents import commands, stack
from tests.documents.marked import DOCS
from tests.sam_parameters import overrides
from tests.template import Stack
from tests.typed import blocks
from tests.typed import commands as typed

PAGES = [PROJECT / "README.md", *sorted(DOCS.glob("*.md"))]
RUNNING = [DOCS / f"{name}.md" for name in ("deploy", "operate", "retraining", "fan-out")]
SAM = PROJECT / ".venv-sam" / "bin" / "sam"
FOR_ALL = {"--query", "--output", "--region", "--profile", "--endpoint-url"}
# Commands that AWS's command line has beside the services' own. Source: AWS CLI Command Reference.
OF_ITS_OWN = {
    ("s3", "cp"): {"--recursive", "--exclude", "--include", "--sse", "--quiet"},
    ("s3", "sync"): {"--delete", "--exclude", "--include"},
    ("logs", "tail"): {"--since", "--follow", "--format", "--filter-pattern"},
    ("configure", "export-credentials"): {"--format"},
    ("ecr", "get-login-password"): set(),
}
PASSES_ON = {"python -m training watch": "python -m training fit"}
SERVICES = {"s3api": "s3", "deploy": "codedeploy"}


def typed_in(page: Path) -> list[list[str]]:
    return [command for block in blocks(page) for command in typed(block.text)]


def program(command: list[str]) -> tuple[str, list[str]]:
    """`python -m x` and what follows it, or the program's own name without its folder."""
    name = command[0].rpartition("/")[2]
    if name == "python" and command[1:2] == ["-m"]:
        return f"python -m {command[2]}", command[3:]
    return name, command[1:]


def options(words: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if re.match(r"--\w", word)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_our_own_commands_and_their_options_exist(page: Path) -> None:
    known = {command.typed: {name for option in command.options for name in option.names} for command in ours()}
    for name, other in PASSES_ON.items():
        known[name] |= known[other]
    for command in typed_in(page):
        name, rest = program(command)
        if name == "make":
            assert {word for word in rest if "=" not in word} <= targets(), command
        if not name.startswith("python -m "):
            continue
        whole = name if name in known else f"{name} {rest[0]}"
        assert whole in known, f"{page.name}: there is no command {whole!r}"
        strange = options(rest) - known[whole] - {"--help"}
        assert not strange, f"{page.name}: {whole} has no option {', '.join(sorted(strange))}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_are_spoken_of_exist(page: Path) -> None:
    names = {command.typed for command in ours()}
    rooms = {command.program for command in ours()} | {f"python -m {name}" for name in commands.programs()}
    rooms |= {"python -m tests.documents", "python -m tests.engines", "python -m awslambdaric"}
    for span in re.findall(r"`(python -m [\w.]+(?: [a-z-]+)?|make [a-z-]+)", page.read_text(encoding="utf-8")):
        if span.startswith("make "):
            assert span.removeprefix("make ") in targets(), f"{page.name} speaks of {span}"
        else:
            assert span in names | rooms or " ".join(span.split()[:3]) in rooms - own(), f"{page.name} speaks of {span}"


def ours() -> tuple[commands.Command, ...]:
    return commands.commands()


def targets() -> set[str]:
    """What `make` takes, the environments too, of which `make help` does not tell."""
    text = (PROJECT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))


def own() -> set[str]:
    """Programs of several commands, of which one must be named rightly."""
    return {command.program for command in ours() if command.name}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_aws_exist_and_have_what_they_need(page: Path) -> None:
    for command in typed_in(page):
        if command[0] == "aws":
            service, operation, *rest = command[1:]
            asked = {option: value for option, value in zip(rest, [*rest, ""][1:], strict=True) if option[:2] == "--"}
            if "--query" in asked:
                import_module("jmespath").compile(asked.pop("--query"))  # it comes with botocore, without types
            given = {option: value for option, value in asked.items() if option not in FOR_ALL}
            if (service, operation) in OF_ITS_OWN:
                assert set(given) <= OF_ITS_OWN[service, operation], command
            elif operation == "wait":
                waiters = (
                    session().create_client(SERVICES.get(service, service), region_name="eu-central-1").waiter_names
                )
                assert xform_name(rest[0]).replace("-", "_") in waiters, command
            else:
                judge(service, operation, given)


@cache
def session() -> Any:
    return botocore.session.Session()


def judge(service: str, operation: str, given: dict[str, str]) -> None:
    model = session().get_service_model(SERVICES.get(service, service))
    named = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in named, f"aws {service} has no command {operation}"
    shape = model.operation_model(named[operation]).input_shape
    members = {f"--{xform_name(name, '-')}": name for name in (shape.members if shape else {})}
    strange = set(given) - set(members)
    assert not strange, f"aws {service} {operation} has no option {', '.join(strange)}"
    missing = set(shape.required_members if shape else []) - {members[option] for option in given}
    assert not missing, f"aws {service} {operation} needs {', '.join(missing)}"
    for option, value in given.items():
        allowed = getattr(shape.members[members[option]], "enum", [])
        assert not allowed or value.startswith("$") or value in allowed, f"{option} takes {allowed}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_sam_exist(page: Path) -> None:
    for command in typed_in(page):
        name, rest = program(command)
        if name == "sam":
            words = [word for word in rest if re.fullmatch(r"[a-z-]+", word) and not word.startswith("-")]
            words = words[: 2 if words[:1] == ["local"] else 1]
            strange = options(rest) - help_of_sam(*words) - {"--help"}
            assert not strange, f"{page.name}: sam {' '.join(words)} has no option {', '.join(strange)}"


@cache
def help_of_sam(*words: str) -> set[str]:
    if not SAM.exists():
        pytest.skip("there is no SAM command line; run: make sam-environment")
    told = subprocess.run([SAM, *words, "--help"], capture_output=True, text=True)
    assert told.returncode == 0, f"sam has no command {' '.join(words)}"
    return set(re.findall(r"--[a-z][a-z-]+", told.stdout))


# Shell's own, the standard AWS variables, and what the line before reads from a file.
GIVEN = {
    "PWD",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "MINIO_ROOT_USER",
    "MINIO_ROOT_PASSWORD",
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_variable_that_is_typed_is_set_or_told_of_on_the_same_page(page: Path) -> None:
    text = "".join(block.text for block in blocks(page))
    typed_ones = set(re.findall(r"\$\{?([A-Z]\w*)", text))
    is_set = set(re.findall(r"(?:^|\s)([A-Z]\w*)=", text))
    told = set(re.findall(r"`\$([A-Z]\w*)`", page.read_text(encoding="utf-8")))
    unknown = typed_ones - is_set - told - GIVEN
    assert not unknown, f"{page.name} does not say what ${', $'.join(sorted(unknown))} is"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_region_that_is_set_is_one_that_sam_goes_by(page: Path) -> None:
    # SAM reads AWS_DEFAULT_REGION alone; Lambda and the newer SDKs AWS_REGION.
    for block in blocks(page):
        names = set(re.findall(r"\b(AWS_(?:DEFAULT_)?REGION)=", block.text))
        assert "AWS_REGION" not in names or "AWS_DEFAULT_REGION" in names, block.text


def test_parameters_that_are_typed_exist_take_these_values_and_go_together() -> None:
    seen = 0
    for page in PAGES:
        for command in typed_in(page):
            if program(command)[0] == "sam" and "--parameter-overrides" in command:
                after = command[command.index("--parameter-overrides") + 1 :]
                given = overrides(list(takewhile(lambda word: not word.startswith("--"), after)))
                assert given, command
                seen += 1
                for name, value in given.items():
                    assert name in stack.parameters(), f"{page.name}: the template has no parameter {name}"
                    assert value.startswith("$") or taken(name, value), f"{page.name}: {name} does not take {value}"
                assert not Stack(stack.template(), given).broken_rules(), command
    assert seen >= 5


def taken(name: str, value: str) -> bool:
    given = stack.parameters()[name]
    if given["Type"] == "Number":
        return bool(given["MinValue"] <= float(value) <= given["MaxValue"])
    allowed, pattern = given.get("AllowedValues", [value]), given.get("AllowedPattern", ".*")
    return value in allowed and re.fullmatch(pattern, value) is not None


def test_settings_of_one_parameter_in_prose_are_taken_too() -> None:
    for page in [*RUNNING, DOCS / "security.md"]:
        for name, value in re.findall(r"`([A-Z]\w+)=([^`\s]+)`", page.read_text(encoding="utf-8")):
            assert name not in stack.parameters() or taken(name, value), f"{page.name}: {name} does not take {value}"


def test_outputs_that_are_asked_for_exist() -> None:
    for page in PAGES:
        for name in re.findall(r"OutputKey=='(\w+)'", page.read_text(encoding="utf-8")):
            assert name in stack.outputs(), f"{page.name} asks for the output {name}"


def test_what_needs_an_account_is_marked_and_nothing_else_is() -> None:
    for page in [PROJECT / "README.md", *RUNNING]:
        for block in blocks(page):
            programs = {" ".join([name, *rest[:1]]) for name, rest in map(program, typed(block.text))}
            away = any(word in block.text for word in ("s3://$", "$URL", "--stack ", "--push"))
            away |= any(name.startswith(("aws ", "sam deploy", "sam delete")) for name in programs)
            assert away is block.on_aws, block.text
