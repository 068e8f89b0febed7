"""What importing does: a module nothing, a door its load, and neither ever raises."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import PROJECT

DOORS = ("functions.predict", "functions.batch", "functions.fanout")
WATCHED = """
CHANGES = "socket.connect", "subprocess.Popen", "os.putenv", "os.unsetenv", "os.mkdir", "os.rename", "os.remove"
import os, signal, sys, threading
import botocore, numpy, pandas, sklearn  # others' side effects are not ours to answer for
import {warm}
before = dict(os.environ), [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)], sys.path[:]
seen = []
def watch(event, arguments):
    if event in CHANGES:
        seen.append((event, str(arguments)))
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        seen.append((event, str(arguments)))
sys.addaudithook(watch)
for name in {names!r}:
    __import__(name)
after = dict(os.environ), [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)], sys.path[:]
assert before == after, "environment, signals or path were changed"
assert threading.active_count() == 1, threading.enumerate()
assert not seen, seen
"""


def modules() -> list[str]:
    found = []
    for package in ("functions", "training", "local"):
        for path in sorted((PROJECT / package).rglob("*.py")):
            parts = path.relative_to(PROJECT).with_suffix("").parts
            found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return [name for name in found if name not in DOORS]


def python(program: str, environment: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", program], env={**kept, **environment}, cwd=folder, capture_output=True, text=True
    )


def test_importing_a_module_has_no_side_effect(tmp_path: Path) -> None:
    names = modules()
    assert {"functions.wiring", "functions.score", "training.__main__", "local.__main__"} <= set(names)
    done = python(
        WATCHED.format(names=names, warm="obstore, msgspec, typer, rich, onnx, matplotlib.pyplot"), {}, tmp_path
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_command_line_says_how_many_threads_linear_algebra_has_before_that_starts_any(tmp_path: Path) -> None:
    done = python("import functions.score, sys; assert 'numpy' not in sys.modules", {}, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


S3 = {"MODEL_STORE": "s3://models", "MODEL_NAME": "iris"}
UNUSABLE: list[tuple[dict[str, str], str, str]] = [
    ({}, "not_configured", "MODEL_STORE is not set; set it to s3://bucket[/prefix] or file:///folder"),
    ({**S3, "AWS_ACCESS_KEY_ID": "a"}, "store_unavailable",
     "half of the AWS credentials for s3://models is missing; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ({**S3, "AWS_PROFILE": "nobody"}, "not_configured",
     "there is no AWS profile 'nobody'; set AWS_PROFILE to one that exists"),
    ({**S3, "AWS_ENDPOINT_URL": "http://[::1"}, "not_configured",
     "AWS_ENDPOINT_URL is 'http://[::1'; write it as http://host:port or https://host"),
    ({**S3, "MODEL_STORE": "s3://My Bucket"}, "not_configured",
     "'My Bucket' is no bucket's name; use 2 to 255 letters, digits, dots, dashes and underscores"),
    ({**S3, "MODEL_STORE": "ftp://x"}, "not_configured",
     "'ftp://x' is not a store; write s3://bucket[/prefix] or file:///folder"),
]  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("environment", "code", "told"), UNUSABLE)
def test_a_store_that_cannot_be_opened_is_a_failed_load_that_is_logged_and_not_raised(
    door: str, environment: dict[str, str], code: str, told: str, tmp_path: Path
) -> None:
    done = python(f"import {door}", environment, tmp_path)
    line = json.loads(done.stdout)
    found = (done.returncode, done.stderr, line["level"], line["message"], line["code"], line["error"])
    assert found == (0, "", "ERROR", "the model cannot be loaded", code, told)


def test_requests_get_503_while_the_store_cannot_be_opened(tmp_path: Path) -> None:
    program = (
        "from functions.predict import handler\n"
        "import json\n"
        "print(json.dumps(handler({'instances': [[1, 2, 3, 4]]}, None)))\n"
    )
    done = python(program, {**S3, "AWS_SECRET_ACCESS_KEY": "b"}, tmp_path)
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "error": {
            "code": "model_unavailable",
            "message": "no model can be served now; the function's log says why",
            "details": [],
        }
    }


def test_a_process_that_ends_at_once_ends_well(tmp_path: Path) -> None:
    """What a door began in threads is set up by then, or was never begun."""
    unusable = {**S3, "MODEL_STORE": "ftp://x"}
    assert {python("import functions.predict", unusable, tmp_path).returncode for _ in range(20)} == {0}
