"""A file of a gigabyte that batch cannot finish in its time: handed to the state machine, and the same in the end."""

import hashlib
from pathlib import Path

from tests.fanout_bench import HEADER, KEY, MIB, PATHS, Bench, ask_batch, rows, told

BYTES = 1_000_000_000
REPEATED = 200_000  # rows, again and again
KINDS = 1009  # odd ones are rare, as in most files
BATCH_SECONDS = 5.0  # too few for the file, on any machine, and enough to find that out
PART_BYTES = 128 * MIB
CHUNK = 8 * MIB


def write(path: Path) -> int:
    """The file, by repetition; memory does not grow with it."""
    block = rows(REPEATED, KINDS)
    with path.open("wb") as file:
        size = file.write(HEADER)
        while size < BYTES:
            size += file.write(block)
    return size


def digest(bench: Bench, key: str) -> str:
    found = hashlib.sha256()
    with bench.minio.client(bench.minio.root) as client:
        body = client.get_object(Bucket=bench.drops, Key=key)["Body"]
        for chunk in body.iter_chunks(CHUNK):
            found.update(chunk)
    return found.hexdigest()


def test_what_batch_cannot_finish_it_hands_over_and_the_output_is_the_one_it_would_have_written(
    bench: Bench, tmp_path: Path
) -> None:
    file = tmp_path / "huge.csv"
    size = write(file)
    with bench.minio.client(bench.minio.root) as client:
        client.upload_file(str(file), bench.drops, KEY)
    file.unlink()

    environ = {"FANOUT_PART_BYTES": str(PART_BYTES)}
    with bench.machine(tmp_path, environ=environ, batch_seconds=BATCH_SECONDS) as it:
        (record,) = ask_batch(bench, it, KEY)["records"]
        assert (record["key"], record["status"], record["rows"]) == (KEY, "handed_over", None)
        assert record["reason"].startswith(f"{size} bytes at ")
        again = ask_batch(bench, it, KEY)["records"][0]["status"]  # the event comes twice, and there is one run
        assert again in ("handed_over", "already_done")
        ended = it.ended(it.execution(it.names()[0]))
        assert (it.names(), ended.exec_status) == ([ended.name], "SUCCEEDED")
    assert it.steps() == ["plan", *["part"] * -(-size // PART_BYTES), "finish"]
    assert bench.uploads() == []
    in_parts = told(bench, "huge.csv"), digest(bench, PATHS.scored), digest(bench, PATHS.rejected)
    assert sorted(bench.names()) == sorted([KEY, PATHS.scored, PATHS.rejected, PATHS.summary])

    with bench.minio.client(bench.minio.root) as client:
        client.copy({"Bucket": bench.drops, "Key": KEY}, bench.drops, "incoming/day/one.csv")
    with bench.machine(tmp_path) as it:
        assert ask_batch(bench, it, "incoming/day/one.csv")["records"][0]["status"] == "scored"
    whole = told(bench, "one.csv"), digest(bench, "scored/day/one.csv"), digest(bench, "rejected/day/one.csv")
    assert in_parts == whole
    assert in_parts[0]["rows"]["input"] > 10_000_000
