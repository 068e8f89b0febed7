"""The command line: from files, standard input and objects to the same, with its exit codes and its one line."""

import fcntl
import gzip
import os
import signal
import subprocess
import sys
import termios
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from functions.registry.folder import FolderStore
from functions.registry.manifest import Artifact, encode
from functions.registry.memory import MemoryStore
from functions.score import DONE, ENVIRONMENT, MISTAKE, main
from functions.scoring.files import NoTarget, goes_out_at_once
from tests.conftest import PROJECT
from tests.minio_server import Credentials, Minio
from tests.models import VERSION, publish_iris, publish_mixed

HEADER = b"sepal_length,sepal_width,petal_length,petal_width\n"
ROWS = b"5.1,3.5,1.4,0.2\n6.3,2.5,6.0,2.5\n"
SCORED = (
    b"sepal_length,sepal_width,petal_length,petal_width,prediction\n5.1,3.5,1.4,0.2,setosa\n6.3,2.5,6.0,2.5,virginica\n"
)
BAD = b"x\n"
REJECTED = b'line,reason,message,record\n4,ragged_row,"found 1 cell, expected 4","x"\n'
MODEL = f"iris {VERSION}"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a store in `bucket`, a file in `day.csv`, and no settings in the environment."""
    for name in [name for name in os.environ if name.startswith(("MODEL_", "DATA_", "BATCH_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    publish_iris(FolderStore("bucket"))
    Path("day.csv").write_bytes(HEADER + ROWS)
    return tmp_path


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What standard error was told, without the time it took."""

    def read() -> str:
        line = capsys.readouterr().err.rstrip("\n")
        return line.rpartition(" in ")[0] if line.endswith(" s") else line

    return read


def command(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "functions.score", *arguments],
        input=data,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )


def shell(script: str) -> subprocess.CompletedProcess[bytes]:
    """Lines of a shell, in which `score` is the command with its model. What waits for ever fails."""
    function = f'score() {{ {sys.executable} -m functions.score --model bucket "$@"; }}\n'
    return subprocess.run(
        ["bash", "-c", function + script],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=120, env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip


def no_place(ran: subprocess.CompletedProcess[bytes]) -> None:
    """Rejected rows were told, and nowhere to go; nothing was made up beside what is no file."""
    assert ran.returncode == 2
    assert ran.stderr.decode().splitlines()[1:] == [
        "error: the rejected rows were not kept; say where they go with --rejected"
    ]


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir() if path.name != "bucket")


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


def test_standard_input_goes_to_standard_output() -> None:
    ran = command("--model", "bucket", "-", data=HEADER + ROWS)
    assert (ran.returncode, ran.stdout) == (0, SCORED)
    assert ran.stderr.decode().startswith(f"2 of 2 rows scored by {MODEL} in ")


def test_rejected_rows_without_a_place_are_told_and_fail() -> None:
    ran = command("--model", "bucket", "-", data=HEADER + ROWS + BAD)
    assert (ran.returncode, ran.stdout) == (2, SCORED)
    assert ran.stderr.decode().splitlines()[1] == (
        "error: the rejected rows were not kept; say where they go with --rejected"
    )
    ran = command("--model", "bucket", "-", "--rejected", "aside.csv", data=HEADER + ROWS + BAD)
    assert (ran.returncode, ran.stdout, Path("aside.csv").read_bytes()) == (0, SCORED, REJECTED)


def test_rejected_rows_that_nobody_keeps_take_no_memory() -> None:
    writer = NoTarget().begin()
    tracemalloc.start()
    try:
        for _ in range(64):
            writer.write(bytes(1024 * 1024))
        assert writer.commit().size == 64 * 1024 * 1024
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()


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
         "--separator is 'ab'; set it to one ASCII character, or tab, comma, semicolon"),
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


def test_standard_output_by_its_name_is_written_and_not_replaced() -> None:
    ran = command("--model", "bucket", "day.csv", "/dev/stdout")
    assert (ran.returncode, ran.stdout) == (0, SCORED)
    with Path("out.csv").open("wb") as out:
        subprocess.run(
            [sys.executable, "-m", "functions.score", "--model", "bucket", "day.csv", "/dev/stdout"],
            stdout=out, stderr=subprocess.PIPE, check=True, env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )  # fmt: skip
    assert Path("out.csv").read_bytes() == SCORED
    assert Path("/dev/stdout").is_symlink()


@pytest.mark.parametrize("output", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link.csv", "/dev/fd/3"])
def test_rows_come_after_what_others_wrote_to_the_same_output_and_before_what_they_write_next(output: str) -> None:
    Path("link.csv").symlink_to("/dev/stdout")
    ran = shell(f"( echo before; score day.csv {output} --rejected aside.csv 3>&1; echo rc=$?; echo after ) > out.csv")
    assert Path("out.csv").read_bytes() == b"before\n" + SCORED + b"rc=0\nafter\n", ran.stderr
    assert files() == ["day.csv", "link.csv", "out.csv"]


def test_rejected_rows_share_a_descriptor_too() -> None:
    Path("day.csv").write_bytes(HEADER + ROWS + BAD)
    ran = shell("( echo before; score day.csv out.csv --rejected /dev/fd/3 3>&1; echo after ) > aside.csv")
    assert Path("aside.csv").read_bytes() == b"before\n" + REJECTED + b"after\n", ran.stderr
    assert Path("out.csv").read_bytes() == SCORED
    ran = shell("( echo before; score day.csv out.csv --rejected /dev/stdout; echo after ) > aside.csv")
    assert Path("aside.csv").read_bytes() == b"before\n" + REJECTED + b"after\n", ran.stderr


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("score day.csv /dev/stdout --rejected - > both.csv", "-"),
        ("score day.csv - --rejected /dev/stdout > both.csv", "-"),
        ("score day.csv --rejected /dev/fd/1", "-"),
        ("score day.csv --rejected both.csv > both.csv", "both.csv"),
        ("score day.csv both.csv --rejected - > both.csv", "-"),
        ("score day.csv /dev/fd/3 --rejected /dev/fd/4 3> both.csv 4>&3", "/dev/fd/4"),
        ("score day.csv --rejected /dev/fd/3 3>&1 | cat", "/dev/fd/3"),
        ("score day.csv pipe --rejected ./pipe", "./pipe"),
    ],
)
def test_one_place_for_scored_and_rejected_rows_is_refused_under_any_two_names(line: str, named: str) -> None:
    os.mkfifo("pipe")
    ran = shell(f"set -o pipefail; {line}")
    assert (ran.returncode, ran.stdout, ran.stderr.decode()) == (
        2, b"", f"error: scored and rejected rows cannot both go to {named}\n"
    )  # fmt: skip
    assert not Path("both.csv").exists() or Path("both.csv").read_bytes() == b""


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("score day.csv >> day.csv", "-"),
        ("score - /dev/stdout < day.csv 1<> day.csv", "-"),
        ("score day.csv /dev/fd/3 3>> day.csv", "/dev/fd/3"),
        ("score pipe pipe", "pipe"),
    ],
)
def test_the_input_is_never_written_while_it_is_read(line: str, named: str) -> None:
    os.mkfifo("pipe")
    ran = shell(line)
    assert (ran.returncode, ran.stderr.decode()) == (
        2, f"error: scored rows cannot go to {named}, which is the input, while it is read; name a file\n"
    )  # fmt: skip
    assert Path("day.csv").read_bytes() == HEADER + ROWS


def test_the_rejected_rows_never_replace_what_standard_input_reads() -> None:
    Path("day.csv").write_bytes(HEADER + ROWS + BAD)
    for rejected in ("day.csv", "/dev/fd/3"):
        ran = shell(f"score - out.csv --rejected {rejected} < day.csv 3>> day.csv")
        assert (ran.returncode, ran.stderr.decode()) == (
            2, f"error: rejected rows cannot go to {rejected}, which is the input; name another with --rejected\n"
        )  # fmt: skip
    assert (files(), Path("day.csv").read_bytes()) == (["day.csv"], HEADER + ROWS + BAD)


def test_what_standard_input_reads_may_be_scored_in_its_place() -> None:
    assert shell("score - day.csv < day.csv").returncode == 0
    assert Path("day.csv").read_bytes() == SCORED


@pytest.mark.parametrize("output", ["link.csv", "/dev/fd/3", "/proc/self/fd/1", "null.csv"])
def test_what_is_no_file_has_no_place_beside_it_for_rejected_rows(output: str) -> None:
    Path("day.csv").write_bytes(HEADER + ROWS + BAD)
    Path("link.csv").symlink_to("/dev/stdout")  # a mistake here would write beside the link, and not in /dev
    Path("null.csv").symlink_to("/dev/null")
    ran = shell(f"score day.csv {output} 3>&1")
    no_place(ran)
    assert ran.stdout == (b"" if output == "null.csv" else SCORED)
    assert files() == ["day.csv", "link.csv", "null.csv"]
    ran = shell(f"score day.csv {output} --rejected aside.csv 3>&1")
    assert (ran.returncode, Path("aside.csv").read_bytes()) == (0, REJECTED)


def test_only_files_and_objects_have_a_place_beside_them() -> None:
    for name in ("-", "/dev/stdout", "/dev/stderr", "/dev/fd/3", "/dev/fd/9", "/dev/null", "/dev/full", "/dev/tty"):
        assert goes_out_at_once(name), name
    for name in ("day.csv", "new.csv", "s3://bucket/key", "none/out.csv"):
        assert not goes_out_at_once(name), name


def test_a_named_pipe_takes_scored_rows_and_has_no_place_beside_it() -> None:
    Path("day.csv").write_bytes(HEADER + ROWS + BAD)
    os.mkfifo("pipe")
    ran = shell("cat pipe & score day.csv pipe; rc=$?; wait; exit $rc")
    no_place(ran)
    assert (ran.stdout, files()) == (SCORED, ["day.csv", "pipe"])


def test_a_named_pipe_takes_rejected_rows_and_ends_where_there_are_none() -> None:
    os.mkfifo("pipe")
    for rows, expected in ((BAD, REJECTED), (b"", b"")):
        Path("day.csv").write_bytes(HEADER + ROWS + rows)
        ran = shell("cat pipe & score day.csv out.csv --rejected pipe; rc=$?; wait; exit $rc")
        assert (ran.returncode, ran.stdout, Path("out.csv").read_bytes()) == (0, expected, SCORED)
    assert files() == ["day.csv", "out.csv", "pipe"]


def test_commands_of_the_shell_take_scored_and_rejected_rows() -> None:
    Path("day.csv").write_bytes(HEADER + ROWS + BAD)
    ran = shell("{ score day.csv >(cat) --rejected >(sed 's/^/rejected: /'); echo rc=$? >&2; } | cat")
    marked = b"".join(b"rejected: " + line + b"\n" for line in REJECTED.splitlines())
    assert ran.stdout in (SCORED + marked, marked + SCORED), ran.stderr
    assert ran.stderr.endswith(b"rc=0\n")
    ran = shell("{ score day.csv >(cat); echo rc=$? >&2; } | cat")
    assert ran.stdout == SCORED
    assert ran.stderr.endswith(b"error: the rejected rows were not kept; say where they go with --rejected\nrc=2\n")
    assert files() == ["day.csv"]


def test_when_nobody_reads_a_pipe_any_more_the_other_output_is_taken_back() -> None:
    Path("day.csv").write_bytes(HEADER + BAD + ROWS * 100_000)
    os.mkfifo("pipe")
    for line in (
        "head -c 10 pipe & score day.csv pipe --rejected aside.csv",
        "head -c 10 pipe & score day.csv pipe --rejected aside.csv >&-",
        "score day.csv >(head -c 10) --rejected aside.csv",
        "set -o pipefail; score day.csv /dev/stdout --rejected aside.csv | head -c 10",
    ):
        ran = shell(f"{line}; rc=$?; wait; exit $rc")
        assert (ran.returncode, ran.stdout, ran.stderr) == (
            1,
            HEADER[:10],
            b"error: nobody reads the output any more\n",
        )
        assert files() == ["day.csv", "pipe"]


@pytest.mark.parametrize("output", ["/dev/fd/3", "/dev/fd/9", "/dev/fd/99999999999", "/dev/stdin"])
def test_a_descriptor_that_cannot_be_written_is_told(output: str) -> None:
    Path("other.csv").write_bytes(b"older")
    for line in (f"score day.csv {output}", f"score day.csv out.csv --rejected {output}"):
        ran = shell(f"{line} 3< other.csv < other.csv")
        assert (ran.returncode, ran.stderr.decode()) == (
            2, f"error: {output} is not open for writing; name a file, or - for standard output\n"
        )  # fmt: skip
    assert (files(), Path("other.csv").read_bytes()) == (["day.csv", "other.csv"], b"older")


def test_a_file_that_another_process_has_open_is_not_written_by_its_number() -> None:
    ran = shell("exec 3> out.csv; echo before >&3; score day.csv /proc/$$/fd/3; rc=$?; echo after >&3; exit $rc")
    assert (ran.returncode, Path("out.csv").read_bytes()) == (2, b"before\nafter\n")
    assert ran.stderr.endswith(b"/fd/3 is of another process; name the file itself, or - for standard output\n")


def test_a_full_device_is_the_environments_failure(told: Callable[[], str]) -> None:
    assert main(["--model", "bucket", "day.csv", "/dev/full"]) == 1
    assert told() == "error: No space left on device"
    assert main(["--model", "bucket", "day.csv", "out.csv", "--rejected", "/dev/full"]) == 0
    Path("day.csv").write_bytes(HEADER + ROWS + BAD)
    assert main(["--model", "bucket", "day.csv", "out.csv", "--rejected", "/dev/full"]) == 1


def test_a_file_scored_in_its_place_stays_where_its_rejected_rows_cannot_be_kept() -> None:
    Path("day.csv").write_bytes(HEADER + ROWS + BAD)
    assert main(["--model", "bucket", "day.csv", "day.csv", "--rejected", "/dev/full"]) == 1
    assert Path("day.csv").read_bytes() == HEADER + ROWS + BAD
    assert files() == ["day.csv"]


@pytest.mark.parametrize(
    ("closed", "line"),
    [("<&-", "standard input is closed; name a file to read"),
     (">&-", "standard output is closed; name a file to write")],
)  # fmt: skip
def test_a_stream_that_is_closed_is_told(closed: str, line: str) -> None:
    ran = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m functions.score --model bucket - - {closed}"],
        stdin=subprocess.DEVNULL, capture_output=True, env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    assert (ran.returncode, ran.stderr.decode()) == (2, f"error: {line}\n")


def test_a_name_as_long_as_a_name_can_be_is_written() -> None:
    name = "数" * 83 + ".csv"
    assert main(["--model", "bucket", "day.csv", name, "--rejected", "aside.csv"]) == 0
    assert Path(name).read_bytes() == SCORED


def test_what_is_no_file_takes_scored_and_rejected_rows_alike(told: Callable[[], str]) -> None:
    assert main(["--model", "bucket", "--rejected", "/dev/null", "day.csv", "/dev/null"]) == 0
    assert told() == f"2 of 2 rows scored by {MODEL} to /dev/null"


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


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["day.csv"], "day.csv is taken for the model where --model names none; name a CSV, too"),
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


def test_with_standard_error_closed_standard_output_holds_rows_alone() -> None:
    ran = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m functions.score bucket day.csv 2>&-"],
        capture_output=True, env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, SCORED, b"")


@pytest.mark.parametrize("source", ["pipe", "-"])
def test_a_signal_stops_it_while_it_waits_for_rows_and_leaves_nothing_behind(source: str) -> None:
    os.mkfifo("pipe")
    with subprocess.Popen(
        ["sh", "-c", f"exec {sys.executable} -m functions.score --model bucket {source} out.csv"
         + (" < pipe" if source == "-" else "")],
        stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(PROJECT)},
    ) as process:  # fmt: skip
        try:
            pipe = opened_by_its_reader(process)
            os.write(pipe, HEADER + ROWS)
            until_it_is_read(pipe)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=60)
            os.close(pipe)
        finally:
            process.kill()
    assert (process.returncode, errors.decode()) == (143, "error: stopped\n")
    assert files() == ["day.csv", "pipe"]


def until_it_is_read(pipe: int) -> None:
    left = bytearray(4)
    while fcntl.ioctl(pipe, termios.FIONREAD, left) == 0 and any(left):
        time.sleep(0.01)


def opened_by_its_reader(process: subprocess.Popen[bytes]) -> int:
    """The writing end of `pipe`, once the process reads it; its model is loaded then."""
    while process.poll() is None:
        try:
            return os.open("pipe", os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody reads it yet
            time.sleep(0.01)
    raise AssertionError(process.communicate())


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
