"""Where a case's files lie: a folder of this disk, or a bucket of a real MinIO on it. It runs no contestant."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from benchmarks.stage import PROJECT
from tests.minio_server import allow_s3, running

BUCKET = "drops"
INCOMING, SCORED = "incoming/table.csv", "scored/table.csv"


class Place(Protocol):
    """`source` and `target`: as the contestants name them. `environment`: what leads there."""

    environment: dict[str, str]
    source: str
    target: str

    def bring(self, table: Path) -> None:
        """Makes it the input."""

    def fetch(self) -> Path:
        """The output, as a file."""

    def clear(self) -> None:
        """Removes every output, so that the next run begins as the first did."""


class OnDisk:
    def __init__(self, folder: Path) -> None:
        self.environment: dict[str, str] = {}
        self._folder = folder / "scored"
        self._folder.mkdir()
        self.source = ""
        self.target = str(self._folder / "table.csv")

    def bring(self, table: Path) -> None:
        self.source = str(table)
        self.target = str(self._folder / f"table{''.join(table.suffixes)}")

    def fetch(self) -> Path:
        return Path(self.target)

    def clear(self) -> None:
        for path in self._folder.iterdir():
            path.unlink()


class InMinio:
    """The scratch file of `fetch` lies in `folder`."""

    def __init__(self, client: Any, environment: dict[str, str], folder: Path) -> None:
        self.environment = environment
        self._client = client
        self._fetched = folder / "fetched.csv"
        self.source, self.target = f"s3://{BUCKET}/{INCOMING}", f"s3://{BUCKET}/{SCORED}"

    def bring(self, table: Path) -> None:
        self._client.upload_file(str(table), BUCKET, INCOMING)

    def fetch(self) -> Path:
        self._client.download_file(BUCKET, SCORED, str(self._fetched))
        return self._fetched

    def clear(self) -> None:
        for found in self._client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
            if found["Key"] != INCOMING:
                self._client.delete_object(Bucket=BUCKET, Key=found["Key"])


@contextmanager
def place(folder: Path, *, in_minio: bool) -> Iterator[Place]:
    """A place in an empty folder."""
    if not in_minio:
        yield OnDisk(folder)
        return
    found = subprocess.run([PROJECT / ".ci" / "find-minio"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise SystemExit("there is no MinIO server; run: make provision")
    with running(Path(found.stdout.strip()), folder / "minio") as minio:
        minio.bucket(BUCKET)
        user = minio.user(allow_s3(BUCKET))
        with minio.client(user) as client:
            yield InMinio(client, minio.environment(user), folder)
