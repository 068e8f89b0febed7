"""The model card of tables of every kind: one page that says all, also where there is little to say."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests import cards
from tests.card_pages import RUNS, made, number, of, without
from tests.page_reader import Element, rows, section
from training.card.wording import NONE
from training.evidence import HeldOut

PROJECT = Path(__file__).parents[3]


SECTIONS = [
    "data", "columns", "missing", "target", "cross-validation", "held-out", "confusion", "ranking", "calibration",
    "importance", "plane", "serving", "reproduce",
]  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_a_card_is_one_well_formed_page_that_needs_nothing_but_itself(name: str) -> None:
    page, _ = of(name)
    regression = RUNS[name]().signature.task == "regression"
    expected = ["residuals" if one == "confusion" and regression else one for one in SECTIONS]
    assert [one.attributes["id"] for one in page.all("section")] == expected
    everything = page.everything()
    assert {one.tag for one in everything} & {"script", "iframe", "object", "img", "form", "base"} == set()
    ids = [one.attributes["id"] for one in everything if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    for one in everything:
        for attribute, value in one.attributes.items():
            assert "://" not in value, (one.tag, attribute, value)
            if attribute in ("src", "href"):
                assert value == "data:," or value.removeprefix("#") in ids, (one.tag, value)
            for link in re.findall(r"url\(([^)]*)\)", value):
                assert link.removeprefix("#") in ids
    (style,) = page.all("style")
    assert "url(" not in "".join(map(str, style.children))
    assert "@import" not in "".join(map(str, style.children))


@pytest.mark.parametrize("name", RUNS)
def test_who_does_not_see_the_page_is_told_the_same(name: str) -> None:
    page, _ = of(name)
    (html,) = page.all("html")
    assert html.attributes["lang"] == "en"
    assert len(page.all("h1")) == 1
    for picture in page.all("svg"):
        assert picture.attributes["role"] == "img"
        assert len(picture.attributes["aria-label"]) > 20
    for table in page.all("table"):
        heads = [head for head in table.all("th") if "scope" in head.attributes]
        assert len(heads) == len(table.all("th")) > 0
        assert all(head.text for head in heads)
        widths = {sum(int(cell.attributes.get("colspan", 1)) for cell in cells(row)) for row in table.all("tr")}
        assert len(widths - {len(row) - 1 for row in rows(table)}) == 1
    for part in page.all("section"):
        assert part.attributes["aria-labelledby"] in [head.attributes.get("id") for head in part.all("h2")]
    targets = [link.attributes["href"].removeprefix("#") for link in page.all("nav")[0].all("a")]
    assert targets == [one.attributes["id"] for one in page.all("section")]


def cells(row: Element) -> list[Element]:
    return [one for one in row.children if isinstance(one, Element)]


def test_the_same_run_gives_the_same_bytes_whatever_the_clock_the_hash_seed_and_the_settings(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("font.size: 20\naxes.grid: False\n")
    program = (
        "import hashlib; from tests import cards; from training.card.write import write; e = cards.mixed();"
        "print([hashlib.sha256(body).hexdigest() for body in write(e, cards.facts(e)).values()])"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=PROJECT,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "MATPLOTLIBRC": str(settings_file)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone, settings_file in (("1", "UTC", ""), ("2", "Asia/Tokyo", tmp_path / "matplotlibrc"))
    }
    assert len(told) == 1


def test_without_held_out_rows_the_sections_about_them_say_so() -> None:
    page, metrics = made(replace(cards.iris(), held_out=None, metrics=[]))
    for name in ("held-out", "confusion", "ranking", "calibration"):
        assert "No rows were held out to judge it on." in section(page, name).text
    assert "No rows were held out to measure it on." in section(page, "importance").text
    assert metrics["confusion"] is metrics["ranking"] is metrics["calibration"] is metrics["importance"] is None
    assert sorted(metrics["left_out"]) == [
        "calibration", "confusion", "held_out", "importance", "ranking", "residuals",
    ]  # fmt: skip
    assert "cross-validated" in page.all("dl")[0].text


def test_a_model_without_probabilities_has_a_confusion_matrix_and_no_curves() -> None:
    page, metrics = of("no probabilities")
    assert metrics["ranking"] is None
    assert "This model gives labels and no probabilities." in section(page, "ranking").text
    assert "This model gives labels and no probabilities." in section(page, "calibration").text
    assert metrics["confusion"]["cells"]


def test_probabilities_that_are_no_numbers_are_told_and_not_drawn() -> None:
    found = cards.iris()
    assert found.held_out is not None
    broken = np.full_like(np.asarray(found.held_out.probabilities), np.nan)
    page, metrics = made(without(found, probabilities=broken))
    assert metrics["ranking"] is metrics["calibration"] is None
    assert "not all finite numbers" in section(page, "ranking").text


def test_held_out_rows_of_a_single_class_have_no_curve_and_say_why() -> None:
    found = cards.mixed()
    held = found.held_out
    assert held is not None
    assert held.probabilities is not None
    own = np.flatnonzero(held.truth == "stays")[:20]
    page, metrics = made(
        without(found, features=held.features.iloc[own], truth=held.truth[own], predicted=held.predicted[own],
                probabilities=held.probabilities[own])
    )  # fmt: skip
    assert [(one["class"], one["rows"], one["roc_auc"], one["roc"]) for one in metrics["ranking"]] == [
        ("stays", 20, None, None)
    ]
    assert "all of one class" in section(page, "ranking").text
    assert section(page, "ranking").all("svg") == []
    assert metrics["calibration"]["bins"][0]["observed"] == 1


def test_one_held_out_row_is_enough_for_a_card() -> None:
    for found in (cards.iris(), cards.diabetes()):
        held = found.held_out
        assert held is not None
        page, metrics = made(
            replace(
                found,
                held_out=HeldOut(
                    held.features.iloc[:1],
                    held.truth[:1],
                    held.predicted[:1],
                    None if held.probabilities is None else held.probabilities[:1],
                    None,
                ),
            )
        )
        assert metrics["data"]["held_out_rows"] == 1
        assert len(page.all("section")) == 13


def test_a_class_that_only_held_out_rows_have_is_counted_as_missed() -> None:
    found = cards.iris()
    assert found.held_out is not None
    truth = found.held_out.truth.copy()
    truth[0] = "unheard of"
    page, metrics = made(without(found, truth=truth))
    assert metrics["confusion"]["classes"][-1] == {
        "class": "unheard of", "rows": 1, "predicted": 0, "precision": None, "recall": 0.0, "f1": 0.0,
    }  # fmt: skip
    assert rows(section(page, "confusion").all("table")[1])[-1] == ["unheard of", "1", "0", NONE, "0.000", "0.000"]


def test_of_500_columns_the_page_shows_some_and_the_metrics_all() -> None:
    page, metrics = of("500 columns")
    assert len(metrics["columns"]) == len(metrics["importance"]["features"]) == 500
    assert len(rows(section(page, "columns").all("table")[0])) == 60
    assert "and 440 more columns, all in metrics.json" in section(page, "columns").text
    assert "and 480 more columns, all in metrics.json" in section(page, "importance").text
    top = [one["name"] for one in metrics["importance"]["features"][:3]]
    assert sorted(top) == ["gene_007", "gene_123", "gene_499"]


def test_of_100_classes_the_page_shows_some_and_the_metrics_all() -> None:
    page, metrics = of("100 classes")
    assert len(metrics["target"]["classes"]) == len(metrics["ranking"]) == len(metrics["confusion"]["classes"]) == 100
    assert [one["class"] for one in metrics["ranking"] if one["roc"]] == [
        f"the class with the number {index} and a long name" for index in (0, 1, 10, 11, 12, 13)
    ]
    assert all(one["roc_auc"] is not None for one in metrics["ranking"])
    assert "and 80 more classes" in section(page, "target").text
    assert "and 80 more classes" in section(page, "ranking").text
    matrix = [[number(cell) for cell in row[1:]] for row in rows(section(page, "confusion").all("table")[0])]
    assert (len(matrix), sum(map(sum, matrix))) == (13, 300)
    assert "the other 88 are counted together" in section(page, "confusion").text
    assert "94 more classes" in "".join(one.text for one in section(page, "plane").all("text"))


def test_columns_that_are_left_out_are_named_with_their_reason_and_no_cell_of_theirs() -> None:
    page, metrics = of("mixed")
    assert rows(section(page, "columns").all("table")[1]) == [
        ["customer", "id", "900", "a different text in each row: it names the row"],
        ["remarks", "text", "612", "free text: 612 different texts of 38 letters"],
        ["country", "constant", "1", "the same in each row"],
    ]
    assert "c-1" not in page.text
    assert "c-1" not in json.dumps(metrics)


def test_a_pipeline_whose_steps_cannot_be_followed_has_no_plane_and_a_card_all_the_same() -> None:
    def refuse(_: pd.DataFrame) -> pd.DataFrame:
        raise RuntimeError("not like this")

    found = replace(cards.iris(), pipeline=make_pipeline(FunctionTransformer(refuse), cards.iris().pipeline[-1]))
    page, metrics = made(found)
    assert metrics["plane"] is None
    assert "RuntimeError: not like this" in section(page, "plane").text
    assert "It could not be measured: RuntimeError: not like this" in section(page, "importance").text


@pytest.mark.parametrize("scale", [1e300, 1e-300, 1e15, 0.0])
def test_a_target_of_any_size_has_a_card(scale: float) -> None:
    found = cards.diabetes()
    held = found.held_out
    assert held is not None
    scaled = replace(held, truth=held.truth * scale, predicted=held.predicted * scale)
    page, metrics = made(replace(found, train_truth=found.train_truth * scale, held_out=scaled))
    assert metrics["target"]["held_out"]["maximum"] == pytest.approx(held.truth.max() * scale)
    assert len(page.all("section")) == 13


def test_weights_that_are_all_nought_are_no_weights() -> None:
    found = cards.cancer()
    assert found.held_out is not None
    _, metrics = made(without(found, weights=np.zeros(len(found.held_out.truth))))
    _, unweighted = made(without(found, weights=None))
    assert metrics["ranking"] == unweighted["ranking"]
    assert metrics["calibration"] == unweighted["calibration"]
    assert metrics["importance"] == unweighted["importance"]
