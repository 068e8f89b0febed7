"""The figures of the model card: those of scikit-learn, and the same on the page and in `metrics.json`."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score, brier_score_loss, confusion_matrix, roc_auc_score

from tests import cards
from tests.card_pages import made, number, of, same
from tests.page_reader import rows, section
from training.card import wording
from training.card.report import Report, decode, study
from training.card.sections import importance
from training.card.wording import NONE
from training.card.write import write
from training.evidence import Candidate, Metric

PROJECT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", ["iris", "mixed", "diabetes", "cancer, weighted"])
def test_the_page_shows_the_figures_of_the_metrics_file(name: str) -> None:
    page, metrics = of(name)
    (table,) = section(page, "held-out").all("table")
    for shown, score in zip(rows(table), metrics["held_out"], strict=True):
        assert shown[0] == wording.metric(score["name"])
        assert same(shown[1], score["value"])
        low, high = shown[2].split(" to ")
        assert same(low, score["low"])
        assert same(high, score["high"])
        assert same(shown[3], score["baseline"])
    ranked = rows(section(page, "cross-validation").all("table")[0])
    best = metrics["cross_validation"]["candidates"][metrics["cross_validation"]["best"]]
    assert ranked[0][1] == f"{best['model']} chosen"
    assert same(ranked[0][3], best["mean"])
    assert len(ranked) == len(metrics["cross_validation"]["candidates"])
    worth = rows(section(page, "importance").all("table")[0])
    for shown, feature in zip(worth, metrics["importance"]["features"], strict=False):
        assert shown[0] == feature["name"]
        assert same(shown[1], feature["mean"])
    if metrics["ranking"]:
        for shown, one in zip(rows(section(page, "ranking").all("table")[0]), metrics["ranking"], strict=True):
            assert shown[0] == wording.plain(one["class"])
            assert same(shown[3], one["roc_auc"])
            assert same(shown[4], one["average_precision"])
        for shown, one in zip(rows(section(page, "calibration").all("table")[0]), metrics["calibration"]["bins"],
                              strict=True):  # fmt: skip
            assert number(shown[0]) == one["rows"]
            assert same(shown[1], one["predicted"])
            assert same(shown[2], one["observed"])
        counts = [[number(cell) for cell in row[1:]] for row in rows(section(page, "confusion").all("table")[0])]
        assert sum(map(sum, counts)) == sum(cell["rows"] for cell in metrics["confusion"]["cells"])
    gaps = [one for one in metrics["columns"] if one["missing"]]
    if gaps:
        shown_gaps = {row[0]: number(row[1]) for row in rows(section(page, "missing").all("table")[0])}
        assert shown_gaps == {one["name"]: one["missing"] for one in gaps}
    serving = section(page, "serving").text
    parity = metrics["serving"]["parity"]
    assert f"{wording.count(parity['rows'])}, of which {wording.count(parity['made'])} were made up" in serving
    assert f"Golden rows {metrics['serving']['golden_rows']}, replayed" in serving
    reproduce = section(page, "reproduce")
    assert reproduce.all("pre")[0].text == metrics["command"]
    assert rows(reproduce.all("table")[0]) == [list(one) for one in metrics["libraries"].items()]


def test_a_candidate_whose_fit_failed_is_last_and_has_no_figures() -> None:
    found = cards.iris()
    failed = Candidate("Broken", {"solver": object()}, [float("nan")] * 3, float("nan"), float("nan"), 0.1)
    page, metrics = made(replace(found, candidates=[failed, *found.candidates], best=found.best + 1))
    shown = rows(section(page, "cross-validation").all("table")[0])[-1]
    assert shown[1:] == ["Broken", "solver builtins.object", NONE, NONE, "100 ms"]
    assert metrics["cross_validation"]["candidates"][0]["mean"] is None


def test_figures_that_are_not_defined_are_dashes_and_null() -> None:
    undefined = [Metric("roc_auc", float("nan"), None, None, None, True)]
    page, metrics = made(replace(cards.iris(), metrics=undefined))
    assert rows(section(page, "held-out").all("table")[0]) == [["ROC AUC", NONE, NONE, NONE, "higher"]]
    assert metrics["held_out"][0]["value"] is None


def test_the_areas_under_the_curves_are_scikit_learns_with_the_rows_weights() -> None:
    found = cards.cancer()
    held = found.held_out
    assert held is not None
    assert held.probabilities is not None
    _, metrics = of("cancer, weighted")
    (one,) = metrics["ranking"]
    assert one["class"] == 1
    assert one["roc_auc"] == roc_auc_score(held.truth, held.probabilities[:, 1], sample_weight=held.weights)
    assert one["average_precision"] == pytest.approx(
        average_precision_score(held.truth, held.probabilities[:, 1], sample_weight=held.weights)
    )
    assert metrics["calibration"]["brier"] == pytest.approx(
        brier_score_loss(held.truth, held.probabilities[:, 1], sample_weight=held.weights)
    )
    assert (one["roc"][0], one["roc"][-1]) == ([0, 0], [1, 1])
    assert len(one["roc"]) <= 101


def test_the_class_that_counts_is_the_one_that_was_asked_for() -> None:
    page, metrics = made(replace(cards.mixed(), positive="leaves"))
    assert [one["class"] for one in metrics["ranking"]] == ["leaves"]
    assert metrics["calibration"]["of"] == "leaves"
    assert "How often leaves came true" in section(page, "calibration").text


def test_intervals_of_the_calibration_are_wilsons() -> None:
    _, metrics = of("mixed")
    for one in metrics["calibration"]["bins"]:
        found = binomtest(round(one["observed"] * one["rows"]), one["rows"]).proportion_ci(method="wilson")
        assert (one["low"], one["high"]) == pytest.approx((found.low, found.high), abs=1e-6)
    assert sum(metrics["calibration"]["histogram"]) == 225


def test_the_confusion_matrix_is_scikit_learns() -> None:
    found = cards.mixed()
    assert found.held_out is not None
    page, _ = made(found)
    expected = confusion_matrix(found.held_out.truth, found.held_out.predicted, labels=["leaves", "stays"])
    shown = rows(section(page, "confusion").all("table")[0])
    assert shown == [["leaves", *map(str, expected[0])], ["stays", *map(str, expected[1])]]


def test_importances_of_a_model_that_is_too_slow_are_given_up_and_it_is_said() -> None:
    assert importance.measure(cards.wide(), seconds=0.0) == (
        "Given up after 0 seconds: this model takes too long to predict 500 columns anew."
    )


def test_a_scoring_that_no_scorer_is_called_falls_back_to_one_that_fits_any_model() -> None:
    for found, plain in ((cards.iris(), "accuracy"), (cards.diabetes(), "neg_root_mean_squared_error")):
        measured = importance.measure(replace(found, scoring="my own"))
        assert not isinstance(measured, str)
        assert measured.scoring == plain


def test_the_metrics_file_reads_back_as_the_report_it_was_written_from() -> None:
    for found in (cards.iris(), cards.mixed(), cards.diabetes()):
        facts = cards.facts(found)
        body = write(found, facts)["metrics.json"]
        assert decode(body) == study(found, facts).report
        assert json.loads(body)["metrics_version"] == 1


def test_every_field_of_the_metrics_file_is_documented() -> None:
    text = (PROJECT / "docs" / "model-card.md").read_text()
    documented = set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))
    assert documented == set(paths(Report, ""))


def paths(kind: Any, before: str) -> list[str]:
    """Every field of a struct, and of the structs in it: `data.rows`, `columns[].name`."""
    found = []
    for field in msgspec.structs.fields(kind):
        path = before + field.encode_name
        found.append(path)
        inner, listed = inside(field.type)
        if inner is not None:
            found += paths(inner, path + ("[]." if listed else "."))
    return found


def inside(kind: Any) -> tuple[Any, bool]:
    arguments = getattr(kind, "__args__", ())
    for argument in (kind, *arguments):
        if isinstance(argument, type) and issubclass(argument, msgspec.Struct):
            return argument, getattr(kind, "__origin__", None) is list
    for argument in arguments:
        struct, listed = inside(argument)
        if struct is not None:
            return struct, listed
    return None, False
