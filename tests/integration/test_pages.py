"""docs/deploy.md and docs/operate.md: what can be typed without an AWS account is, line by line in an empty folder."""

import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.conftest import PROJECT
from tests.local_room import eventually
from tests.serving import serving
from tests.training_runs import VERSION
from tests.typed import blocks

DOCS = PROJECT / "docs"


def type_in(folder: Path, text: str, **environment: str) -> str:
    """Runs a block in one shell, as its reader would; gives what it prints."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MODEL_", "DATA_"))}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-eu", "-c", text], cwd=folder, env={**own, "PATH": path, "PYTHONPATH": str(PROJECT), **environment},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, f"{text}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").symlink_to(PROJECT / "data")
    return tmp_path


def here(page: str) -> list[str]:
    return [block.text for block in blocks(DOCS / page) if not block.on_aws]


def moves(said: str) -> list[tuple[str, str, str]]:
    """Every move of an alias: which, to what, from what."""
    return re.findall(rf"^(\w+) is now ({VERSION})(?:, before it ({VERSION}))?$", said, re.MULTILINE)


def test_a_candidate_is_published_compared_promoted_and_taken_back_as_the_page_says(folder: Path) -> None:
    (typed,) = here("deploy.md")
    said = type_in(folder, typed)
    (_, live, _), (_, candidate, _), promoted, back = moves(said)
    assert [alias for alias, *_ in moves(said)] == ["live", "candidate", "live", "live"]
    assert promoted == ("live", candidate, live)
    assert back == ("live", live, candidate)
    for scored in ("by-live.csv", "by-candidate.csv"):
        assert len((folder / scored).read_text().splitlines()) == 151
    assert f"scored by iris {candidate}" in said or candidate in said


def test_a_second_function_over_the_same_store_follows_the_candidate_and_has_no_model_before_there_is_one(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, "iris", MODEL_ALIAS="candidate", MODEL_REFRESH_SECONDS="0.1") as candidate:
        assert candidate.http.http("GET", "/ping").status == 503
        store = f"--name iris --store {tmp_path / 'models'}"
        type_in(tmp_path, f"python -m training promote live --alias candidate {store}")
        eventually(lambda: candidate.http.http("GET", "/ping").status == 200)
        version = candidate.http.http("GET", "/ping").json["model"]["version"]
        assert version in type_in(tmp_path, f"python -m training show live {store}")


def test_the_model_goes_back_in_one_command_as_the_page_says(folder: Path) -> None:
    (typed,) = here("operate.md")
    said = type_in(folder, typed)
    (_, first, _), (_, second, _), back = moves(said)
    assert back == ("live", first, second)
    shown = said.partition(f"live is now {first}, before it {second}")[2]
    assert first in shown


class _Witness(http.server.BaseHTTPRequestHandler):
    """Keeps what it was sent."""

    seen: ClassVar[list[tuple[str, str, dict[str, str], bytes]]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def witness() -> Iterator[tuple[str, list[tuple[str, str, dict[str, str], bytes]]]]:
    class Handler(_Witness):
        seen: ClassVar[list[tuple[str, str, dict[str, str], bytes]]] = []

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", Handler.seen
        server.shutdown()
        thread.join()


def test_the_signed_call_of_the_page_has_the_signature_that_aws_reckons(
    folder: Path, witness: tuple[str, list[tuple[str, str, dict[str, str], bytes]]]
) -> None:
    url, seen = witness
    (block,) = (block for block in blocks(DOCS / "deploy.md") if "--aws-sigv4" in block.text)
    call = "\n".join(line for line in block.text.splitlines() if line.startswith("ask"))
    key, secret, token = "AKIDEXAMPLE", "secret/example", "token=="
    type_in(
        folder, call, URL=url, AWS_REGION="eu-central-1", AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret,
        AWS_SESSION_TOKEN=token,
    )  # fmt: skip
    ((method, path, headers, body),) = seen
    assert (method, path, body) == ("POST", "/predict", b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}')
    assert headers["x-amz-security-token"] == token
    signed = re.search(r"SignedHeaders=([^,]+)", headers["authorization"])
    assert signed is not None
    sent = {name: headers[name] for name in signed[1].split(";")}
    request = AWSRequest(method, url + path, data=body, headers=sent)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials(key, secret), "execute-api", "eu-central-1")
    canonical = signer.canonical_request(request)
    assert urlsplit(request.url).path == "/predict"
    wanted = signer.signature(signer.string_to_sign(request, canonical), request)
    assert headers["authorization"].endswith(f"Signature={wanted}")
    assert (
        f"Credential={key}/{headers['x-amz-date'][:8]}/eu-central-1/execute-api/aws4_request"
        in headers["authorization"]
    )
