"""`fit` as SageMaker runs a training container: settings and data from files, the reason of a failure into one.

Sources: Amazon SageMaker Developer Guide, "How Amazon SageMaker Runs Your Training Image" (`docker run image train`,
SIGTERM and 120 seconds), "How Amazon SageMaker Provides Training Information" (hyperparameters: texts by name;
channels: folders), "How Amazon SageMaker Processes Training Output" (model, failure). It knows no store.
"""

import gzip
import json
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from training.endings import Failure, Mistake

ROOT = Path("/opt/ml")
CHANNEL = "train"
MODEL = "model.joblib"
LONGEST_REASON = 1024  # characters that DescribeTrainingJob shows
SDKS_OWN = ("sagemaker_", "_tuning_")
"""How the names begin that SageMaker's SDK and its tuning put among the hyperparameters."""
GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"


@dataclass(frozen=True, slots=True)
class Option:
    """One option of `fit`. name: without dashes. flags: how it is written; off: how its opposite is, if it has one."""

    name: str
    flag: str
    off: str | None
    is_flag: bool
    multiple: bool


def train(options: Sequence[Option], fit: Callable[[list[str]], tuple[int, str]], root: Path = ROOT) -> tuple[int, str]:
    """Runs `fit` with the words that the files under `root` mean; gives its exit code and last line.

    A failure's line is also written to the failure file. Raises Failure where even that cannot be.
    """
    try:
        with _table(root / "input" / "data" / CHANNEL) as table:
            code, line = fit([str(table), *_words(_hyperparameters(root), options, root)])
    except Mistake as mistake:
        code, line = 2, f"error: {mistake}"
    if code and line:
        try:
            (root / "output").mkdir(parents=True, exist_ok=True)
            (root / "output" / "failure").write_text(line[:LONGEST_REASON])
        except OSError as error:
            raise Failure(f"{line}; and {root / 'output' / 'failure'} cannot be written: {error.strerror}") from error
    return code, line


def _hyperparameters(root: Path) -> dict[str, str]:
    path = root / "input" / "config" / "hyperparameters.json"
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise Mistake(f"there is no {path}; as `train` this runs in SageMaker, elsewhere say fit") from None
    except (OSError, ValueError) as error:
        raise Mistake(f"{path} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise Mistake(f"{path} is no JSON object of texts")
    return {str(name): value if isinstance(value, str) else json.dumps(value) for name, value in found.items()}


def _words(given: dict[str, str], options: Sequence[Option], root: Path) -> list[str]:
    """The command line that the hyperparameters mean; plain files into the model folder where no store is named."""
    known = {option.name: option for option in options}
    words: list[str] = []
    names = set()
    for written, value in given.items():
        if written.startswith(SDKS_OWN):
            continue
        name = written.replace("_", "-")
        if name not in known:
            raise Mistake(f"there is no hyperparameter {written!r}; there are {', '.join(sorted(known))}")
        names.add(name)
        words += _option(known[name], _plain(value))
    return words if names & {"store", "output"} else [*words, "--output", str(root / "model" / MODEL)]


def _option(option: Option, value: str) -> list[str]:
    if option.is_flag:
        if value.lower() not in ("true", "false"):
            raise Mistake(f"the hyperparameter {option.name!r} is {value!r}; set it to true or false")
        if value.lower() == "true":
            return [option.flag]
        return [option.off] if option.off else []
    values = _several(value) if option.multiple else [value]
    return [f"{option.flag}={one}" for one in values]


def _plain(value: str) -> str:
    """SageMaker's SDK writes a text as it is, or as JSON, in quotes."""
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return found if isinstance(found, str) else value


def _several(value: str) -> list[str]:
    """A JSON list of texts, else one text."""
    try:
        found = json.loads(value)
    except ValueError:
        return [value]
    return [str(one) for one in found] if isinstance(found, list) else [value]


@contextmanager
def _table(folder: Path) -> Iterator[Path]:
    """The one file of the channel; several CSV files, which have the same header, as one. Raises Mistake."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    if not files:
        raise Mistake(f"there is no file in {folder}; give the job a channel named {CHANNEL!r} with a table in it")
    if len(files) == 1:
        yield files[0]
        return
    with tempfile.NamedTemporaryFile(prefix="train-", suffix=".csv") as joined:
        for index, path in enumerate(files):
            header, rows = _parts(path)
            if index == 0:
                first = header
                joined.write(header)
            elif header.strip() != first.strip():
                raise Mistake(f"{path} begins with another header than {files[0]}; give files of the same columns")
            joined.write(rows if not rows or rows.endswith(b"\n") else rows + b"\n")
        joined.flush()
        yield Path(joined.name)


def _parts(path: Path) -> tuple[bytes, bytes]:
    """Its first line, with the line's end, and all others."""
    body = path.read_bytes()
    try:
        body = gzip.decompress(body) if body.startswith(GZIP) else body
    except (OSError, EOFError, zlib.error) as error:
        raise Mistake(f"{path}: the gzip data is broken or cut off ({error}); make the file anew") from None
    if body.startswith(PARQUET):
        raise Mistake(f"{path} is Parquet, and there are several files; give one Parquet file, or CSV files")
    header, end, rows = body.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
    if header.count(b'"') % 2:
        raise Mistake(f"{path}: a column's name goes over a line's end; give one file, or names of one line")
    return header + (end or b"\n"), rows
