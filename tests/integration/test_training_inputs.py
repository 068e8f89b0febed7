"""Where a table may come from: a file, standard input, a bucket; CSV, gzip, Parquet; and what is larger than memory."""

import csv
import gzip
import io
import os
import resource
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from functions.registry.digest import sha256
from functions.registry.manifest import Manifest, decode
from functions.registry.store import open_store
from tests.minio_server import Minio
from tests.tables import customers
from tests.training_runs import IRIS, PROJECT, train
from training.tables import memory

FIT = [sys.executable, "-m", "training", "fit"]


def manifest(folder: Path) -> Manifest:
    return decode((folder / "m.manifest.json").read_bytes())


def as_parquet(path: Path) -> Path:
    """The same rows with types: integers, doubles, booleans, texts, dates."""
    with path.open(newline="") as file:
        rows = [
            {name: None if cell in ("", "NA") else cell for name, cell in row.items()} for row in csv.DictReader(file)
        ]
    frame = pd.DataFrame(rows)
    frame = frame.astype({"age": "int64", "income": "float64", "joined": "datetime64[us]"})
    frame["newsletter"] = frame["newsletter"].map({"true": True, "false": False}).astype("boolean")
    made = path.with_suffix(".parquet")
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), made)
    return made


def test_a_parquet_file_gives_the_model_that_the_csv_gives(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = customers(tmp_path / "customers.csv")
    both = []
    for source in (path, as_parquet(path)):
        done = train(capsys, source, "--target", "stays", "--output", tmp_path / "m.joblib")
        assert (done.code, done.err) == (0, "")
        both.append((manifest(tmp_path).features, manifest(tmp_path).golden, done.out.splitlines()[:11]))
    assert both[0] == both[1]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            pa.array([[1], [2]] * 10),
            "column 'a' holds list<element: int64>, which is no single value; leave it out with --drop",
        ),
        (pa.array([2**53 + 1, 1] * 10), "line 1, column 'a': found '9007199254740993', expected a whole number that"),
        (pa.array([float("inf"), 1.5] * 10), "line 1, column 'a': found 'inf', expected a number"),
    ],
)
def test_a_parquet_column_that_cannot_be_learnt_from_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, column: pa.Array, message: str
) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": column, "y": ["p", "q"] * 10}), path)
    done = train(capsys, path, "--target", "y", "--output", tmp_path / "m.joblib")
    assert done.code == 2
    assert done.err.startswith(f"error: {path}: {message}")


def test_a_broken_parquet_file_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    path.write_bytes(b"PAR1 and no more PAR1")
    done = train(capsys, path, "--target", "y", "--output", tmp_path / "m.joblib")
    assert done.code == 2
    assert done.err.startswith(f"error: {path}: the Parquet file is broken or cut off (")
    assert done.err.endswith("); make it anew\n")


def test_gzip_from_standard_input_is_read_and_the_digest_is_of_what_came(tmp_path: Path) -> None:
    body = gzip.compress(IRIS.read_bytes(), mtime=0)
    command = [*FIT, "-", "--target", "species", "--output", str(tmp_path / "m.joblib")]
    done = subprocess.run(command, cwd=PROJECT, input=body, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert manifest(tmp_path).data.sha256 == sha256(body)
    assert manifest(tmp_path).data.rows == 150


def test_of_nothing_on_standard_input_nothing_can_be_learnt(tmp_path: Path) -> None:
    command = [*FIT, "-", "--target", "y", "--output", str(tmp_path / "m.joblib")]
    done = subprocess.run(command, cwd=PROJECT, input="", capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        2,
        "error: standard input: the file is empty; give a CSV with a header and rows\n",
    )


def test_a_table_in_a_bucket_is_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, minio: Minio, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in minio.environment(minio.root).items():
        monkeypatch.setenv(name, value)
    open_store(f"s3://{bucket}").put("tables/iris.csv.gz", gzip.compress(IRIS.read_bytes()))
    options = ["--target", "species", "--output", str(tmp_path / "m.joblib")]
    done = train(capsys, f"s3://{bucket}/tables/iris.csv.gz", *options)
    assert (done.code, done.err) == (0, "")
    assert manifest(tmp_path).data.rows == 150
    done = train(capsys, f"s3://{bucket}/tables/none.csv", *options)
    assert (done.code, done.err) == (2, f"error: there is no object s3://{bucket}/tables/none.csv\n")


LIMIT = 3 << 30  # bytes of address space; libraries take some of it before a row is read


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_table_larger_than_memory_is_refused_with_what_it_would_take(tmp_path: Path, packed: bool) -> None:
    """A file with holes: it takes no room on the disk, and would take forty times its size in memory."""
    path = tmp_path / "table.csv"
    with path.open("wb") as file:
        file.write(b"a,b,y\n" + b"1,2,p\n2,3,q\n" * 50_000)
        if not packed:
            file.truncate(2 << 30)
    if packed:
        member = gzip.compress(path.read_bytes())
        path.write_bytes(member * 300)
    before = (resource.getrlimit(resource.RLIMIT_AS)[1],)
    done = subprocess.run(
        [*FIT, str(path), "--target", "y", "--output", str(tmp_path / "m.joblib")],
        cwd=PROJECT,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT, *before)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {path}: training on it takes about ")
    assert done.stderr.endswith(" are free; take a sample of the rows, fewer columns, or a larger machine\n")
    assert done.stdout == ""


def test_what_a_table_takes_is_at_least_what_it_took(tmp_path: Path) -> None:
    """Ten numbers a row, all different: the most that a cell can take."""
    text = io.StringIO()
    pd.DataFrame({f"x{at}": pd.Series(range(20_000)) * 1.0001 + at for at in range(10)}).assign(
        y=["p", "q"] * 10_000
    ).to_csv(text, index=False)
    path = tmp_path / "table.csv"
    path.write_text(text.getvalue())
    program = (
        "import resource, sys; from training.cli import main; import training.run, training.parity;"
        "most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024;"
        "before = most();"
        f"code = main(['fit', {str(path)!r}, '--target', 'y', '--output', {str(tmp_path / 'm.joblib')!r}]);"
        "print(code, most() - before)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    code, grown = map(int, done.stdout.splitlines()[-1].split())
    assert code == 0
    assert grown < memory.needed(path.stat().st_size, path.read_bytes()[: memory.SAMPLE])
