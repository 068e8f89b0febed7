"""The state machine of the template on a real S3 server: its definition runs, its steps are real functions."""

import gzip
import json
import threading
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from functions import wiring
from functions.errors import RunEnded, StoreError
from functions.registry.s3_uploads import S3Uploads
from functions.registry.store import open_store
from functions.scoring.drop import DropPaths
from functions.scoring.fanout.run import Planned
from functions.scoring.summary import Input
from tests import slow_proxy
from tests.fanout_bench import HEADER, KEY, MIB, PATHS, Bench, ask_batch, by_one_function, outputs, rows

BATCH_SECONDS = 8.0
BYTES_PER_SECOND = 4e6  # of a network over which batch needs longer than that for 40 MB, and soon knows


@pytest.mark.parametrize(
    ("part_bytes", "count"),
    [(MIB, 100_000), (6 * MIB, 600_000)],
    ids=["parts too small for S3", "parts that S3 takes"],
)
def test_a_file_scored_in_parts_has_the_bytes_that_one_function_writes(
    bench: Bench, tmp_path: Path, part_bytes: int, count: int
) -> None:
    body = HEADER + rows(count)
    bench.put(body)
    with bench.machine(tmp_path, environ={"FANOUT_PART_BYTES": str(part_bytes)}) as it:
        ended = it.run(bench.event())
        assert (ended.exec_status, ended.error, ended.cause) == ("SUCCEEDED", None, None)
        by_one_function(bench, it, body)
    assert it.steps() == ["plan", *["part"] * -(-len(body) // part_bytes), "finish"]
    assert outputs(bench, "huge.csv") == outputs(bench, "one.csv")
    summary = bench.summary()
    assert ended.output == {"key": KEY, "status": "scored", "reason": None, "rows": summary["rows"]}
    with bench.minio.client(bench.minio.root) as client:
        heads = {name: client.head_object(Bucket=bench.drops, Key=key) for name, key in
                 (("scored", PATHS.scored), ("rejected", PATHS.rejected))}  # fmt: skip
    assert {name: (head["ETag"], head["ContentLength"]) for name, head in heads.items()} == {
        name: (told["etag"], told["bytes"]) for name, told in summary["outputs"].items()
    }
    assert sorted(key for key in bench.names() if "huge" in key) == [KEY, PATHS.rejected, PATHS.scored, PATHS.summary]
    assert bench.uploads() == []
    lines = [json.loads(line) for line in (tmp_path / "functions.log").read_text().splitlines() if line[:1] == "{"]
    counted = [(line["RowsScored"], line["RowsRejected"]) for line in lines if line["message"] == "step"]
    assert counted == [*[(0, 0)] * (len(it.steps()) - 1), (summary["rows"]["scored"], summary["rows"]["rejected"])]


def test_a_function_that_dies_in_the_middle_of_a_part_is_called_again(bench: Bench, tmp_path: Path) -> None:
    body = HEADER + rows(100_000)
    bench.put(body)
    with bench.machine(tmp_path) as it:
        dying = iter([True])

        def kill(event: Any) -> None:
            if event.get("step") == "part" and next(dying, False):
                for environment in it.functions["FanOutFunction"].environments():
                    Timer(0.3, environment.end).start()

        it.before = kill
        ended = it.run(bench.event())
        assert (ended.exec_status, ended.error, ended.cause) == ("SUCCEEDED", None, None)
        by_one_function(bench, it, body)
    assert outputs(bench, "huge.csv") == outputs(bench, "one.csv")
    assert bench.uploads() == []


def test_a_run_that_cannot_be_finished_fails_and_leaves_nothing(bench: Bench, tmp_path: Path) -> None:
    bench.put(HEADER + rows(100_000))
    with bench.machine(tmp_path) as it:

        def replace(event: Any) -> None:
            if event.get("step") == "part" and event["part"] == 1:
                bench.put(HEADER)

        it.before = replace
        ended = it.run(bench.event())
    # On AWS the map fails by its part, and moto goes on to the next step; either way the machine ends the same.
    assert ended.exec_status == "FAILED"
    assert ended.error in ("States.ExceedToleratedFailureThreshold", "RunEnded")
    assert it.steps()[-1] == "abort"
    failed = [answer for event, answer in it.calls if event["step"] == "part" and "errorType" in answer]
    words = "incoming/day/huge.csv was replaced or deleted while it was scored"
    assert {(one["errorType"], one["errorMessage"]) for one in failed} == {("RunEnded", words)}
    assert [name for name in bench.names() if not name.endswith(".claim.json")] == [KEY]
    assert bench.uploads() == []


def test_gzip_is_refused_and_the_run_says_so(bench: Bench, tmp_path: Path) -> None:
    bench.put(gzip.compress(HEADER + rows(1000)))
    with bench.machine(tmp_path) as it:
        ended = it.run(bench.event())
    assert (ended.exec_status, it.steps()) == ("SUCCEEDED", ["plan"])
    summary = bench.summary()
    assert (ended.output["status"], ended.output["parts"]) == ("refused", [])
    assert (summary["status"], summary["reason"]) == ("refused", "gzip_not_cut")
    assert bench.names() == [KEY, PATHS.summary]


def test_every_file_under_a_prefix_goes_to_batch(bench: Bench, tmp_path: Path) -> None:
    keys = [f"incoming/2026/{name}.csv" for name in ("a", "b c", "d+é")]
    for key in [*keys, "incoming/2025/old.csv"]:
        bench.put(HEADER + rows(10), key)
    bench.put(b"", "incoming/2026/readme.txt")
    with bench.machine(tmp_path) as it:
        ended = it.run({"bucket": bench.drops, "prefix": "incoming/2026/"})
        assert (ended.exec_status, ended.error, ended.cause) == ("SUCCEEDED", None, None)
    done = {answer["records"][0]["key"]: answer["records"][0]["status"] for _, answer in it.calls}
    assert done == {**dict.fromkeys(keys, "scored"), "incoming/2026/readme.txt": "ignored"}


def test_a_file_under_a_prefix_that_cannot_be_finished_keeps_nobody_from_the_others(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in bench.environ.items():
        monkeypatch.setenv(name, value)
    store = open_store(f"s3://{bench.drops}")
    keys = [f"incoming/2026/{name}.csv" for name in "abcd"]
    claims = []
    for key in keys:
        bench.put(HEADER + rows(10), key)
        claims.append(DropPaths(key).claim(Input.of(key, store.stat(key))))
    for claim in claims[:2]:
        bench.put(b"no claim", claim)
    with bench.machine(tmp_path) as it:
        ended = it.run({"bucket": bench.drops, "prefix": "incoming/2026/"})
        assert (ended.exec_status, ended.error) == ("FAILED", "FilesUnfinished")
        words = "2 of the files could not be finished, the first of them incoming/2026/a.csv; batch has logged why"
        assert ended.cause == words
        assert [name for name in "abcd" if f"scored/2026/{name}.csv" in bench.names()] == ["c", "d"]
        for claim in claims[:2]:
            store.delete(claim)
        again = it.run({"bucket": bench.drops, "prefix": "incoming/2026/"}, "again")
    assert (again.exec_status, again.error, again.cause) == ("SUCCEEDED", None, None)
    assert [name for name in "abcd" if f"scored/2026/{name}.csv" in bench.names()] == ["a", "b", "c", "d"]


def test_a_file_that_is_being_run_is_left_alone_and_one_whose_run_failed_is_run_anew(
    bench: Bench, tmp_path: Path
) -> None:
    body = HEADER + rows(200_000) * 8
    bench.put(body)
    may_go_on = threading.Event()

    def hold(event: Any) -> None:
        if "step" in event:
            assert may_go_on.wait(60)

    environ = {"FANOUT_PART_BYTES": str(16 * MIB)}
    with (
        slow_proxy.before(bench.minio.endpoint) as network,
        bench.machine(
            tmp_path, environ={**environ, "AWS_ENDPOINT_URL": network.endpoint}, batch_seconds=BATCH_SECONDS
        ) as it,
    ):
        it.before = hold

        def replayed() -> str:
            """What batch answers to the event, over a network on which the file is too large for it."""
            network.rate = BYTES_PER_SECOND
            (record,) = ask_batch(bench, it, KEY)["records"]
            network.rate = None
            return str(record["status"])

        def listed() -> str:
            network.rate = BYTES_PER_SECOND
            ended = it.run({"bucket": bench.drops, "prefix": "incoming/day/"}, f"listing-{len(it.calls)}")
            network.rate = None
            assert (ended.exec_status, ended.error, ended.cause) == ("SUCCEEDED", None, None)
            (record,) = next(answer for event, answer in reversed(it.calls) if "step" not in event)["records"]
            return str(record["status"])

        def runs() -> dict[str, str]:
            return {name: it.execution(name).status for name in it.names() if not name.startswith("listing")}

        def fail(name: str) -> None:
            """Lets the run go on, to a claim that nobody can read; then that is mended, and the next run is held."""
            (claim,) = [key for key in bench.names() if key.endswith(".claim.json")]
            claimed = bench.get(claim)
            bench.put(b"no claim", claim)
            may_go_on.set()
            assert (it.ended(it.execution(name)).exec_status, it.steps()[-1]) == ("FAILED", "abort")
            may_go_on.clear()
            bench.put(claimed, claim)

        assert replayed() == "handed_over"
        (name,) = runs()
        assert (replayed(), listed(), runs()) == ("handed_over", "handed_over", {name: "RUNNING"})
        fail(name)
        assert (replayed(), runs()) == ("handed_over", {name: "FAILED", f"{name}-2": "RUNNING"})
        fail(f"{name}-2")
        assert listed() == "handed_over"
        may_go_on.set()
        ended = it.ended(it.execution(f"{name}-3"))
        assert (ended.exec_status, ended.error, ended.cause) == ("SUCCEEDED", None, None)
        assert (replayed(), listed()) == ("already_done", "already_done")
        assert runs() == {name: "FAILED", f"{name}-2": "FAILED", f"{name}-3": "SUCCEEDED"}
    with bench.machine(tmp_path) as it:
        by_one_function(bench, it, body)
    assert outputs(bench, "huge.csv") == outputs(bench, "one.csv")


def test_what_is_no_step_is_told_what_to_send(bench: Bench, tmp_path: Path) -> None:
    bench.put(HEADER)
    with bench.machine(tmp_path) as it:
        told = {}
        for name, event in {
            "no step": {"bucket": bench.drops, "key": KEY},
            "no drop": {"step": "plan", "bucket": bench.drops, "key": "elsewhere/x.csv"},
            "no run": {"step": "finish", "bucket": bench.drops, "key": KEY, "drop": "0" * 16},
        }.items():
            outcome = it.functions["FanOutFunction"].invoke(json.dumps(event).encode())
            answer = json.loads(outcome.payload)
            told[name] = (answer["errorType"], answer["errorMessage"])
    assert told == {
        "no step": (
            "EventError",
            "this is no step of the state machine (Object missing required field `step`); send one as those in "
            'events/, or start the machine with {"bucket": ..., "key": ...}',
        ),
        "no drop": ("EventError", "elsewhere/x.csv is no drop: it is outside incoming/"),
        "no run": ("RunEnded", f"there is no plan for {KEY} any more: its run was finished or given up"),
    }


@pytest.mark.parametrize("encrypted", [False, True], ids=["", "under a key of KMS"])
def test_a_finish_that_dies_once_the_upload_is_complete_knows_its_object_and_no_other(
    bench: Bench, encrypted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if encrypted:
        bench.minio.encrypt(bench.drops)
    for name, value in bench.environ.items():
        monkeypatch.setenv(name, value)
    body = HEADER + rows(100_000)
    bench.put(body)
    fan_out = wiring.live_fan_out().get()
    planned = fan_out.plan(KEY)
    assert isinstance(planned, Planned)
    for number in range(planned.parts):
        fan_out.part(KEY, planned.digest, number)
    with monkeypatch.context() as dying:
        complete = S3Uploads.complete

        def die(*arguments: Any) -> None:
            complete(*arguments)
            raise KeyboardInterrupt

        dying.setattr(S3Uploads, "complete", die)
        with pytest.raises(KeyboardInterrupt):
            fan_out.finish(KEY, planned.digest)
    made = bench.get(PATHS.scored)

    bench.put(made, PATHS.scored)
    with pytest.raises(RunEnded) as ended:
        fan_out.finish(KEY, planned.digest)
    assert ended.value.message == f"the upload of {PATHS.scored} was given up, or its result replaced, meanwhile"

    with bench.minio.client(bench.minio.root) as client:
        latest = client.head_object(Bucket=bench.drops, Key=PATHS.scored)["VersionId"]
        client.delete_object(Bucket=bench.drops, Key=PATHS.scored, VersionId=latest)
    report = fan_out.finish(KEY, planned.digest)
    assert (report.status, report.worked) == ("scored", True)
    assert bench.summary()["rows"]["input"] == 100_000
    assert bench.get(PATHS.scored) == made
    again = fan_out.finish(KEY, planned.digest)
    assert (again.status, again.rows, again.worked) == ("scored", report.rows, False)


@pytest.mark.parametrize("encrypted", [False, True], ids=["", "under a key of KMS"])
def test_a_piece_that_is_sent_again_after_its_part_was_done_leaves_nothing_half_done(
    bench: Bench, encrypted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if encrypted:
        bench.minio.encrypt(bench.drops)
    for name, value in {**bench.environ, "FANOUT_PART_BYTES": str(6 * MIB)}.items():
        monkeypatch.setenv(name, value)
    body = HEADER + rows(300_000)
    bench.put(body)
    fan_out = wiring.live_fan_out().get()

    def to_the_last_part() -> str:
        planned = fan_out.plan(KEY)
        assert isinstance(planned, Planned)
        for number in range(planned.parts):
            fan_out.part(KEY, planned.digest, number)
        return planned.digest

    digest = to_the_last_part()
    with bench.minio.client(bench.minio.root) as client:
        (upload,) = bench.uploads()
        at = {"Bucket": bench.drops, "Key": PATHS.scored, "UploadId": upload["UploadId"], "PartNumber": 1}
        opening = bench.get(PATHS.part(digest, 0).opening)
        assert client.upload_part(**at, Body=opening)["ETag"]
    if encrypted:  # the same bytes have another ETag, and nobody can tell that they are the same
        with pytest.raises(StoreError):
            fan_out.finish(KEY, digest)
        assert PATHS.scored not in bench.names()
        fan_out.abort(KEY, digest)
        assert (bench.uploads(), [name for name in bench.names() if name.endswith((".done", ".plan.json"))]) == ([], [])
        digest = to_the_last_part()
    assert fan_out.finish(KEY, digest).status == "scored"
    assert bench.summary()["rows"]["input"] == 300_000
