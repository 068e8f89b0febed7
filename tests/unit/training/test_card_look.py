"""How the model card looks: contrast, and numbers as a person reads them."""

import re
from pathlib import Path

import numpy as np
import pytest

from training.card import wording

PROJECT = Path(__file__).parents[3]


@pytest.mark.parametrize("scheme", ["light", "dark", "paper"])
def test_text_and_lines_stand_out_from_what_is_behind_them(scheme: str) -> None:
    """WCAG 2.2: 4.5 to 1 for text, 3 to 1 for what a picture is made of."""
    style = (PROJECT / "training" / "card" / "templates" / "card.css").read_text()
    blocks = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", style, re.S)
    ]
    colours = dict(zip(("light", "dark", "paper"), blocks, strict=True))[scheme]
    for text in ("ink", "muted", "link"):
        for behind in ("surface", "raised"):
            assert contrast(colours[text], colours[behind]) >= 4.5, (text, behind)
    assert contrast(colours["ink"], colours["warn-surface"]) >= 4.5
    for colour in [name for name in colours if name.startswith(("series-", "step-"))]:
        assert contrast(colours[colour], colours["surface"]) >= 3, colour
    for cell in ("hit", "miss"):  # at its deepest
        assert contrast(colours["ink"], mixed(colours[cell], colours["surface"], 0.45)) >= 4.5, cell
    assert blocks[2] == blocks[0] | {"link": blocks[2]["link"]}


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def mixed(colour: str, behind: str, share: float) -> str:
    parts = [
        round(int(colour[place : place + 2], 16) * share + int(behind[place : place + 2], 16) * (1 - share))
        for place in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1, "1"),
        (150, "150"),
        (1234567.0, "1\u202f234\u202f567"),
        (0.1 + 0.2, "0.3"),
        (-54.123456, "\u221254.12"),
        (1e-5, "1e\u22125"),
        (2.2e-16, "2.2e\u221216"),
        (1.5e12, "1.5e12"),
        (float("nan"), "\u2013"),
        (None, "\u2013"),
    ],
)
def test_numbers_are_shown_to_four_digits(value: float | None, text: str) -> None:
    assert wording.number(value) == text


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((0.9667, 0.9), ["0.967", "0.900"]),
        ((54.321, 48.7), ["54.3", "48.7"]),
        ((1.0,), ["1.000"]),
        ((0.0,), ["0.000"]),
        ((0.01234, 0.009), ["0.0123", "0.0090"]),
        ((12345.6,), ["12\u202f346"]),
        ((0.97, 0.00003), ["0.970", "<\u202f0.001"]),
    ],
)
def test_figures_beside_each_other_have_the_same_decimals(values: tuple[float, ...], shown: list[str]) -> None:
    assert [wording.fixed(value, wording.decimals(*values)) for value in values] == shown


def test_shares_sizes_and_times_have_their_units() -> None:
    assert [wording.share(value) for value in (0, 1, 0.333, 0.0001, 0.99999)] == [
        "0\u202f%", "100\u202f%", "33.3\u202f%", "<\u202f0.1\u202f%", ">\u202f99.9\u202f%",
    ]  # fmt: skip
    assert [wording.size(value) for value in (999, 7_243, 1_318_000)] == ["999 B", "7.24 kB", "1.32 MB"]
    assert [wording.duration(value) for value in (0.0021, 1.5, 300, None)] == ["2.1 ms", "1.5 s", "5 min", "\u2013"]
