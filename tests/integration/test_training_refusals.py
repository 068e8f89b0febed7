"""What training refuses: one whole line on standard error, the right exit code, nothing published, no alias moved."""

import gzip
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from functions.errors import StoreUnavailable
from functions.registry.folder import FolderStore
from functions.registry.store import Stat
from tests.models import publish_iris
from tests.permissions import read_only, readable_folder, unprivileged
from tests.training_runs import IRIS, LINE, PROJECT, VERSION, Run, everything_in, table, train
from training import destinations, run
from training.cli import main

MISTAKE, ENVIRONMENT = 2, 1
HELP = "; see python -m training fit --help"


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """A folder store in which the model m has a live version."""
    folder = tmp_path / "bucket"
    publish_iris(FolderStore(folder), name="m")
    return folder


@pytest.fixture
def unchanged(bucket: Path) -> Iterator[None]:
    """At the end of the test the store holds what it held."""
    before = everything_in(FolderStore(bucket))
    yield
    assert everything_in(FolderStore(bucket)) == before
    assert [path.name for path in (bucket / ".store").iterdir()] == ["lock"]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    found = train(capsys, *arguments)
    assert "published" not in found.out
    return found.code, found.err


def few(column: str) -> str:
    return f"mend it, read the column as texts with --type {column}=category, or leave it out with --drop {column}"


ANOTHER_SEPARATOR = "mend the line, or name the separator with --separator"
TABLES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty; give a CSV with a header and rows"),
    "blank": (b"\n\n", "the file is empty; give a CSV with a header and rows"),
    "header only": (b"a,b,y\n", "the file has a header and no rows; there is nothing to learn from"),
    "no target": (
        table([], header="a,b,Y").encode(),
        "there is no column 'y' for --target; the columns are a, b, Y",
    ),
    "near target": (
        table([], header="a,b,yy").encode(),
        "there is no column 'y' for --target; the columns are a, b, yy; did you mean 'yy'?",
    ),
    "only the target": (
        b"y\np\nq\n",
        "there is no column beside 'y' to learn from; is the separator right? (--separator)",
    ),
    "another separator": (
        table([]).replace(",", "|").encode(),
        "there is no column 'y' for --target; the columns are a|b|y",
    ),
    "repeated name": (
        table([], header="a,a,y").encode(),
        "there is more than one column 'a'; rename them, so that each name stands once",
    ),
    "repeated target": (
        table([], header="a,y,y").encode(),
        "there is more than one column 'y'; rename them, so that each name stands once",
    ),
    "repeated after trimming": (
        table([], header="a, a ,y").encode(),
        "there is more than one column 'a'; rename them, so that each name stands once",
    ),
    "no name": (table([], header=",b,y").encode(), "column 1 has no name; name it, or leave it out with --drop ''"),
    "single class": (
        b"a,y\n" + b"1,p\n2,p\n" * 6,
        "the target 'y' has a single class, 'p'; at least two are needed to tell apart",
    ),
    "no class": (b"a,y\n1,\n2,NA\n", "the target 'y' is missing in every row; there is nothing to learn from"),
    "fewer rows than folds": (
        table(["1,2,r", "2,3,r"]).encode(),
        "class 'r' of 'y' has 2 rows, and 3 folds need at least 3 of each class; add rows, or leave the class out",
    ),
    "nothing but a count of the rows": (
        ("a,y\n" + "".join(f"{n},{n / 7}\n" for n in range(30))).encode(),
        "no column beside 'y' is left to learn from: 'a': it counts the rows; --type a=number keeps it",
    ),
    "text": (table(["abc,2,p"]).encode(), f"line {LINE}, column 'a': found 'abc', expected a number; {few('a')}"),
    "texts": (
        table(["1,x y,p", "z,2,p"], header="a b,c,y").encode(),
        f"line {LINE + 1}, column 'a b': found 'z', expected a number; " + few("'a b'"),
    ),
    "several texts": (
        table(["1,x,p", "1,y,p"]).encode(),
        f"line {LINE}, column 'b': found 'x', expected a number (and 1 more such cell); {few('b')}",
    ),
    "decimal commas": (
        (b"a;b;y\n" + b"1,5;1;p\n2,25;2;q\n" * 5),
        f"line 2, column 'a': found '1,5', expected a number (and 9 more such cells); {few('a')}",
    ),
    "text after a quoted line end": (
        table(['"\n1",2,p', "1,2,p", "1,two,p"]).encode(),
        f"line {LINE}, column 'a': found '\\n1', expected a number; {few('a')}",
    ),
    "infinite": (
        table(["1,inf,p"]).encode(),
        f"line {LINE}, column 'b': found 'inf', expected a number; {few('b')}",
    ),
    "beyond float64": (
        table(["1,1e400,p"]).encode(),
        f"line {LINE}, column 'b': found '1e400', expected a number that float64 can hold; {few('b')}",
    ),
    "beyond exactness": (
        table(["1,9007199254740993,p"]).encode(),
        f"line {LINE}, column 'b': found '9007199254740993', "
        f"expected a whole number that float64 can hold exactly; {few('b')}",
    ),
    "thousands": (
        table(["1_000,1,p"]).encode(),
        f"line {LINE}, column 'a': found '1_000', expected a number; {few('a')}",
    ),
    "hexadecimal": (
        table(["0x10,1,p"]).encode(),
        f"line {LINE}, column 'a': found '0x10', expected a number; {few('a')}",
    ),
    "decimal comma": (
        table(['"1,5",1,p']).encode(),
        f"line {LINE}, column 'a': found '1,5', expected a number; {few('a')}",
    ),
    "boolean": (
        table(["true,1,p"]).encode(),
        f"line {LINE}, column 'a': found 'true', expected a number; {few('a')}",
    ),
    "long text": (
        table(["x" * 100 + ",1,p"]).encode(),
        f"line {LINE}, column 'a': found '{'x' * 79}…', expected a number; {few('a')}",
    ),
    "too large": (
        b"a,b,y\n" + b"1,1e308,p\n2,-1.5e308,q\n" * 5,
        "column 'b': its numbers are too large for float64 to average; scale them down",
    ),
    "short row": (table(["1,2"]).encode(), f"line {LINE} has 2 cells, the header has 3; {ANOTHER_SEPARATOR}"),
    "long row": (table(["1,2,p,4"]).encode(), f"line {LINE} has 4 cells, the header has 3; {ANOTHER_SEPARATOR}"),
    "unclosed quote": (
        table(['"1,2,p']).encode(),
        f"line {LINE}: a quote is opened here and never closed; close it",
    ),
    "text after a quote": (
        table(['"1"5,2,p']).encode(),
        f"line {LINE}: there is text after a closing quote; write quotes inside a quoted cell twice",
    ),
    "CR alone": (
        table([]).replace("\n", "\r").encode(),
        "line 1: a line ends in CR alone; save the file with LF or CRLF line ends",
    ),
    "UTF-16": (table([]).encode("utf-16"), "the file is UTF-16, or binary; save it as CSV in UTF-8"),
    "UTF-16 without a mark": (table([]).encode("utf-16-le"), "the file is UTF-16, or binary; save it as CSV in UTF-8"),
    "Latin-1": (
        table(["1,2,é"]).encode("latin-1"),
        f"line {LINE} is not UTF-8 (byte 0xe9); save the file as UTF-8",
    ),
    "broken gzip": (
        gzip.compress(table([]).encode())[:-9],
        "the gzip data is broken or cut off; make the file anew",
    ),
    "gzip of nothing": (gzip.compress(b""), "the file is empty; give a CSV with a header and rows"),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_cannot_be_learnt_from_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, bucket: Path, name: str
) -> None:
    content, message = TABLES[name]
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    found = refused(capsys, path, "--target", "y", "--name", "m", "--store", bucket)
    if message.startswith("column 'b': its"):  # said of the numbers, after the file was read
        assert found == (MISTAKE, f"error: {message}\n")
    else:
        assert found == (MISTAKE, f"error: {path}: {message}\n")


@pytest.mark.usefixtures("unchanged")
def test_features_of_which_none_varies_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, bucket: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b,y\n" + "1,2,p\n1,2,q\n" * 5)
    found = refused(capsys, path, "--target", "y", "--name", "m", "--store", bucket)
    assert found == (MISTAKE, f"error: {path}: no feature varies; there is nothing to learn from\n")


OK = "OK"  # stands for a good table
ARGUMENTS: dict[str, tuple[list[str], str]] = {
    "nothing": ([], f"Missing argument 'TABLE'{HELP}"),
    "no target": ([OK, "--name", "m", "--store", "BUCKET"], f"Missing option '--target'{HELP}"),
    "nowhere": (
        [OK, "--target", "y"],
        "say where to publish: --store s3://bucket[/prefix] or a folder, or --output model.joblib",
    ),
    "both": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--output", "m.joblib"],
        "give --store or --output, not both",
    ),
    "no name": ([OK, "--target", "y", "--store", "BUCKET"], "--store needs --name, the model's name in the registry"),
    "bad name": (
        [OK, "--target", "y", "--name", "a/b", "--store", "BUCKET"],
        "'a/b' is no model name; use letters, digits, dots, dashes and underscores",
    ),
    "bad alias": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--alias", "../live"],
        "'../live' is no alias; use letters, digits, dots, dashes and underscores",
    ),
    "no store": (
        [OK, "--target", "y", "--name", "m", "--store", "gs://b"],
        "'gs://b' is not a store; write s3://bucket[/prefix] or file:///folder",
    ),
    "bad output": (
        [OK, "--target", "y", "--output", "model.pkl"],
        "--output model.pkl must end in .joblib",
    ),
    "bad seed": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--seed", "-1"],
        f"Invalid value for '--seed': Input should be greater than or equal to 0{HELP}",
    ),
    "bad separator": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--separator", ", "],
        "--separator is ', '; set it to one ASCII character that no number holds (no letter, digit, sign, dot, "
        "quote or space), or tab, comma, semicolon",
    ),
    "unknown option": (
        [OK, "--target", "y", "--name", "m", "--stroe", "BUCKET"],
        f"No such option: --stroe (Possible options: --store, --target, --test-share){HELP}",
    ),
    "unknown drop": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--drop", "c"],
        "OK: there is no column 'c' to drop; the columns are a, b, y",
    ),
    "dropped target": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--drop", "y"],
        "OK: 'y' is the target and cannot be dropped",
    ),
    "everything dropped": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--drop", "a", "--drop", "b"],
        "OK: there is no column beside 'y' to learn from; is the separator right? (--separator)",
    ),
    "no file": (["MISSING", "--target", "y", "--name", "m", "--store", "BUCKET"], "there is no file MISSING"),
    "a group that is not there": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--group", "c"],
        "OK: there is no column 'c' for --group; the columns are a, b, y",
    ),
    "two parts for one column": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--weight", "y"],
        "OK: 'y' is the target and cannot be --weight as well",
    ),
    "group and time": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--group", "a", "--time", "b"],
        "give --group or --time, not both",
    ),
    "a feature and dropped": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--features", "a", "--drop", "a"],
        "OK: 'a' is given to --features and to --drop; leave out one",
    ),
    "an unknown type": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--type", "a=text"],
        "--type is 'a=text'; write column=kind, with number, boolean, category for a kind",
    ),
    "a type that does not fit": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--type", "a=boolean"],
        "OK: line 2, column 'a': found '0.5', expected true or false (and 11 more such cells); "
        "mend it, name another kind with --type a=, or leave it out with --drop a",
    ),
    "an unknown task": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--task", "ranking"],
        "--task is 'ranking'; write classification or regression",
    ),
    "a class that is not there": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--positive-class", "r"],
        "--positive-class is 'r'; the classes are 'p' and 'q'",
    ),
    "too large a share": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--test-share", "1"],
        "--test-share is 1; give a share of the rows from 0 to less than 1",
    ),
    "models and a pipeline": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--models", "--pipeline", "a:b"],
        "give --models or --pipeline, not both",
    ),
    "no jobs": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--jobs", "0"],
        "--jobs is 0; give a number of processes, or -1 for one on each core",
    ),
    "jobs and a cluster": (
        [OK, "--target", "y", "--name", "m", "--store", "BUCKET", "--jobs", "2", "--scheduler", "tcp://x:1"],
        "give --jobs or --scheduler, not both",
    ),
    "an object without a key": (
        ["s3://bucket", "--target", "y", "--name", "m", "--store", "BUCKET"],
        "s3://bucket names no object; write s3://bucket/key",
    ),
    "a folder": (
        ["FOLDER", "--target", "y", "--name", "m", "--store", "BUCKET"],
        "FOLDER is a folder; name a CSV file in it",
    ),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_cannot_be_meant_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, bucket: Path, name: str
) -> None:
    arguments, message = ARGUMENTS[name]
    good = tmp_path / "table.csv"
    good.write_text(table([]))
    stands_for = {OK: str(good), "BUCKET": str(bucket), "MISSING": str(tmp_path / "missing"), "FOLDER": str(tmp_path)}
    for word, meant in stands_for.items():
        message = message.replace(word, meant)
    found = refused(capsys, *(stands_for.get(argument, argument) for argument in arguments))
    assert found == (MISTAKE, f"error: {message}\n")


@pytest.mark.parametrize("arguments", [[], ["frobnicate"], ["--nothing"]])
def test_without_a_command_it_is_refused_with_one_line(
    capsys: pytest.CaptureFixture[str], arguments: Sequence[str]
) -> None:
    assert main(arguments) == MISTAKE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert (printed.err.startswith("error: "), printed.err.count("\n")) == (True, 1)


def test_a_file_that_may_not_be_read_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    train(capsys, IRIS, "--target", "species", "--output", tmp_path / "warm.joblib")  # so that all is imported
    with readable_folder() as folder:
        path = folder / "table.csv"
        path.write_text(table([]))
        path.chmod(0)
        folder.chmod(0o755)
        with unprivileged():
            found = refused(capsys, path, "--target", "y", "--output", folder / "m.joblib")
    assert found == (MISTAKE, f"error: {path} cannot be read: Permission denied\n")


@pytest.mark.parametrize("kind", ["store", "output"])
def test_a_folder_that_may_not_be_written_fails_before_the_fit(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str
) -> None:
    train(capsys, IRIS, "--target", "species", "--output", tmp_path / "warm.joblib")  # so that all is imported
    with readable_folder() as folder:
        path = folder / "table.csv"
        path.write_text(table([]))
        publish_iris(FolderStore(folder), name="m")
        before = everything_in(FolderStore(folder))
        where: list[str | Path]
        where = ["--store", folder, "--name", "m"] if kind == "store" else ["--output", folder / "new" / "m.joblib"]
        with read_only(folder):
            found = train(capsys, path, "--target", "y", *where)
        assert everything_in(FolderStore(folder)) == before
    said = {
        "store": f"no permission to write models/m/versions/VERSION/manifest.json in {folder.as_uri()}",
        "output": f"{folder} cannot be written; give --output another folder, or mend its permissions",
    }
    assert (found.code, without_version(found.err)) == (ENVIRONMENT, f"error: {said[kind]}\n")
    assert "fitting" not in found.out


@pytest.mark.parametrize("kind", ["store", "output"])
def test_a_file_where_a_folder_should_be_fails_before_the_fit(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(table([]))
    where: list[str | Path]
    where = ["--store", path / "in", "--name", "m"] if kind == "store" else ["--output", path / "in" / "m.joblib"]
    found = train(capsys, path, "--target", "y", *where)
    key = "models/m/versions/VERSION/manifest.json"
    said = {
        "store": f"{(path / 'in').as_uri()}: {key} cannot be written: Not a directory",
        "output": f"{path} is not a folder; nothing can be written there",
    }
    assert (found.code, without_version(found.err)) == (ENVIRONMENT, f"error: {said[kind]}\n")
    assert "fitting" not in found.out


class FailsLate(FolderStore):
    """A folder whose disk is full once the manifest, or the alias, comes to be written for good."""

    fails_at = ""

    def put(self, key: str, body: bytes, *, create: bool = False, if_match: str | None = None) -> Stat:
        if key.endswith(self.fails_at) and body:
            raise StoreUnavailable("No space left on device")
        return super().put(key, body, create=create, if_match=if_match)


def late(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path, fails_at: str) -> Run:
    store = FailsLate(folder)
    store.fails_at = fails_at
    monkeypatch.setattr(run, "open_store", lambda _url: store)
    return train(capsys, IRIS, "--target", "species", "--name", "m", "--store", folder)


def test_a_store_that_fails_at_the_manifest_leaves_no_version(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, bucket: Path
) -> None:
    before = everything_in(FolderStore(bucket))
    found = late(capsys, monkeypatch, bucket, "manifest.json")
    after = everything_in(FolderStore(bucket))
    assert (found.code, found.err) == (ENVIRONMENT, "error: No space left on device\n")
    assert {key: after[key] for key in before} == before
    assert [key for key in after if key.endswith("manifest.json")] == [
        key for key in before if key.endswith("manifest.json")
    ]


def test_a_store_that_fails_at_the_alias_says_that_the_version_is_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, bucket: Path
) -> None:
    before = FolderStore(bucket).get("models/m/aliases/live.json").body
    found = late(capsys, monkeypatch, bucket, "aliases/live.json")
    message = "error: m VERSION is published, but live was not moved: No space left on device\n"
    assert (found.code, without_version(found.err)) == (ENVIRONMENT, message)
    assert FolderStore(bucket).get("models/m/aliases/live.json").body == before


def test_an_alias_that_cannot_be_read_fails_before_the_fit(capsys: pytest.CaptureFixture[str], bucket: Path) -> None:
    FolderStore(bucket).put("models/m/aliases/live.json", b"{}")
    found = train(capsys, IRIS, "--target", "species", "--name", "m", "--store", bucket)
    message = "error: the alias live of m cannot be read: Object missing required field `version`\n"
    assert (found.code, found.err) == (ENVIRONMENT, message)
    assert "fitting" not in found.out


@pytest.mark.usefixtures("unchanged")
def test_a_traceback_is_shown_only_where_it_is_asked_for(bucket: Path) -> None:
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "training",
        "fit",
        "missing.csv",
        "--target",
        "y",
        "--name",
        "m",
        "--store",
        bucket,
    ]
    plain, debug = (
        subprocess.run([*command, *more], cwd=PROJECT, capture_output=True, text=True) for more in ([], ["--debug"])
    )
    assert (plain.returncode, plain.stdout, plain.stderr) == (MISTAKE, "", "error: there is no file missing.csv\n")
    assert (debug.returncode, debug.stdout) == (MISTAKE, "")
    assert debug.stderr.startswith("Traceback (most recent call last):\n")
    assert debug.stderr.endswith("\nerror: there is no file missing.csv\n")


def test_a_defect_is_one_line_too_and_asks_to_be_reported(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(destinations.PlainFiles, "check", broken)
    found = train(capsys, IRIS, "--target", "species", "--output", tmp_path / "m.joblib")
    assert (found.code, found.err) == (
        ENVIRONMENT,
        "error: ZeroDivisionError: division by zero; this is a defect, please report it with what --debug shows\n",
    )


def without_version(text: str) -> str:
    return re.sub(VERSION, "VERSION", text)
