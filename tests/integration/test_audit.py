"""`make audit` asks about every locked package of the images and fails on a hole; nothing on the internet is asked."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_requirements import pinned

PROJECT = Path(__file__).parents[2]
LOCKS = ("functions", "slim", "training", "local")
Question = tuple[str, str]

pytestmark = pytest.mark.skipif(
    not (PROJECT / ".venv-audit" / "bin" / "pip-audit").exists(), reason="there is no pip-audit; run: make audit"
)


@contextmanager
def database(holes: dict[Question, str]) -> Iterator[tuple[str, list[Question]]]:
    """The URL of one that speaks as OSV does and knows these holes by package and version; and what it was asked."""
    asked: list[Question] = []

    class Osv(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            package = (question["package"]["name"].lower().replace("_", "-"), question["version"])
            asked.append(package)
            answer: dict[str, Any] = {}
            if package in holes:
                affected = [{"package": {"name": package[0], "ecosystem": "PyPI"}, "versions": [package[1]]}]
                answer = {"vulns": [{"id": holes[package], "details": "A hole.", "affected": affected}]}
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Osv) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query", asked
        finally:
            server.shutdown()


def audit(url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROJECT / ".ci" / "audit"], env={**os.environ, "OSV_URL": url}, capture_output=True, text=True
    )


def for_this_python(name: str) -> set[Question]:
    """The packages of a lock that are for Python 3.11 and later on Linux, whatever the release."""
    return {
        (package.replace("_", "-"), version)
        for package, given in pinned(name).items()
        for version, marker in given
        if not marker
    }


def test_every_locked_package_of_the_images_is_asked_about() -> None:
    with database({}) as (url, asked):
        ran = audit(url)
    assert ran.returncode == 0, ran.stderr
    assert set.union(*map(for_this_python, LOCKS)) - set(asked) == set()
    assert ran.stdout.splitlines() == [f"requirements/{lock}.txt:" for lock in LOCKS]


def test_a_hole_in_one_of_them_is_named_and_fails() -> None:
    (version,) = (version for version, _ in pinned("training")["typer"])
    with database({("typer", version): "PYSEC-0000-1"}) as (url, _):
        ran = audit(url)
    assert ran.returncode == 1
    assert [line.split()[:3] for line in ran.stdout.splitlines() if "PYSEC" in line] == [
        ["typer", version, "PYSEC-0000-1"]
    ]


def test_a_database_that_does_not_answer_is_no_clean_bill() -> None:
    with database({}) as (url, _):
        pass
    ran = audit(url)
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"audit: nothing was looked up, {url} does not answer: ")
