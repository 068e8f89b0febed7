"""`GET /openapi.json` as tools read it: a validator, and schemathesis with every check on."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.serving import PUBLISH, Served

HOOKS = "tests.clients.schemathesis_hooks"
PHASES = "examples,coverage,fuzzing"  # there is no state to go through
EXAMPLES = 25  # of the fuzzing, for each operation
SEED = 20261123


@pytest.mark.parametrize("model", PUBLISH)
def test_the_document_is_openapi(served: Callable[[str], Served], clients: Path, model: str, tmp_path: Path) -> None:
    document = tmp_path / "openapi.json"
    document.write_bytes(served(model).http.http("GET", "/openapi.json").body)
    ended = subprocess.run([clients / "openapi-spec-validator", document], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout.strip()) == (0, f"{document}: OK"), ended.stderr


@pytest.mark.parametrize("model", PUBLISH)
def test_the_api_keeps_to_its_document_whatever_is_sent(
    served: Callable[[str], Served], clients: Path, model: str, tmp_path: Path
) -> None:
    url = served(model).url
    ended = subprocess.run(
        [clients / "schemathesis", "run", f"{url}/openapi.json", "--checks", "all", "--phases", PHASES,
         "--max-examples", str(EXAMPLES),
         "--continue-on-failure", "--seed", str(SEED), "--no-color", "--suppress-health-check", "all"],
        env=os.environ | {"SCHEMATHESIS_HOOKS": HOOKS, "SERVED_URL": url, "PYTHONPATH": str(PROJECT)},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    tried = re.search(r"(\d+) generated", ended.stdout)
    assert tried, ended.stdout
    assert int(tried[1]) >= 2000
