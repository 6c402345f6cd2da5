"""Line charts one above the other over one time, as SVG 1.1 written by hand: readable alone, described for those who cannot see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from bench.chart import document

WIDTH: Final = 760
LEFT: Final = 70
RIGHT: Final = 20
HIGH: Final = 90
GAP: Final = 50
TOP: Final = 56
STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#1a1a1a}.title{font-weight:600;font-size:17px}.note{font-size:12px;fill:#555}"
    ".line{fill:none;stroke:#1f6f8b;stroke-width:2}.axis{stroke:#bbb}.ground{fill:#fff}"
)


class Panel(NamedTuple):
    """One chart: points (seconds, value), drawn from zero."""

    label: str
    unit: str
    points: Sequence[tuple[float, float]]


def lines(title: str, panels: Sequence[Panel], note: str = "") -> str:
    """The SVG document."""
    height = TOP + (HIGH + GAP) * len(panels) + 24
    last = max((x for panel in panels for x, _ in panel.points), default=1.0)
    described = "; ".join(f"{panel.label}: {_range(panel)}" for panel in panels)
    drawn = [_panel(number, panel, last) for number, panel in enumerate(panels)]
    return document(title, described, (WIDTH, height), STYLE, drawn, note)


def _panel(number: int, panel: Panel, last: float) -> str:
    top = TOP + (HIGH + GAP) * number
    most = max((y for _, y in panel.points), default=0.0) or 1.0
    wide = WIDTH - LEFT - RIGHT
    drawn = " ".join(
        f"{LEFT + x / last * wide:.1f},{top + HIGH - y / most * HIGH:.1f}" for x, y in panel.points
    )
    return (
        f'<text x="{LEFT}" y="{top - 8}">{escape(panel.label)}: {escape(_range(panel))}</text>'
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{top + HIGH}" y2="{top + HIGH}"/>'
        f'<text class="note" x="{LEFT - 8}" y="{top + 10}" text-anchor="end">{most:,.0f}</text>'
        f'<text class="note" x="{LEFT - 8}" y="{top + HIGH}" text-anchor="end">0</text>'
        f'<text class="note" x="{WIDTH - RIGHT}" y="{top + HIGH + 16}" text-anchor="end">{last / 60:.0f} min</text>'
        f'<polyline class="line" points="{drawn}"/>'
    )


def _range(panel: Panel) -> str:
    values = [y for _, y in panel.points]
    if not values:
        return "nothing"
    return f"{min(values):,.0f} to {max(values):,.0f} {panel.unit}, {values[-1]:,.0f} at the end"
