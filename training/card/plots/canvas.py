"""A picture: axes that somebody paints on become SVG inside the page, coloured by its style sheet. It knows no data.

Text stays text, and colours become CSS variables, so that one picture serves light, dark and paper. The same painting
gives the same bytes: no time, no random id, no font but the one that matplotlib brings along.
"""

import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, MUTED, RULE, SURFACE = "#000001", "#000002", "#000003", "#000004"
SERIES = ("#000011", "#000012", "#000013", "#000014", "#000015", "#000016")
STEPS = ("#000021", "#000022", "#000023", "#000024", "#000025")
"""From low to high, where a colour stands for a number."""
MARKERS = ("o", "^", "s", "D", "v", "P")
DASHES: tuple[str | tuple[int, tuple[float, ...]], ...] = (
    "-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)), (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)),
)  # fmt: skip
"""A class is told by shape or dash too, for who cannot tell the colours apart."""

LISTED = "listed"
"""The label of what a legend names. Not the name itself: matplotlib leaves out what begins with an underscore."""

_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    RULE: "var(--rule)",
    SURFACE: "var(--surface)",
    **{colour: f"var(--series-{index})" for index, colour in enumerate(SERIES, 1)},
    **{colour: f"var(--step-{index})" for index, colour in enumerate(STEPS, 1)},
}
_LOOK: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "card",
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9,
    "axes.edgecolor": RULE,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.unicode_minus": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "legend.handlelength": 2.2,
    "legend.borderaxespad": 0,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
}
_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_FONT = re.compile(r"font-family: [^;]*;? ?")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
LONGEST_LABEL = 28
NARROW, WIDE = 4.6, 9.2
"""Inches of a picture beside another, and of one alone."""


def draw(
    name: str, description: str, paint: Callable[[Axes], None], *, width: float = NARROW, height: float = 3.3
) -> Markup:
    """The picture, named for its ids, described for who does not see it; width and height in inches of 72 units."""
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a glyph is not in the font that measures says nothing of the browser's
        mpl.rcdefaults()
        mpl.rcParams.update(_LOOK)
        figure = Figure(figsize=(width, height), layout="constrained")
        paint(figure.add_subplot())
        written = io.BytesIO()
        nothing = {"Creator": None, "Date": None, "Format": None, "Type": None}
        figure.savefig(written, format="svg", transparent=True, metadata=nothing)
    return _inlined(written.getvalue(), name, description, "wide" if width > NARROW else "narrow")


def label(value: object) -> str:
    """A name or class as a picture shows it: on one line, and not too long."""
    text = _UNSEEN.sub("\ufffd", str(value).lower() if isinstance(value, bool) else str(value))
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def legend(axes: Axes, labels: Sequence[str], handle: float = 2.2) -> None:
    """Above the axes, in as many columns as fit; `labels` of what was painted as LISTED, in that order."""
    figure = axes.get_figure(root=True)
    if figure is not None and labels:
        columns = max(1, min(len(labels), int(figure.get_figwidth() * 12) // (max(map(len, labels)) + 6)))
        drawn = figure.legend(loc="outside upper left", ncols=columns, handlelength=handle)
        for text, own in zip(drawn.get_texts(), labels, strict=True):
            text.set_text(own)


def _inlined(svg: bytes, name: str, description: str, kind: str) -> Markup:
    root = ET.fromstring(svg)  # noqa: S314 # written by matplotlib a moment ago
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{_SVG}metadata", f"{_SVG}style"):
                parent.remove(child)
    used = {link.removeprefix("#") for one in root.iter() if (link := one.get(_LINK))}
    used |= {
        clip for one in root.iter() for value in one.attrib.values() for clip in re.findall(r"url\(#([^)]+)\)", value)
    }
    for one in root.iter():
        one.tag = one.tag.removeprefix(_SVG)
        one.tail = ""
        one.text = one.text if one.tag == "text" else ""
        _attributes(one, name, used)
    root.attrib = {"viewBox": root.attrib["viewBox"], "class": kind, "role": "img", "aria-label": description}
    return Markup(ET.tostring(root, encoding="unicode", short_empty_elements=False))  # noqa: S704 # text in it is escaped by ElementTree


def _attributes(one: ET.Element, name: str, used: set[str]) -> None:
    link = one.attrib.pop(_LINK, None)
    if link is not None:
        one.set("href", f"#{name}-{link.removeprefix('#')}")
    own = one.attrib.pop("id", None)
    if own in used:
        one.set("id", f"{name}-{own}")
    if one.get("transform", "").startswith("rotate(-0 "):
        del one.attrib["transform"]
    if "d" in one.attrib:
        one.set("d", " ".join(one.attrib["d"].split()))
    for key, value in one.attrib.items():
        if key == "style":
            value = _FONT.sub("", value)
            for colour, variable in _VARIABLES.items():
                value = value.replace(colour, variable)
        one.set(key, re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", value))
