"""The command line between what is no plain file: standard streams, other descriptors, pipes, devices."""

import fcntl
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

from functions.score import main
from functions.scoring.files import NoTarget, goes_out_at_once
from tests.conftest import PROJECT
from tests.integration.score.command import BAD, HEADER, MODEL, REJECTED, ROWS, SCORED, command, files, shell


def no_place(ran: subprocess.CompletedProcess[bytes]) -> None:
    """Rejected rows were told, and nowhere to go; nothing was made up beside what is no file."""
    assert ran.returncode == 2
    assert ran.stderr.decode().splitlines()[1:] == [
        "error: the rejected rows were not kept; say where they go with --rejected"
    ]


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


def test_what_is_no_file_takes_scored_and_rejected_rows_alike(told: Callable[[], str]) -> None:
    assert main(["--model", "bucket", "--rejected", "/dev/null", "day.csv", "/dev/null"]) == 0
    assert told() == f"2 of 2 rows scored by {MODEL} to /dev/null"


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
