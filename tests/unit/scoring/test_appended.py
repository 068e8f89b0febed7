import csv
import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import RidgeClassifier

from functions import loader
from functions.inference.model import ServedModel
from functions.registry.memory import MemoryStore
from functions.scoring.appended import cell_of
from functions.scoring.loop import Options
from functions.signature import Feature, Label, Signature
from tests.models import publish_model
from tests.unit.scoring.harness import score, served

WITH_PROBABILITIES = Options(1024 * 1024, None, probabilities=True)
FORMULA = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]  # noqa: RUF001 # OWASP, "CSV Injection"
IRIS = b"sepal_length,sepal_width,petal_length,petal_width"


def always(label: Label, other: Label) -> ServedModel:
    """A model of one number that answers `label`, whatever it is asked."""
    return one_number(DummyClassifier(strategy="constant", constant=label), [label, other])


def one_number(pipeline: Any, labels: list[Label]) -> ServedModel:
    pipeline.fit(pd.DataFrame({"x": [0.0, 1.0]}), labels)
    store = MemoryStore()
    classes = pipeline.classes_.tolist()
    signature = Signature("classification", [Feature("x", "float64", False)], "y", classes)
    publish_model(store, pipeline, signature, [[0.0]], name="one")
    return loader.load(store, loader.Reference("one"))


@pytest.mark.parametrize(
    ("label", "cell"),
    [
        ("=1+1", b"'=1+1"),
        ("+cmd", b"'+cmd"),
        ("-x", b"'-x"),
        ("@SUM(A1)", b"'@SUM(A1)"),
        ("\tx", b"'\tx"),
        ("\rx", b'"\'\rx"'),
        ("\nx", b'"\'\nx"'),
        ("\uff1d1", "'\uff1d1".encode()),
        ("-1", b"-1"),
        ("+1.5e3", b"+1.5e3"),
        ("a,b", b'"a,b"'),
        ('a"b', b'"a""b"'),
        ("a;b", b"a;b"),
        (" a", b'" a"'),
        ("", b""),
        ("é", "é".encode()),
    ],
)
def test_a_text_is_quoted_where_it_must_be_and_never_starts_a_formula(label: str, cell: bytes) -> None:
    assert cell_of(label, b",") == cell


def test_a_label_that_would_be_a_formula_is_disarmed_in_the_scored_file() -> None:
    found = score(b"x\n1\n", always("=HYPERLINK(1,2)", "b"))
    assert found.scored == b'x,prediction\n1,"\'=HYPERLINK(1,2)"\n'


@pytest.mark.parametrize("mark", FORMULA)
def test_every_sign_that_starts_a_formula_gets_an_apostrophe_before_it(mark: str) -> None:
    (row,) = csv.reader(io.StringIO(cell_of(mark + "x", b",").decode(), newline=""), strict=True)
    assert row == ["'" + mark + "x"]


@pytest.mark.parametrize(("label", "cell"), [(-1, b"-1"), (3, b"3"), (True, b"true")])
def test_labels_that_are_no_text_are_written_as_json_would(label: Label, cell: bytes) -> None:
    other: Label = False if label is True else 7
    assert score(b"x\n1\n", always(label, other)).scored == b"x,prediction\n1," + cell + b"\n"


def test_probabilities_are_one_column_for_each_class_and_read_back_exactly() -> None:
    found = score(IRIS + b"\n5.1,3.5,1.4,0.2\n6.3,2.5,6.0,2.5\n", options=WITH_PROBABILITIES)
    rows = list(csv.DictReader(io.StringIO(found.scored.decode())))
    names = ["probability_setosa", "probability_versicolor", "probability_virginica"]
    assert list(rows[0])[4:] == ["prediction", *names]
    columns = [np.array([one, two]) for one, two in [(5.1, 6.3), (3.5, 2.5), (1.4, 6.0), (0.2, 2.5)]]
    expected: Any = served("iris").engine.predict_columns(columns).probabilities
    assert [[float(row[name]) for name in names] for row in rows] == expected.tolist()
    assert [row["prediction"] for row in rows] == ["setosa", "virginica"]


def test_without_predict_proba_the_probability_columns_stay_empty() -> None:
    found = score(b"x\n1\n", one_number(RidgeClassifier(), ["a", "b"]), options=WITH_PROBABILITIES)
    assert found.scored == b"x,prediction,probability_a,probability_b\n1,b,,\n"


def test_a_class_that_must_be_quoted_is_quoted_in_the_name_of_its_column_too() -> None:
    found = score(b"x\n1\n", always("a,b", "c"), options=WITH_PROBABILITIES)
    assert found.scored == b'x,prediction,"probability_a,b",probability_c\n1,"a,b",1.0,0.0\n'


def test_regression_appends_the_number_in_full() -> None:
    found = score(b"x,y\n0.1,0.2\n", "price", options=WITH_PROBABILITIES)
    values: Any = served("price").engine.predict_columns([np.array([0.1]), np.array([0.2])]).values
    assert found.scored == b"x,y,prediction\n0.1,0.2," + repr(values.tolist()[0]).encode() + b"\n"


def test_a_name_that_is_taken_gets_a_prefix_until_it_is_free() -> None:
    taken = b",prediction,prediction_prediction,probability_setosa"
    found = score(IRIS + taken + b"\n5.1,3.5,1.4,0.2,a,b,c\n", options=WITH_PROBABILITIES)
    assert found.scored.partition(b"\n")[0] == (
        IRIS + taken + b",prediction_prediction_prediction,prediction_probability_setosa,"
        b"probability_versicolor,probability_virginica"
    )


def test_the_target_in_the_input_is_a_column_like_others() -> None:
    found = score(IRIS + b",species\n5.1,3.5,1.4,0.2,virginica\n")
    assert found.scored == IRIS + b",species,prediction\n5.1,3.5,1.4,0.2,virginica,setosa\n"


def test_in_a_file_of_one_column_a_blank_line_is_a_missing_value() -> None:
    found = score(b"x\n1\n\n2\n", always("a", "b"))
    assert found.scored == b"x,prediction\n1,a\n2,a\n"
    assert found.rejected == (
        b"line,reason,message,record\n3,missing_value,\"column 'x': found nothing, expected a number; "
        b'training saw no missing value here",""\n'
    )
    assert found.tally.rows.blank == 0


def test_where_one_column_tells_no_separator_it_is_the_setting() -> None:
    found = score(b"x\n1\n", always("a", "b"), options=Options(1024, "|", probabilities=False))
    assert found.scored == b"x|prediction\n1|a\n"
