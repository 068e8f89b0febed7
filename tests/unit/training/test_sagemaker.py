"""SageMaker's files become the words of `fit`, and what went wrong becomes the failure file."""

import gzip
import json
from pathlib import Path

import pytest

from training.sagemaker import Option, train

OPTIONS = [
    Option("target", "--target", None, False, False),
    Option("store", "--store", None, False, False),
    Option("output", "--output", None, False, False),
    Option("drop", "--drop", None, False, True),
    Option("min-score", "--min-score", None, False, False),
    Option("promote", "--promote", "--no-promote", True, False),
    Option("models", "--models", None, True, False),
]


class Job:
    """/opt/ml of one job, and what `fit` was asked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.words: list[str] = []
        self.table = b""

    def give(self, name: str, body: bytes) -> None:
        path = self.root / "input" / "data" / "train" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def run(self, hyperparameters: object, ends: tuple[int, str] = (0, "")) -> tuple[int, str]:
        path = self.root / "input" / "config" / "hyperparameters.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(hyperparameters))

        def fit(words: list[str]) -> tuple[int, str]:
            self.table, self.words = Path(words[0]).read_bytes(), words[1:]
            return ends

        return train(OPTIONS, fit, self.root)

    @property
    def failure(self) -> str | None:
        path = self.root / "output" / "failure"
        return path.read_text() if path.exists() else None


@pytest.fixture
def job(tmp_path: Path) -> Job:
    made = Job(tmp_path)
    made.give("table.csv", b"a,y\n1,p\n")
    return made


@pytest.mark.parametrize(
    ("hyperparameters", "words"),
    [
        ({"target": "y"}, ["--target=y"]),
        ({"target": '"y"'}, ["--target=y"]),
        ({"target": "-y"}, ["--target=-y"]),
        ({"min_score": "0.9"}, ["--min-score=0.9"]),
        ({"min-score": 0.9}, ["--min-score=0.9"]),
        ({"drop": "a"}, ["--drop=a"]),
        ({"drop": '["a", "b c"]'}, ["--drop=a", "--drop=b c"]),
        ({"promote": "false", "models": "true"}, ["--no-promote", "--models"]),
        ({"promote": "True", "models": "False"}, ["--promote"]),
        ({"sagemaker_program": '"x.py"', "_tuning_objective_metric": '"m"'}, []),
    ],
)
def test_hyperparameters_are_options_and_the_model_goes_where_sagemaker_fetches_it(
    job: Job, hyperparameters: dict[str, object], words: list[str]
) -> None:
    assert job.run(hyperparameters) == (0, "")
    assert job.words == [*words, "--output", str(job.root / "model" / "model.joblib")]
    assert (job.table, job.failure) == (b"a,y\n1,p\n", None)


def test_a_named_store_is_published_to_instead(job: Job) -> None:
    job.run({"target": "y", "store": "s3://bucket"})
    assert job.words == ["--target=y", "--store=s3://bucket"]


def test_several_files_of_one_header_are_one_table_in_the_order_of_their_names(job: Job) -> None:
    job.give("table.csv", b"\xef\xbb\xbfa,y\r\n1,p\r\n")
    job.give("part/zz.csv", b"a,y\n5,q")
    job.give("zz.csv.gz", gzip.compress(b"a,y\n7,q\n"))
    job.give("zzz.csv", b"a,y\n")
    job.give(".hidden", b"nothing")
    assert job.run({}) == (0, "")
    assert job.table == b"a,y\n5,q\n1,p\r\n7,q\n"


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("b.csv", b"b,y\n1,p\n", "begins with another header than"),
        ("b.csv", b'"a\nx",y\n1,p\n', "a column's name goes over a line's end"),
        ("b.csv.gz", gzip.compress(b"a,y\n")[:-4], "the gzip data is broken or cut off"),
        ("b.parquet", b"PAR1", "is Parquet, and there are several files"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(job: Job, name: str, body: bytes, said: str) -> None:
    job.give(name, body)
    code, line = job.run({})
    assert code == 2
    assert str(job.root / "input" / "data" / "train" / name) in line
    assert said in line
    assert job.failure == line


@pytest.mark.parametrize(
    ("hyperparameters", "said"),
    [
        ({"colour": "red"}, "error: there is no hyperparameter 'colour'; there are drop, min-score, models, output, "
         "promote, store, target"),
        ({"promote": "perhaps"}, "error: the hyperparameter 'promote' is 'perhaps'; set it to true or false"),
        ([], "error: ROOT/input/config/hyperparameters.json is no JSON object of texts"),
    ],
)  # fmt: skip
def test_hyperparameters_that_mean_nothing_are_refused(job: Job, hyperparameters: object, said: str) -> None:
    told = said.replace("ROOT", str(job.root))
    assert (job.run(hyperparameters), job.failure) == ((2, told), told)


def test_without_a_table_or_outside_sagemaker_it_says_what_is_missing(tmp_path: Path) -> None:
    channel = tmp_path / "input" / "data" / "train"
    assert Job(tmp_path).run({}) == (
        2, f"error: there is no file in {channel}; give the job a channel named 'train' with a table in it",
    )  # fmt: skip
    elsewhere = Job(tmp_path / "elsewhere")
    elsewhere.give("table.csv", b"a\n")
    path = elsewhere.root / "input" / "config" / "hyperparameters.json"
    assert train(OPTIONS, lambda _: (0, ""), elsewhere.root) == (
        2, f"error: there is no {path}; as `train` this runs in SageMaker, elsewhere say fit",
    )  # fmt: skip


def test_what_fit_ends_with_is_the_failures_reason_as_much_of_it_as_is_shown(job: Job) -> None:
    line = "error: " + "x" * 2000
    assert job.run({}, ends=(1, line)) == (1, line)
    assert job.failure == line[:1024]
