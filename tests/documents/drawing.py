"""Boxes and arrows as SVG, legible on light and dark pages, in the style of docs/flow.svg. It knows no template."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

STYLE = """\
  <style>
    .box { fill: #ffffff; stroke: #57606a; stroke-width: 1.2 }
    .room { fill: #f6f8fa; stroke: #d0d7de }
    .outside { fill: none; stroke: #8c959f; stroke-width: 1.2 }
    .lambda { fill: #fff4e5; stroke: #c2681a; stroke-width: 1.6 }
    .flow { fill: #fdeff5; stroke: #b3477d; stroke-width: 1.6 }
    .store { fill: #eef8ee; stroke: #3d8a45; stroke-width: 1.6 }
    .door { fill: #eaf4ff; stroke: #2f6fb3; stroke-width: 1.6 }
    text { fill: #1f2328 }
    .small { font-size: 12px; fill: #57606a }
    .mono { font-family: ui-monospace, 'SFMono-Regular', Menlo, Consolas, monospace; font-size: 12.5px }
    .head { font-weight: 600 }
    .tag { font-size: 12px; fill: #57606a; stroke: #f6f8fa; stroke-width: 5 }
    .tag { stroke-linejoin: round; paint-order: stroke }
    .arrow { stroke: #57606a; stroke-width: 1.5; fill: none; marker-end: url(#tip) }
    .sometimes { stroke-dasharray: 6 4 }
    #tip path { fill: #57606a }
    @media (prefers-color-scheme: dark) {
      .box { fill: #161b22; stroke: #8b949e } .room { fill: #0d1117; stroke: #30363d } .outside { stroke: #6e7681 }
      .lambda { fill: #2d2013; stroke: #e0944a } .flow { fill: #2e1624; stroke: #dd7fb0 }
      .store { fill: #12261a; stroke: #6fbf7c } .door { fill: #10233a; stroke: #6aa7e6 }
      text { fill: #e6edf3 } .small { fill: #9da7b1 } .tag { fill: #9da7b1; stroke: #0d1117 }
      .arrow { stroke: #9da7b1 } #tip path { fill: #9da7b1 }
    }
  </style>
  <defs>
    <marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"
      orient="auto-start-reverse"><path d="M0 0 10 5 0 10z"/></marker>
  </defs>
"""


class Box(NamedTuple):
    """Where a box lies, which of the style's classes it has, its heading, the lines below it, and whether it is always
    there."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    head: str
    lines: tuple[str, ...] = ()
    mono: bool = False
    sometimes: bool = False

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


class Arrow(NamedTuple):
    """From a point to a point; `upright` where it leaves and arrives from above or below. `tag` lies beside it."""

    start: tuple[float, float]
    end: tuple[float, float]
    tag: Sequence[str] = ()
    upright: bool = False
    sometimes: bool = False
    shift: tuple[float, float] = (0, 0)


def picture(width: int, height: int, label: str, boxes: Iterable[Box], arrows: Sequence[Arrow]) -> str:
    """The whole file. `label` is what a screen reader says."""
    font = "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"
    first = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="{font}" font-size="14" '
        f'role="img" aria-label="{escape(label)}">\n'
    )
    drawn = [*map(_box, boxes), *map(_line, arrows), *map(_tag, arrows)]
    return first + STYLE + "\n" + "".join(drawn) + "</svg>\n"


def _box(box: Box) -> str:
    rounded = 10 if box.kind == "room" else 8
    place = f'x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}"'
    kind = f"{box.kind} sometimes" if box.sometimes else box.kind
    made = [f'  <rect class="{kind}" {place} rx="{rounded}"/>']
    if box.head:
        made.append(f'  <text class="head" x="{box.x + 16:g}" y="{box.y + 25:g}">{escape(box.head)}</text>')
    letters = "mono" if box.mono else "small"
    made += [
        f'  <text class="{letters}" x="{box.x + 16 + 8 * _indent(line):g}" y="{box.y + 46 + 18 * place:g}">'
        f"{escape(line.strip())}</text>"
        for place, line in enumerate(box.lines)
        if line
    ]
    return "\n".join(made) + "\n"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _line(arrow: Arrow) -> str:
    (x, y), (to_x, to_y) = arrow.start, arrow.end
    if arrow.upright:
        half = (to_y - y) / 2
        bend = f"{x:g} {y + half:g} {to_x:g} {to_y - half:g}"
    else:
        half = (to_x - x) / 2
        bend = f"{x + half:g} {y:g} {to_x - half:g} {to_y:g}"
    kind = "arrow sometimes" if arrow.sometimes else "arrow"
    return f'  <path class="{kind}" d="M{x:g} {y:g}C{bend} {to_x:g} {to_y:g}"/>\n'


def _tag(arrow: Arrow) -> str:
    x = (arrow.start[0] + arrow.end[0]) / 2 + arrow.shift[0]
    y = (arrow.start[1] + arrow.end[1]) / 2 + arrow.shift[1] - 6 - 14 * (len(arrow.tag) - 1)
    return "".join(
        f'  <text class="tag" text-anchor="middle" x="{x:g}" y="{y + 14 * place:g}">{escape(line)}</text>\n'
        for place, line in enumerate(arrow.tag)
    )
