"""docs/versions.md, typed line by line in an empty folder: every command ends as the page says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.readme import blocks
from tests.training_runs import PROJECT, VERSION

PAGE = PROJECT / "docs" / "versions.md"


def test_every_command_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(PROJECT / "data")
    typed = "".join(block.text for block in blocks(PAGE) if block.language == "sh")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT),
    }
    ran = subprocess.run(
        ["bash", "-eu", "-c", typed],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    moved = re.findall(rf"^live is now ({VERSION})(?:, before it ({VERSION}))?$", ran.stdout, re.MULTILINE)
    first, second, refused = re.findall(rf"^published iris ({VERSION}) ", ran.stdout, re.MULTILINE)[:3]
    assert moved[:4] == [(first, ""), (second, first), (first, second), (refused, first)]
    assert f"iris {refused} is published and not promoted" in ran.stderr
    assert json.loads((tmp_path / "outcome.json").read_text())["status"] == "refused"
    assert f"pinned {refused}: MODEL_VERSION of staging" in ran.stdout
    assert ran.stdout.count("nothing to remove") == 2
    assert json.loads((tmp_path / "bucket/trained/iris.csv.summary.json").read_text())["status"] == "promoted"
