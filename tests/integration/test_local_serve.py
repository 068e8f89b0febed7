"""`python -m local serve`: the real functions over a folder store, from the start to the last process."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from functions.registry.folder import FolderStore
from tests.conftest import PROJECT
from tests.local_room import Client, eventually
from tests.models import VERSION, publish_iris


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """What `serve` says where it cannot start."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MODEL_", "DATA_", "PORT"))}
    return subprocess.run(
        [sys.executable, "-m", "local", "serve", *arguments],
        cwd=PROJECT,
        env=clean | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_published_model_is_served_and_a_dropped_file_scored_until_somebody_ends_it(tmp_path: Path) -> None:
    bucket = tmp_path / "a bucket"
    publish_iris(FolderStore(bucket))
    port = free_port()
    environ = os.environ | {
        "MODEL_STORE": os.path.relpath(bucket, PROJECT),  # the functions run elsewhere than the command may
        "DATA_STORE": "",
        "MODEL_NAME": "iris",
        "PORT": str(port),
    }
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "serve"], cwd=PROJECT, env=environ, stdout=log, stderr=log
        )
    try:
        said = (tmp_path / "log").read_text
        eventually(lambda: f"drop CSV files into {bucket}/incoming" in said())
        client = Client(port)
        body = json.dumps({"instances": [[5.1, 3.5, 1.4, 0.2]]}).encode()
        answer = client.http("POST", "/predict", body, {"Content-Type": "application/json"})
        assert (answer.status, answer.json["predictions"]) == (200, ["setosa"])
        assert answer.json["model"] == {"name": "iris", "version": VERSION}
        assert client.http("GET", "/nowhere").status == 404
        assert client.http("POST", "/predict", b"{").status == 400
        (bucket / "incoming" / "two words + é.csv").write_bytes(
            b"petal_width,note,sepal_length,sepal_width,petal_length\n0.2,kept,5.1,3.5,1.4\n"
        )
        summary = bucket / "scored" / "two words + é.csv.summary.json"
        eventually(summary.exists)
        assert (bucket / "scored" / "two words + é.csv").read_bytes() == (
            b"petal_width,note,sepal_length,sepal_width,petal_length,prediction\n0.2,kept,5.1,3.5,1.4,setosa\n"
        )
        told = "incoming/two words + é.csv -> batch scored 1 input 1 scored 0 rejected 0 blank ("
        eventually(lambda: told in said())
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def test_a_missing_setting_is_one_clear_line() -> None:
    ended = serve(MODEL_NAME="iris")
    words = "serve: MODEL_STORE is not set; set it to s3://bucket[/prefix] or file:///folder\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", words)


def test_a_port_in_use_is_one_clear_line_that_names_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = serve(MODEL_STORE=str(tmp_path), MODEL_NAME="iris", PORT=str(port))
    words = (
        f"serve: port {port} on 127.0.0.1 cannot be used: Address already in use; "
        "stop what uses it, or choose another by PORT\n"
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", words)


@pytest.mark.parametrize("port", ["many", "-1", "65536", "8080.0"])
def test_what_is_no_port_is_one_clear_line(tmp_path: Path, port: str) -> None:
    ended = serve(MODEL_STORE=str(tmp_path), MODEL_NAME="iris", PORT=port)
    words = f"serve: PORT: {port!r} is no port; give a number from 0 (any free one) to 65535\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", words)
