"""What the pages say of parameters and SAM: which ones win, and how values must be quoted; asked of SAM itself.

Nothing is deployed: SAM reads its command line and its file, and is stopped where it would begin.
"""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.documents import stack
from tests.documents.marked import DOCS
from tests.typed import blocks

PYTHON = PROJECT / ".venv-sam" / "bin" / "python"
PAGES = [PROJECT / "README.md", *sorted(DOCS.glob("*.md"))]
READ = """
import json, sys
from unittest.mock import patch
from click.testing import CliRunner
from samcli.cli.main import cli
from samcli.commands.deploy.deploy_context import DeployContext

lines, parameters = json.load(sys.stdin)
answers = []
for line in lines:
    seen = []
    with patch("samcli.commands.deploy.command.do_cli", lambda *given, **named: seen.append(given)):
        ran = CliRunner().invoke(cli, [*line, "--template-file", "template.yaml", "--config-file", sys.argv[1]])
    given = next((one for one in seen[0] if isinstance(one, dict)), {}) if seen else None
    told = DeployContext.merge_parameters({"Parameters": dict.fromkeys(parameters)}, given or {})
    answers.append([given, [one["ParameterKey"] for one in told if one.get("UsePreviousValue")], ran.output])
print(json.dumps(answers))
"""
Answer = tuple[dict[str, str] | None, list[str], str]


def read_by_sam(folder: Path, lines: list[list[str]], kept: str = "") -> list[Answer]:
    """For each command: the parameters that it sets, those that it leaves as they are in the stack, what it says."""
    if not PYTHON.exists():
        pytest.skip("there is no SAM command line; run: make sam-environment")
    file = folder / "samconfig.toml"
    file.write_text(
        'version = 0.1\n[default.deploy.parameters]\nstack_name = "s"\nregion = "eu-central-1"\nresolve_s3 = true\n'
        f"resolve_image_repos = true\n{kept}"
    )
    ran = subprocess.run(
        [PYTHON, "-c", READ, file], input=json.dumps([lines, sorted(stack.parameters())]), cwd=PROJECT, text=True,
        capture_output=True, env={**os.environ, "SAM_CLI_TELEMETRY": "0"}, check=True,
    )  # fmt: skip
    return [(given, left, said) for given, left, said in json.loads(ran.stdout.splitlines()[-1])]


def test_the_command_line_takes_the_place_of_the_kept_list_and_the_rest_stays_as_it_is_in_the_stack(
    tmp_path: Path,
) -> None:
    kept = 'parameter_overrides = "FanOut=\\"off\\" BatchMemory=\\"2048\\""\n'
    plain, named = ["deploy"], ["deploy", "--parameter-overrides", "FanOut=on"]
    answers = read_by_sam(tmp_path, [plain, named, plain], kept)
    by_file, by_line, again = ((given, set(left)) for given, left, _ in answers)
    assert by_file == ({"FanOut": "off", "BatchMemory": "2048"}, stack.parameters().keys() - {"FanOut", "BatchMemory"})
    assert by_line == ({"FanOut": "on"}, stack.parameters().keys() - {"FanOut"})
    assert again == by_file
    ((nothing, left, _),) = read_by_sam(tmp_path, [plain])
    assert (nothing, set(left)) == ({}, set(stack.parameters()))


def test_sam_takes_every_deployment_of_the_pages_with_the_values_that_are_meant(tmp_path: Path) -> None:
    typed = [
        shlex.split(line)
        for page in PAGES
        for block in blocks(page)
        for line in block.text.splitlines()
        if "sam deploy" in line and "--parameter-overrides" in line
    ]
    assert len(typed) >= 8
    lines = [words[1:] for words in typed]
    for line, (given, _, said) in zip(lines, read_by_sam(tmp_path, lines), strict=True):
        meant = dict(word.replace('"', "").split("=", 1) for word in line if "=" in word)
        assert given == meant, f"{' '.join(line)}\n{said}"


def test_sam_refuses_an_empty_value_without_quotes_cuts_one_at_its_space_and_takes_json_as_the_page_writes_it(
    tmp_path: Path,
) -> None:
    (options,) = re.findall(r"`('RetrainingOptions=.+')`", (DOCS / "retraining.md").read_text(encoding="utf-8"))
    (empty, *_), (cut, *_), (whole, *_) = read_by_sam(
        tmp_path,
        [
            ["deploy", "--parameter-overrides", "ModelVersion="],
            ["deploy", "--parameter-overrides", "RetrainingSchedule=rate(7 days)"],
            ["deploy", "--parameter-overrides", *shlex.split(options)],
        ],
    )
    assert empty is None
    assert cut == {"RetrainingSchedule": "rate(7"}
    assert whole == {"RetrainingOptions": '{"drop": "customer_id"}'}
