"""A bare `.joblib` on trust: what is scored with it, what is told of it, and what is refused all the same."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier

from functions.registry.digest import sha256
from functions.score import main
from tests.models import iris_pipeline, mixed_pipeline, regression_pipeline

HEADER = b"sepal_length,sepal_width,petal_length,petal_width\n"
ROWS = b"5.1,3.5,1.4,0.2\n6.3,2.5,6.0,2.5\n"
SCORED = (
    b"sepal_length,sepal_width,petal_length,petal_width,prediction\n5.1,3.5,1.4,0.2,setosa\n6.3,2.5,6.0,2.5,virginica\n"
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BATCH_MAX_REJECTED_SHARE", raising=False)
    Path("day.csv").write_bytes(HEADER + ROWS)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """What standard error was told, line by line, without the time it took."""

    def read() -> list[str]:
        return [
            line.rpartition(" in ")[0] if line.endswith(" s") else line for line in capsys.readouterr().err.splitlines()
        ]

    return read


def score(*arguments: str) -> int:
    return main(["--model", "m.joblib", "--trust", *arguments])


def test_a_bare_pipeline_is_scored_with_and_what_is_unchecked_is_told(told: Callable[[], list[str]]) -> None:
    joblib.dump(iris_pipeline(), "m.joblib")
    digest = sha256(Path("m.joblib").read_bytes())
    assert score("day.csv", "out.csv") == 0
    assert told() == [
        f"warning: m.joblib was unpickled on trust, without a manifest. Unchecked: digest (it has SHA-256 {digest}), "
        "golden rows (none to replay), types (all columns as numbers), missing values (left to the pipeline), "
        "ranges and categories that training saw",
        f"2 of 2 rows scored by m sha256:{digest[:12]} to out.csv",
    ]
    assert Path("out.csv").read_bytes() == SCORED


def test_texts_and_booleans_are_told_by_the_encoders_inside(told: Callable[[], list[str]]) -> None:
    joblib.dump(mixed_pipeline(), "m.joblib")
    table = pd.DataFrame({"age": [22.0, 70.0, np.nan], "city": ["Bern", "007", None], "member": [0.0, 1.0, np.nan]})
    labels = mixed_pipeline().predict(table).tolist()
    Path("day.csv").write_bytes(b"member,id,city,age\n0,a,Bern,22\n1,b,007,70\n,c,,\nyes,d,Bern,22\n")
    assert score("day.csv", "out.csv") == 0
    assert "types ('city' as text, all others as numbers)" in told()[0]
    words = [str(label).lower().encode() for label in labels]
    assert Path("out.csv").read_bytes() == (
        b"member,id,city,age,prediction\n0,a,Bern,22,%s\n1,b,007,70,%s\n,c,,,%s\n" % tuple(words)
    )


def test_a_regression_and_a_search_are_scored_with() -> None:
    joblib.dump(regression_pipeline(), "m.joblib")
    Path("day.csv").write_bytes(b"y,x\n1,2.5\n")
    assert score("day.csv", "out.csv") == 0
    (wanted,) = regression_pipeline().predict(pd.DataFrame({"x": [2.5], "y": [1.0]})).tolist()
    assert Path("out.csv").read_text() == f"y,x,prediction\n1,2.5,{wanted!r}\n"
    table = pd.DataFrame({"x": [0.0, 0.1, 1.0, 1.1]})
    search = GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2).fit(table, [0.0, 0.0, 1.0, 1.0])
    joblib.dump(search, "m.joblib")
    Path("day.csv").write_bytes(b"x\n0\n1\n")
    assert score("--probabilities", "day.csv", "out.csv") == 0
    head, *rows = Path("out.csv").read_text().splitlines()
    assert head == "x,prediction,probability_0,probability_1"
    assert [row.split(",")[:2] for row in rows] == [["0", "0"], ["1", "1"]]


def test_the_pipeline_itself_says_whether_it_takes_a_missing_value() -> None:
    Path("day.csv").write_bytes(HEADER + ROWS + b"5.1,3.5,,0.2\n")
    joblib.dump(iris_pipeline(), "m.joblib")
    assert score("day.csv", "out.csv") == 0
    assert Path("out.csv").read_bytes() == SCORED
    assert Path("out.csv.rejected.csv").read_bytes().startswith(
        b"line,reason,message,record\n4,not_predictable,\"the model refuses this row: Input X contains NaN."
    )  # fmt: skip
    takes = DecisionTreeClassifier(random_state=0).fit(
        pd.DataFrame([[1.0, 1, 1, 1], [2.0, 2, np.nan, 2]], columns=HEADER.decode().strip().split(",")), ["a", "b"]
    )
    joblib.dump(takes, "m.joblib")
    assert score("day.csv", "out.csv") == 0
    assert Path("out.csv").read_bytes().count(b"\n") == 4


def test_trust_skips_no_check_that_a_manifest_allows(told: Callable[[], list[str]]) -> None:
    joblib.dump(iris_pipeline(), "m.joblib")
    Path("m.manifest.json").write_text("{}")
    assert score("day.csv", "out.csv") == 1
    assert told()[0].startswith("error: the manifest is not JSON with a manifest_version")


def of_arrays() -> Any:
    return LogisticRegression().fit([[0.0, 1.0], [1.0, 0.0]], ["a", "b"])


def of_two_targets() -> Any:
    return LinearRegression().fit(pd.DataFrame({"sepal_width": [0.0, 1.0]}), [[0.0, 1.0], [1.0, 2.0]])


NEEDED = "a fitted scikit-learn classifier or regressor with one target is needed"


class Elsewhere:
    """Pickles as an estimator of an older scikit-learn does."""

    def __reduce__(self) -> Any:
        return DecisionTreeClassifier, (), {"_sklearn_version": "1.0.2"}


@pytest.mark.parametrize(
    ("found", "line"),
    [
        ({"model": 1}, f"m.joblib holds a dict; {NEEDED}"),
        (KMeans(), f"m.joblib holds a KMeans; {NEEDED}"),
        (
            LogisticRegression(),
            f"m.joblib holds a LogisticRegression that is not fitted, or has many targets; {NEEDED}",
        ),
        (
            of_arrays(),
            "m.joblib does not know the names of its 2 columns, so no column of a CSV can be told to be one of them; "
            "fit it on a DataFrame (it then has feature_names_in_)",
        ),
        (of_two_targets(), "the pipeline gives 4 numbers for 2 rows; it must give one each"),
        (
            Elsewhere(),
            f"m.joblib was fitted with scikit-learn 1.0.2, and here is {sklearn.__version__}, which may compute "
            f"something else; fit it again with {sklearn.__version__}, or run this where 1.0.2 is installed",
        ),
    ],
    ids=["no estimator", "no predictor", "not fitted", "no names", "two targets", "another version"],
)
def test_what_cannot_be_known_is_refused_with_the_remedy(found: Any, line: str, told: Callable[[], list[str]]) -> None:
    joblib.dump(found, "m.joblib")
    assert score("day.csv", "out.csv") == (1 if "gives" in line else 2)
    assert told()[-1] == f"error: {line}"
    assert not Path("out.csv").exists()


def test_a_file_that_is_no_pickle_is_told(told: Callable[[], list[str]]) -> None:
    Path("m.joblib").write_bytes(pickle.dumps(object)[:-3])
    assert score("day.csv", "out.csv") == 2
    assert told()[-1].startswith("error: m.joblib cannot be unpickled here (")
