"""The model card and names that come from data: whatever they hold, they are text."""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests import cards
from tests.card_pages import made
from tests.page_reader import collapsed, rows, section
from training.card import wording
from training.card.plots.canvas import label

OF_THE_AXES = {"0", "0.25", "0.5", "0.75", "1", "false positive rate", "true positive rate"}
SHORT_TEXTS = st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable() and text not in OF_THE_AXES)


NASTY = ["<script>alert(1)</script>", "</style>", '"><img src=x onerror=alert(1)>', "$x^2$", "{{ 7 * 7 }}", "a&amp;b",
         "$", "%s", "\u202eabc", "名前", "🌸", "a\\b", "_", "x" * 200]  # fmt: skip


@settings(max_examples=12, deadline=None)
@given(st.lists(SHORT_TEXTS, min_size=3, max_size=3, unique=True), SHORT_TEXTS)
def test_whatever_names_data_bring_they_are_text_and_nothing_else(names: list[str], note: str) -> None:
    are_text(names, note)


@pytest.mark.parametrize("nasty", NASTY)
def test_names_that_look_like_html_or_like_formulas_are_text(nasty: str) -> None:
    are_text([nasty, f"{nasty}2", "third"], nasty)


def are_text(names: list[str], note: str) -> None:
    """Classes, columns, notes and the command come out of the page as they went in."""
    found = cards.iris()
    before = found.signature.classes
    to: dict[Any, str] = dict(zip(before, names, strict=True))
    held = found.held_out
    assert held is not None

    def renamed(labels: Any) -> Any:
        return np.array([to[label] for label in labels.tolist()], dtype=object)

    columns = [f"{name} {index}" for index, name in enumerate([*names, note])]
    told = replace(
        found,
        signature=msgspec.structs.replace(
            found.signature,
            classes=names,
            target=note,
            features=[
                msgspec.structs.replace(feature, name=column)
                for feature, column in zip(found.signature.features, columns, strict=True)
            ],
        ),
        columns=[replace(profile, name=name) for profile, name in zip(found.columns, columns, strict=True)],
        train_truth=renamed(found.train_truth),
        held_out=replace(held, truth=renamed(held.truth), predicted=renamed(held.predicted)),
        pipeline=make_pipeline(
            FunctionTransformer(lambda frame: frame.set_axis(held.features.columns, axis=1)),
            FunctionTransformer(lambda frame: frame),
            Renaming(found.pipeline, to),
        ),
        notes=[note],
        command=f"python -m training fit {note}",
    )
    told = replace(
        told,
        train=told.train.set_axis(columns, axis=1),
        held_out=replace(
            told.held_out or held,
            features=held.features.set_axis(columns, axis=1),
        ),
    )
    page, metrics = made(told)
    assert {one.tag for one in page.everything()} & {"script", "img"} == set()
    assert [one["class"] for one in metrics["ranking"]] == names
    shown = [wording.plain(name) for name in names]
    assert [row[0] for row in rows(section(page, "ranking").all("table")[0])] == [collapsed(one) for one in shown]
    assert [row[0] for row in rows(section(page, "columns").all("table")[0])] == [collapsed(one) for one in columns]
    drawn = [text.text for text in section(page, "ranking").all("svg")[0].all("text")]
    assert [collapsed(label(name)) for name in names] == [one for one in drawn if one not in OF_THE_AXES]
    (aside,) = [one for one in page.all("div") if one.attributes.get("class") == "notes"]
    assert aside.text == collapsed(note)
    assert section(page, "reproduce").all("pre")[0].text == collapsed(f"python -m training fit {note}")
    assert metrics["notes"] == [note]


class Renaming:
    """A fitted classifier with its classes by other names."""

    def __init__(self, fitted: Any, to: dict[Any, str]) -> None:
        self.fitted = fitted
        self.to = to

    def fit(self, _features: Any, _truth: Any) -> "Renaming":
        return self

    def predict(self, features: Any) -> Any:
        return np.array([self.to[label] for label in self.fitted.predict(features)], dtype=object)
