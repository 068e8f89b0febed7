"""The command line: from files and objects to the same, with its exit codes and its one line."""

import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from functions.registry.folder import FolderStore
from functions.registry.manifest import Artifact, encode
from functions.registry.memory import MemoryStore
from functions.score import DONE, ENVIRONMENT, MISTAKE, main
from tests.conftest import PROJECT
from tests.integration.score.command import BAD, HEADER, MODEL, REJECTED, ROWS, SCORED, command, files
from tests.minio_server import Credentials, Minio
from tests.models import VERSION, publish_iris, publish_mixed


def test_a_file_is_scored_to_a_file(told: Callable[[], str]) -> None:
    assert main(["--model", "bucket", "day.csv", "out.csv"]) == 0
    assert told() == f"2 of 2 rows scored by {MODEL} to out.csv"
    assert Path("out.csv").read_bytes() == SCORED
    assert files() == ["day.csv", "out.csv"]


def test_rejected_rows_go_beside_the_output(told: Callable[[], str]) -> None:
    Path("day.csv").write_bytes(HEADER + ROWS + BAD)
    assert main(["--model", "bucket", "day.csv", "out.csv"]) == 0
    assert told() == (f"2 of 3 rows scored by {MODEL} to out.csv, 1 rejected to out.csv.rejected.csv (ragged_row 1)")
    assert (Path("out.csv").read_bytes(), Path("out.csv.rejected.csv").read_bytes()) == (SCORED, REJECTED)


def test_a_stale_rejected_file_is_removed() -> None:
    Path("out.csv.rejected.csv").write_bytes(b"old")
    assert main(["--model", "bucket", "day.csv", "out.csv"]) == 0
    assert files() == ["day.csv", "out.csv"]


def test_gzip_gives_gzip() -> None:
    Path("day.csv.gz").write_bytes(gzip.compress(HEADER + ROWS + BAD))
    assert main(["--model", "bucket", "day.csv.gz", "out.csv.gz"]) == 0
    assert gzip.decompress(Path("out.csv.gz").read_bytes()) == SCORED
    assert gzip.decompress(Path("out.csv.gz.rejected.csv.gz").read_bytes()) == REJECTED


def test_a_file_may_be_scored_in_its_place() -> None:
    assert main(["--model", "bucket", "day.csv", "day.csv"]) == 0
    assert Path("day.csv").read_bytes() == SCORED


def test_options_and_settings_reach_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    piped = (HEADER + ROWS).replace(b",", b"|")
    Path("day.csv").write_bytes(piped)
    assert main(["--model", "bucket", "--separator", "|", "--probabilities", "day.csv", "out.csv"]) == 0
    head, row, *_ = Path("out.csv").read_bytes().split(b"\n")
    assert head.endswith(b"|prediction|probability_setosa|probability_versicolor|probability_virginica")
    assert row.startswith(b"5.1|3.5|1.4|0.2|setosa|0.98")
    monkeypatch.setenv("BATCH_SEPARATOR", "|")
    assert main(["--model", "bucket", "day.csv", "out.csv"]) == 0
    assert Path("out.csv").read_bytes() == SCORED.replace(b",", b"|")


def test_a_file_with_its_manifest_beside_it_is_a_model(told: Callable[[], str]) -> None:
    plain_files("m.joblib")
    assert main(["--model", "m.joblib", "day.csv", "out.csv"]) == 0
    assert told() == f"2 of 2 rows scored by {MODEL} to out.csv"
    assert Path("out.csv").read_bytes() == SCORED


def plain_files(name: str) -> None:
    """A model as `python -m training fit ... --output` writes it: a pickle and its manifest."""
    store = MemoryStore()
    manifest = publish_iris(store)
    body = store.get(f"models/iris/versions/{VERSION}/model.joblib").body
    Path(name).write_bytes(body)
    Path(name).with_suffix(".manifest.json").write_bytes(encode(replace(manifest, artifacts=[Artifact.of(name, body)])))


def test_a_pickle_without_its_manifest_is_not_opened(told: Callable[[], str]) -> None:
    Path("m.joblib").write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    assert main(["--model", "m.joblib", "day.csv", "out.csv"]) == 2
    assert told() == (
        "error: m.joblib has no m.manifest.json beside it, and a pickle runs whatever is in it; make both with: "
        "python -m training fit data.csv --target column --output m.joblib, or add --trust if you made the file "
        "yourself: it is then run, and its digest, golden rows, types, missing values and ranges are unchecked"
    )
    assert files() == ["day.csv", "m.joblib"]


def test_a_pickle_that_is_not_the_manifests_is_not_opened(told: Callable[[], str]) -> None:
    plain_files("m.joblib")
    Path("m.joblib").write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    assert main(["--model", "m.joblib", "day.csv", "out.csv"]) == 1
    assert told().startswith(f"error: version {VERSION}: m.joblib has 30 bytes, expected ")
    Path("other.joblib").write_bytes(b"")
    Path("other.manifest.json").write_bytes(Path("m.manifest.json").read_bytes())
    assert main(["--model", "other.joblib", "day.csv", "out.csv"]) == 1
    assert told().endswith("other.manifest.json speaks of m.joblib and not of other.joblib; rename it back")
    assert "owned" not in files()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--model", "bucket", "none.csv", "out.csv"], "there is no file none.csv"),
        (["--model", "bucket", "bucket", "out.csv"], "bucket is a folder; name a CSV file"),
        (["--model", "bucket", "day.csv", "bucket"], "bucket is a folder; name a file in it"),
        (["--model", "bucket", "day.csv", "no/out.csv"], "there is no folder no for no/out.csv; make it first"),
        (["--model", "none", "day.csv", "out.csv"],
         "none is neither a store (s3://bucket, a folder) nor a .joblib file"),
        (["--model", "none.joblib", "day.csv", "out.csv"], "there is no file none.joblib"),
        (["--model", "m.joblib", "--name", "iris", "day.csv", "out.csv"],
         "--name and --version choose in a store; m.joblib is one model"),
        (["--model", "ftp://x", "day.csv", "out.csv"], "ftp://x is neither a store (s3://bucket, a folder) nor a "
         ".joblib file"),
        (["--model", "bucket", "day.csv", "s3://bucket"], "s3://bucket names no object; write s3://bucket/key"),
        (["--model", "bucket", "--rejected", "out.csv", "day.csv", "out.csv"],
         "scored and rejected rows cannot both go to out.csv"),
        (["--model", "bucket", "--rejected", "bucket/../out.csv", "day.csv", "out.csv"],
         "scored and rejected rows cannot both go to bucket/../out.csv"),
        (["--model", "bucket", "--rejected", "s3://b/o.csv", "day.csv", "s3://b/o.csv"],
         "scored and rejected rows cannot both go to s3://b/o.csv"),
        (["--model", "bucket", "--rejected", "-", "day.csv", "-"], "scored and rejected rows cannot both go to -"),
        (["--model", "bucket", "--rejected", "day.csv", "day.csv", "out.csv"],
         "rejected rows cannot go to day.csv, which is the input; name another with --rejected"),
        (["--model", "bucket", "--rejected", "./bucket/../day.csv", "day.csv", "out.csv"],
         "rejected rows cannot go to ./bucket/../day.csv, which is the input; name another with --rejected"),
        (["--model", "bucket", "--separator", "ab", "day.csv", "out.csv"],
         "--separator is 'ab'; set it to one ASCII character that no number holds (no letter, digit, sign, dot, "
        "quote or space), or tab, comma, semicolon"),
        (["--model", "bucket", "--trust", "day.csv", "out.csv"],
         "--trust is for a .joblib file without its manifest; what is in a store is always checked"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_writes_nothing(arguments: list[str], line: str, told: Callable[[], str]) -> None:
    assert main(arguments) == 2
    assert told() == f"error: {line}"
    assert files() == ["day.csv"]


def test_the_rejected_rows_never_replace_the_input_or_the_output_by_another_name(told: Callable[[], str]) -> None:
    Path("link.csv").symlink_to("day.csv")
    Path("hard.csv").hardlink_to("day.csv")
    Path("out.csv").write_bytes(b"older")
    Path("aside.csv").symlink_to("out.csv")
    for rejected in ("link.csv", "hard.csv", "aside.csv"):
        assert main(["--model", "bucket", "--rejected", rejected, "day.csv", "out.csv"]) == 2
        assert told().startswith("error: ")
    assert (Path("day.csv").read_bytes(), Path("out.csv").read_bytes()) == (HEADER + ROWS, b"older")
    Path("day.csv.rejected.csv").write_bytes(HEADER + ROWS)
    assert main(["--model", "bucket", "day.csv.rejected.csv", "day.csv"]) == 2
    assert Path("day.csv.rejected.csv").read_bytes() == HEADER + ROWS


def test_a_link_is_written_through_and_stays(told: Callable[[], str]) -> None:
    Path("real.csv").write_bytes(b"older")
    Path("link.csv").symlink_to("real.csv")
    assert main(["--model", "bucket", "day.csv", "link.csv"]) == 0
    assert (Path("link.csv").is_symlink(), Path("real.csv").read_bytes()) == (True, SCORED)
    Path("loop.csv").symlink_to("loop.csv")
    told()
    assert main(["--model", "bucket", "day.csv", "loop.csv"]) == 2
    assert told() == "error: loop.csv is a link that leads to itself"


def test_a_name_as_long_as_a_name_can_be_is_written() -> None:
    name = "数" * 83 + ".csv"
    assert main(["--model", "bucket", "day.csv", name, "--rejected", "aside.csv"]) == 0
    assert Path(name).read_bytes() == SCORED


def test_an_unknown_alias_or_model_is_told(told: Callable[[], str]) -> None:
    url = FolderStore("bucket").url
    assert main(["--model", "bucket", "--alias", "next", "day.csv", "out.csv"]) == 2
    assert told().startswith(f"error: iris has no alias next in {url}")
    publish_mixed(FolderStore("bucket"))
    assert main(["--model", "bucket", "day.csv", "out.csv"]) == 2
    assert told() == f"error: there are several models in {url}: iris, mixed; choose one with --name"
    assert main(["--model", "bucket", "--name", "iris", "--version", VERSION, "day.csv", "out.csv"]) == 0
    Path("empty").mkdir()
    assert main(["--model", "empty", "day.csv", "out.csv"]) == 2


def test_a_file_that_cannot_be_scored_leaves_the_output_as_it_was(told: Callable[[], str]) -> None:
    Path("out.csv").write_bytes(b"older")
    Path("day.csv").write_bytes(gzip.compress(HEADER + ROWS)[:-4])
    assert main(["--model", "bucket", "day.csv", "out.csv"]) == 2
    assert told() == "error: the gzip data is cut off; make the file anew"
    assert Path("out.csv").read_bytes() == b"older"
    assert files() == ["day.csv", "out.csv"]


def test_too_many_rejected_rows_keep_the_results_and_fail(told: Callable[[], str]) -> None:
    Path("day.csv").write_bytes(HEADER + BAD + ROWS[:16] + BAD)
    assert main(["--model", "bucket", "day.csv", "out.csv"]) == 2
    assert told().endswith("error: too large a share of rows was rejected (BATCH_MAX_REJECTED_SHARE)")
    assert Path("out.csv").read_bytes().count(b"\n") == 2


def test_a_share_of_rejected_rows_that_is_reached_and_not_passed_is_no_failure() -> None:
    Path("day.csv").write_bytes(HEADER + ROWS[:16] + BAD)
    assert main(["--model", "bucket", "day.csv", "out.csv"]) == 0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["day.csv"], "no input: day.csv is taken for the model, as --model names none; say: score MODEL INPUT"),
        (["bucket", "a.csv", "b.csv", "c.csv"], "there are 3 files (a.csv, b.csv, c.csv); name an input and an output"),
        (["--model", "", "day.csv"], "the model's name is empty; name a store or a .joblib file"),
        ([], "the following arguments are required: INPUT, OUTPUT"),
    ],
)
def test_arguments_that_cannot_be_meant_are_told_with_the_usage_and_exit_with_2(
    arguments: list[str], line: str
) -> None:
    ran = command(*arguments)
    assert (ran.returncode, ran.stdout) == (2, b"")
    usage, *_, last = ran.stderr.decode().splitlines()
    assert (usage, last) == ("usage: score --model MODEL [options] INPUT [OUTPUT]", f"score: error: {line}")


def test_without_the_option_the_model_comes_first() -> None:
    assert main(["bucket", "day.csv", "--rejected", "aside.csv", "out.csv"]) == 0
    assert Path("out.csv").read_bytes() == SCORED
    ran = command("bucket", "day.csv")
    assert (ran.returncode, ran.stdout) == (0, SCORED)


def test_a_model_that_is_none_is_told_before_a_csv_is_taken_for_one(told: Callable[[], str]) -> None:
    assert main(["day.csv", "out.csv"]) == 2
    assert told() == "error: day.csv is neither a store (s3://bucket, a folder) nor a .joblib file"
    assert files() == ["day.csv"]


def test_the_help_tells_the_exit_codes() -> None:
    ran = command("--help")
    assert ran.returncode == 0
    told = ran.stdout.decode()
    for code in (DONE, ENVIRONMENT, MISTAKE, 130):
        assert f"\n  {code}  " in told
    assert "143 by SIGTERM" in told


def test_an_input_that_is_missing_touches_no_output() -> None:
    os.mkfifo("pipe")  # opening it would wait for its reader
    ran = command("--model", "bucket", "none.csv", "pipe")
    assert (ran.returncode, ran.stderr.decode()) == (2, "error: there is no file none.csv\n")
    with Path("out.csv").open("wb") as out:
        out.write(b"older")
    ran = command("--model", "bucket", "none.csv", "/dev/null")
    assert ran.returncode == 2
    assert Path("out.csv").read_bytes() == b"older"


def test_objects_are_scored_to_objects(
    minio: Minio, bucket: str, owner_credentials: Credentials, monkeypatch: pytest.MonkeyPatch, told: Callable[[], str]
) -> None:
    for name, value in minio.environment(owner_credentials).items():
        monkeypatch.setenv(name, value)
    with minio.client(owner_credentials) as s3:
        s3.put_object(Bucket=bucket, Key="in/a b.csv", Body=HEADER + ROWS + BAD)
        to = f"s3://{bucket}/out/a b.csv"
        assert main(["--model", "bucket", f"s3://{bucket}/in/a b.csv", to]) == 0
        assert s3.get_object(Bucket=bucket, Key="out/a b.csv")["Body"].read() == SCORED
        assert s3.get_object(Bucket=bucket, Key="out/a b.csv.rejected.csv")["Body"].read() == REJECTED
        assert told() == f"2 of 3 rows scored by {MODEL} to {to}, 1 rejected to {to}.rejected.csv (ragged_row 1)"
        s3.put_object(Bucket=bucket, Key="in/a b.csv", Body=HEADER + ROWS)
        assert main(["--model", "bucket", f"s3://{bucket}/in/a b.csv", to]) == 0
        assert s3.list_objects_v2(Bucket=bucket, Prefix="out/")["KeyCount"] == 1
    assert main(["--model", "bucket", f"s3://{bucket}/none.csv", "out.csv"]) == 2
    assert told().endswith(f"error: there is no object s3://{bucket}/none.csv")
    assert main(["--model", "bucket", "s3://no-such-bucket-here/x.csv", "out.csv"]) in (1, 2)
    assert files() == ["day.csv"]


def test_standard_input_that_is_packed_goes_to_an_object_packed(
    minio: Minio, bucket: str, owner_credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in minio.environment(owner_credentials).items():
        monkeypatch.setenv(name, value)
    to = f"s3://{bucket}/out/day.csv.gz"
    ran = command("bucket", "-", to, data=gzip.compress(HEADER + ROWS + BAD))
    assert (ran.returncode, ran.stdout) == (0, b""), ran.stderr
    with minio.client(owner_credentials) as s3:
        assert gzip.decompress(s3.get_object(Bucket=bucket, Key="out/day.csv.gz")["Body"].read()) == SCORED
        aside = s3.get_object(Bucket=bucket, Key="out/day.csv.gz.rejected.csv.gz")["Body"].read()
        assert gzip.decompress(aside) == REJECTED
    ran = command("bucket", to, "-")
    assert ran.returncode == 0
    assert gzip.decompress(ran.stdout).splitlines()[:2] == [
        HEADER.strip() + b",prediction,prediction_prediction",
        b"5.1,3.5,1.4,0.2,setosa,setosa",
    ]


def test_a_signal_leaves_no_object_and_no_upload_behind(
    minio: Minio, bucket: str, owner_credentials: Credentials
) -> None:
    rows = ROWS * 200_000
    with subprocess.Popen(
        [sys.executable, "-m", "functions.score", "bucket", "-", f"s3://{bucket}/out.csv"],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, **minio.environment(owner_credentials), "PYTHONPATH": str(PROJECT)},
    ) as process:  # fmt: skip
        try:
            assert process.stdin is not None
            process.stdin.write(HEADER + rows)
            process.stdin.flush()
            with minio.client(owner_credentials) as s3:
                while "Uploads" not in s3.list_multipart_uploads(Bucket=bucket, Prefix="out.csv"):
                    assert process.poll() is None
                    time.sleep(0.05)
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 143
                assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket, Prefix="out.csv")
                assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
        finally:
            process.kill()


def test_a_store_that_cannot_be_reached_is_the_environments_failure(
    monkeypatch: pytest.MonkeyPatch, told: Callable[[], str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    assert main(["--model", "s3://models", "--name", "iris", "day.csv", "out.csv"]) == 1
    assert told().startswith("error: s3://models cannot be reached")
