"""A bucket with huge files in it, and the state machine over it: what tests of fan-out share. Knows no test."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from functions.scoring.drop import DropPaths
from tests.minio_server import Minio
from tests.state_machine import Machine, machine
from tests.template import policies

MIB = 1024 * 1024
HEADER = b"id,sepal_length,sepal_width,petal_length,petal_width,note\n"
ROWS = [
    b"%d,5.1,3.5,1.4,0.2,a\n",
    b'%d,6.3,3.3,6.0,2.5,"b, quoted"\n',
    b"%d,5.9,3.0,4.2,1.5,c\r\n",
    b"%d,5.9,?,4.2,1.5,bad\n",
    b'%d,6.7,3.1,4.7,1.5,"on\ntwo lines"\n',
]
KEY = "incoming/day/huge.csv"
PATHS = DropPaths(KEY)


def rows(count: int, kinds: int = 17) -> bytes:
    """So many rows, of which each `kinds` in a row have one of each kind and are plain else."""
    return b"".join(ROWS[kind if (kind := number % kinds) < len(ROWS) else 0] % number for number in range(count))


class Bench:
    """The bucket, its owner's view of it, and the variables of functions that act as the template's role."""

    def __init__(self, minio: Minio, models: str, drops: str) -> None:
        self.minio = minio
        self.drops = drops
        role = minio.user(policies("FanOutFunction", models, drops))
        self.environ = {
            **minio.environment(role),
            "MODEL_STORE": f"s3://{models}",
            "MODEL_NAME": "iris",
            "DATA_STORE": f"s3://{drops}",
            "FANOUT_PART_BYTES": str(MIB),
        }

    @contextmanager
    def machine(self, folder: Path, **options: Any) -> Iterator[Machine]:
        environ = {**self.environ, **options.pop("environ", {})}
        with machine(self.minio, folder, environ, **options) as made:
            yield made

    def put(self, body: bytes, key: str = KEY) -> None:
        with self.minio.client(self.minio.root) as client:
            client.put_object(Bucket=self.drops, Key=key, Body=body)

    def get(self, key: str) -> bytes:
        with self.minio.client(self.minio.root) as client:
            found: bytes = client.get_object(Bucket=self.drops, Key=key)["Body"].read()
            return found

    def names(self) -> list[str]:
        with self.minio.client(self.minio.root) as client:
            return [one["Key"] for one in client.list_objects_v2(Bucket=self.drops).get("Contents", [])]

    def uploads(self, key: str = PATHS.scored) -> list[Any]:
        with self.minio.client(self.minio.root) as client:
            found: list[Any] = client.list_multipart_uploads(Bucket=self.drops, Prefix=key).get("Uploads", [])
            return found

    def summary(self, key: str = PATHS.summary) -> Any:
        return json.loads(self.get(key))

    def event(self) -> dict[str, str]:
        return {"bucket": self.drops, "key": KEY}


def told(bench: Bench, name: str) -> Any:
    """The summary of `incoming/day/<name>`, without what differs from drop to drop."""
    summary = bench.summary(f"scored/day/{name}.summary.json")
    for part in ("started", "seconds", "input"):
        del summary[part]
    for output in summary["outputs"].values():
        del output["etag"], output["key"]
    # Sums over parts differ in their last digits from sums over the whole.
    told_of = summary["predictions"] or {}
    if told_of.get("mean") is not None:
        told_of["mean"] = round(told_of["mean"], 9)
    for report in summary["features"].values():
        report["drift"] = round(report["drift"], 9)
    return summary


def outputs(bench: Bench, name: str) -> tuple[bytes, bytes, Any]:
    """What was made of `incoming/day/<name>`."""
    return bench.get(f"scored/day/{name}"), bench.get(f"rejected/day/{name}"), told(bench, name)


def ask_batch(bench: Bench, it: Machine, key: str) -> Any:
    """What batch answers to an event about this object."""
    outcome = it.functions["BatchFunction"].invoke(json.dumps({"bucket": bench.drops, "key": key}).encode())
    return json.loads(outcome.payload)


def by_one_function(bench: Bench, it: Machine, body: bytes) -> None:
    """The same bytes under another key, scored by batch."""
    bench.put(body, "incoming/day/one.csv")
    assert ask_batch(bench, it, "incoming/day/one.csv")["records"][0]["status"] == "scored"
