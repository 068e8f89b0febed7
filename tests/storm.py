"""Many files dropped at once into a real bucket: MinIO's webhook, the local gateway and batch's processes score them.

The gateway may be killed (-9) in the middle, with its processes: some drops are scored then, others wait in its spool,
others are dropped while nobody is told. It is started again, and every drop ends with a summary that is right.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.registry.folder import FolderStore
from tests.conftest import PROJECT
from tests.minio_server import Minio, running
from tests.models import publish_iris

BUCKET = "drops"
HEADER = b"sepal_length,sepal_width,petal_length,petal_width,note\n"
GOOD, BAD = b"5.1,3.5,1.4,0.2,%d of %d\n", b"6.3,2.5,?,2.5,%d of %d\n"
PATIENCE = 300.0  # seconds without a new summary


@dataclass(frozen=True, slots=True)
class Weathered:
    """What came of it. before: summaries that were there when the gateway was killed; None where it was not."""

    drops: int
    before: int | None
    seconds: float


def storm(program: Path, folder: Path, drops: int, *, kill: bool) -> Weathered:
    """Drops so many files at once and returns when each has its results, all checked."""
    publish_iris(FolderStore(folder / "models"), twin=True)
    port = _free_port()
    with running(program, folder / "minio", webhook=f"http://127.0.0.1:{port}/events") as minio:
        minio.bucket(BUCKET, versioned=True)
        minio.notify(BUCKET, "incoming/")
        with minio.client(minio.root) as client:
            started = time.monotonic()
            before = None
            with _gateway(minio, folder, port) as gateway:
                if kill:
                    _drop_all(client, range(drops // 2))
                    before = _wait_for(client, drops // 8)
                    gateway.kill()
                    _drop_all(client, range(drops // 2, drops))
                else:
                    _drop_all(client, range(drops))
                    _wait_for(client, drops, all_done=True)
            if kill:
                with _gateway(minio, folder, port):
                    _wait_for(client, drops, all_done=True)
            for number in range(drops):
                _check(client, number)
            names = {one["Key"] for one in _listed(client, "")}
            assert len(names) == 4 * drops, "claims, or other things, are left over"
            return Weathered(drops, before, round(time.monotonic() - started, 1))


@contextmanager
def _gateway(minio: Minio, folder: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """`python -m local serve`, on MinIO, with what it has not delivered in a folder."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("MODEL_", "DATA_", "BATCH_"))}
    settings = {
        "MODEL_STORE": (folder / "models").as_uri(),
        "MODEL_NAME": "iris",
        "DATA_STORE": f"s3://{BUCKET}",
        "PORT": str(port),
        "SPOOL": str(folder / "spool"),
    }
    with (folder / "gateway.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "serve"],
            cwd=PROJECT, env={**ours, **minio.environment(minio.root), **settings},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _key(number: int) -> str:
    return f"incoming/{number % 7}/drop {number}.csv"


def _drop_all(client: Any, numbers: range) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: _drop(client, number), numbers))


def _drop(client: Any, number: int) -> None:
    rows = [GOOD % (row, number) for row in range(20 + number)]
    client.put_object(Bucket=BUCKET, Key=_key(number), Body=HEADER + b"".join(rows) + BAD % (0, number))


def _check(client: Any, number: int) -> None:
    """The summary names the input and the outputs by their ETags, and they are what this file gives."""
    incoming = _key(number)
    scored, rejected = (incoming.replace("incoming/", place) for place in ("scored/", "rejected/"))
    summary = json.loads(_get(client, scored + ".summary.json"))
    rows = 20 + number
    assert summary["rows"] == {"input": rows + 1, "scored": rows, "rejected": 1, "blank": 0}
    assert (summary["status"], summary["rejected_by_reason"]) == ("scored", {"not_a_number": 1})
    head, *lines = _get(client, scored).splitlines(keepends=True)
    assert head == HEADER.replace(b"\n", b",prediction\n")
    assert lines == [(GOOD % (row, number)).replace(b"\n", b",setosa\n") for row in range(rows)]
    assert _get(client, rejected).endswith(b'"%s"\n' % (BAD % (0, number)).rstrip(b"\n"))
    named = [summary["input"], summary["outputs"]["scored"], summary["outputs"]["rejected"]]
    there = [client.head_object(Bucket=BUCKET, Key=key)["ETag"] for key in (incoming, scored, rejected)]
    assert [one["etag"] for one in named] == there


def _wait_for(client: Any, count: int, *, all_done: bool = False) -> int:
    """Returns once there are so many summaries; all_done: and no drop is claimed by a worker any more."""
    last, since = -1, time.monotonic()
    while True:
        names: list[str] = [one["Key"] for one in _listed(client, "scored/")]
        summaries = sum(name.endswith(".summary.json") for name in names)
        claimed = any(name.endswith(".claim.json") for name in names)
        if summaries >= count and not (all_done and claimed):
            return summaries
        if summaries != last:
            last, since = summaries, time.monotonic()
        assert time.monotonic() - since < PATIENCE, f"{summaries} of {count} summaries, and no more come"
        time.sleep(0.05)


def _listed(client: Any, prefix: str) -> list[Any]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [one for page in pages for one in page.get("Contents", [])]


def _get(client: Any, key: str) -> bytes:
    body: bytes = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
