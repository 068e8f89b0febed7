"""Batch's real process is killed (-9) while it scores a drop on a real S3 server, and another one gets the event again.

Moments: each call to the store, before the server saw it and after it answered; and any instant of a run. After the
kill nothing half looks whole; after the retry nothing is lost, nothing doubled, and all is as if nobody had died.
"""

import gzip
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from functions.registry.store import Store
from tests import http_steps, runtime
from tests.http_steps import SIDES, Step, Steps
from tests.minio_server import Minio
from tests.models import publish_iris

KEY = "incoming/day/x.csv"
SCORED, REJECTED, SUMMARY = "scored/day/x.csv", "rejected/day/x.csv", "scored/day/x.csv.summary.json"
HEADER = b"sepal_length,sepal_width,petal_length,petal_width,note"
ROW = b"5.1,3.5,1.4,0.2,%06d"
BATCH = [sys.executable, "-m", "functions.start", "functions.batch.handler"]


@dataclass(frozen=True, slots=True)
class Drop:
    """A file, and everything that is to come of it."""

    name: str
    body: bytes
    status: Literal["scored", "refused"]
    scored: bytes | None
    rejected: bytes | None
    rows: int


@cache
def drops() -> tuple[Drop, ...]:
    """One after the other under one key, so that each has older results to replace."""
    return _rows("large", 9_000, b"x" * 1000), _rows("small", 50, b""), _packed(), _refused()


def _rows(name: str, count: int, padding: bytes) -> Drop:
    """Every fifth row is bad, so that both outputs are there; the large one is written in several parts."""
    good = [number for number in range(count) if number % 5]
    bad = [number for number in range(count) if not number % 5]
    rows = [ROW % number + padding if number % 5 else b"?,3.5,1.4,0.2,%06d" % number for number in range(count)]
    told = b"%d,not_a_number,\"column 'sepal_length': found '?', expected a number\",\"?,3.5,1.4,0.2,%06d\"\n"
    return Drop(
        name,
        b"\n".join([HEADER, *rows, b""]),
        "scored",
        b"\n".join([HEADER + b",prediction", *(ROW % number + padding + b",setosa" for number in good), b""]),
        b"line,reason,message,record\n" + b"".join(told % (number + 2, number) for number in bad),
        count,
    )


def _packed() -> Drop:
    rows = [ROW % number for number in range(500)]
    body = gzip.compress(b"\n".join([HEADER, *rows, b""]))
    return Drop("gzip, none rejected", body, "scored", b"\n".join([HEADER + b",prediction", *(
        row + b",setosa" for row in rows), b""]), None, 500)  # fmt: skip


def _refused() -> Drop:
    return Drop("refused", b"a,b\n1,2\n", "refused", None, None, 0)


@dataclass
class Outcome:
    """What the campaign saw. uploads: multipart uploads that killed processes left open, which no retry can know of."""

    kills: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    uploads: int = 0

    @property
    def runs(self) -> int:
        return self.kills.total()


class Campaign:
    """Drops, kills and retries on one bucket."""

    def __init__(
        self, client: Any, bucket: str, steps: Steps, victim: dict[str, str], retrier: runtime.Runtime
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._steps = steps
        self._settings = victim
        self._retrier = retrier
        self._before: Drop | None = None
        self._now: Drop | None = None
        self._calls: dict[str, int] = {}
        self._seconds: dict[str, float] = {}
        self.outcome = Outcome()

    def measure(self) -> None:
        """How many calls and seconds each drop takes where nobody is killed, older results being there."""
        for _ in range(2):
            for drop in drops():
                with runtime.running(BATCH, self._settings) as process:
                    self._put(drop)
                    self._steps.begin()
                    started = time.perf_counter()
                    process.ask(self._event())
                    self._seconds[drop.name] = time.perf_counter() - started
                    self._calls[drop.name] = self._steps.count
                self._assert_whole(drop)

    def run(self, steps: int | None, instants: int, seed: int) -> None:
        """Kills at so many steps, chosen from all drops' (None: at every one), and at so many instants."""
        choose = random.Random(seed)  # noqa: S311 # a choice of moments, which a seed repeats
        every = [
            (drop, Step(number, side))
            for drop in drops()
            for number in range(1, self._calls[drop.name] + 1)
            for side in SIDES
        ]
        moments: list[tuple[Drop, Step | float]] = []
        moments += every if steps is None else choose.sample(every, steps)
        for number in range(instants):
            drop = drops()[number % len(drops())]
            moments.append((drop, choose.uniform(0, self._seconds[drop.name])))
        choose.shuffle(moments)
        for drop, moment in moments:
            self._one(drop, moment)

    def _one(self, drop: Drop, moment: Step | float) -> None:
        open_before = len(self._uploads())
        with runtime.running(BATCH, self._settings) as process:
            self._put(drop)
            if isinstance(moment, Step):
                self._steps.begin(moment, process.kill)
                with suppress(runtime.Failed, OSError):  # the connection to it ends with it
                    process.ask(self._event())
            else:
                self._steps.begin()
                process.begin(self._event())
                time.sleep(moment)
            process.kill()
        self.outcome.kills["at a call" if isinstance(moment, Step) else "at an instant"] += 1
        self.outcome.found[self._assert_nothing_half(drop)] += 1
        left = len(self._uploads())
        (record,) = self._retrier.ask(self._event())["records"]
        assert record["status"] in (drop.status, "already_done"), (drop.name, moment, record)
        assert len(self._uploads()) == left, "the retry left an upload open"
        self.outcome.uploads += left - open_before
        self._assert_whole(drop)

    # what is there

    def _put(self, drop: Drop) -> None:
        self._before = self._now
        self._client.put_object(Bucket=self._bucket, Key=KEY, Body=drop.body)
        self._now = drop

    def _event(self) -> dict[str, Any]:
        record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": self._bucket}, "object": {"key": KEY}}}
        return {"Records": [record]}

    def _get(self, key: str) -> bytes | None:
        try:
            body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except self._client.exceptions.NoSuchKey:
            return None
        return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body

    def _uploads(self) -> list[Any]:
        """The multipart uploads of the results that are open. MinIO lists those of one key."""
        found = [self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=key) for key in (SCORED, REJECTED)]
        return [upload for one in found for upload in one.get("Uploads", [])]

    def _assert_nothing_half(self, drop: Drop) -> str:
        """Right after a kill: each object is whole, of this drop or of the one before; who vouches is right."""
        summary = self._get(SUMMARY)
        vouched = summary is not None and json.loads(summary)["input"]["etag"] == self._etag(KEY)
        if vouched:
            self._assert_results(drop)
            return "finished"
        assert self._before is not None
        for key, now, before in (
            (SCORED, drop.scored, self._before.scored), (REJECTED, drop.rejected, self._before.rejected)
        ):  # fmt: skip
            assert self._get(key) in (now, before, None), f"{key} is half"
        if self._get(SCORED) == drop.scored != self._before.scored:
            return "results without a summary"
        return "nothing of it" if summary is None else "the older results"

    def _assert_whole(self, drop: Drop) -> None:
        self._assert_results(drop)
        listed = self._client.list_objects_v2(Bucket=self._bucket)["Contents"]
        there = {SCORED: drop.scored, REJECTED: drop.rejected}
        wanted = {KEY, SUMMARY, *(key for key, body in there.items() if body is not None)}
        assert {one["Key"] for one in listed} == wanted, "something is left over"

    def _assert_results(self, drop: Drop) -> None:
        """The summary vouches for input and outputs as they are, and they are what this drop's are."""
        summary = json.loads(self._get(SUMMARY) or b"null")
        assert summary["status"] == drop.status
        assert summary["input"]["etag"] == self._etag(KEY)
        for name, key, body in (("scored", SCORED, drop.scored), ("rejected", REJECTED, drop.rejected)):
            found = self._get(key)
            assert found == body, f"{key} is not what {drop.name} gives: {found and (len(found), found[:200])}"
            output = summary["outputs"][name]
            assert (output and output["etag"]) == self._etag(key)
        rows = summary["rows"]
        assert (rows["input"], rows["scored"] + rows["rejected"]) == (drop.rows, drop.rows)

    def _etag(self, key: str) -> str | None:
        try:
            found: str = self._client.head_object(Bucket=self._bucket, Key=key)["ETag"]
        except self._client.exceptions.ClientError:
            return None
        return found

    def clear(self) -> None:
        """Ends the uploads that killed processes left open, as the bucket's lifecycle rule does in time."""
        for upload in self._uploads():
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"])


@contextmanager
def campaign(minio: Minio, bucket: str, models: Store) -> Iterator[Campaign]:
    """A campaign on this bucket, with a model by its twin out of `models`."""
    publish_iris(models, twin=True)
    settings = {
        **minio.environment(minio.root),
        "MODEL_STORE": models.url,
        "MODEL_NAME": "iris",
        "DATA_STORE": f"s3://{bucket}",
    }
    with ExitStack() as stack:
        client = stack.enter_context(minio.client(minio.root))
        steps = stack.enter_context(http_steps.before(minio.endpoint))
        retrier = stack.enter_context(runtime.running(BATCH, settings))
        made = Campaign(client, bucket, steps, settings | {"AWS_ENDPOINT_URL": steps.endpoint}, retrier)
        made.measure()
        yield made
        made.clear()


def folder_models(folder: Path) -> Store:
    """Models in a folder, so that calls are counted of drops alone."""
    from functions.registry.folder import FolderStore

    return FolderStore(folder / "models")
