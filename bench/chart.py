"""A horizontal bar chart as SVG 1.1, written by hand: readable alone, with a title and a description for those who cannot see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

WIDTH: Final = 760
LABELS: Final = 300
ROW: Final = 34
TOP: Final = 64
LEAST: Final = 1e-6
"""Values below are drawn as nothing: dividing by them would leave the page."""
STYLE: Final = (
    "text{font:14px system-ui,sans-serif;fill:#1a1a1a}.title{font-weight:600;font-size:17px}.note{font-size:12px;fill:#555}"
    ".bar{fill:#1f6f8b}.over{fill:#b5442e}.limit{stroke:#1a1a1a;stroke-width:2;stroke-dasharray:4 3}.ground{fill:#fff}"
)


class Bar(NamedTuple):
    """One bar: `limit` is marked by a dashed line (None: no line); a bar beyond its limit has another colour and says so."""

    label: str
    value: float
    limit: float | None = None


def chart(title: str, unit: str, bars: Sequence[Bar], note: str = "") -> str:
    """The SVG document. Bars share one scale that begins at zero; each says its value and its limit in figures."""
    most = max([bar.value for bar in bars] + [bar.limit or 0.0 for bar in bars], default=0.0)
    scale = (WIDTH - LABELS - 190) / max(most, LEAST)
    height = TOP + ROW * len(bars) + 34
    rows = [_row(number, bar, unit, scale) for number, bar in enumerate(bars)]
    described = "; ".join(f"{bar.label}: {_figures(bar, unit)}" for bar in bars)
    return document(title, described, (WIDTH, height), STYLE, rows, note)


def document(
    title: str, described: str, size: tuple[int, int], style: str, drawn: Sequence[str], note: str
) -> str:
    """An SVG document of that width and height: its title above what is drawn, a note below."""
    width, height = size
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            'role="img" aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(described)}</desc>',
            f"<style>{style}</style>",
            f'<rect class="ground" width="{width}" height="{height}"/>',
            f'<text class="title" x="16" y="30">{escape(title)}</text>',
            *drawn,
            f'<text class="note" x="16" y="{height - 12}">{escape(note)}</text>',
            "</svg>\n",
        ]
    )


def _row(number: int, bar: Bar, unit: str, scale: float) -> str:
    y = TOP + ROW * number
    length = max(bar.value * scale, 1)
    over = bar.limit is not None and bar.value > bar.limit
    furthest = max(length, (bar.limit or 0) * scale)
    parts = [
        f'<text x="{LABELS - 10}" y="{y + 16}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect class="{"over" if over else "bar"}" x="{LABELS}" y="{y}" width="{length:.1f}" height="22" rx="2"/>',
        f'<text x="{LABELS + furthest + 8:.1f}" y="{y + 16}">{escape(_figures(bar, unit))}</text>',
    ]
    if bar.limit is not None:
        x = f"{LABELS + bar.limit * scale:.1f}"
        parts.append(f'<line class="limit" x1="{x}" x2="{x}" y1="{y - 3}" y2="{y + 25}"/>')
    return "".join(parts)


def _figures(bar: Bar, unit: str) -> str:
    said = f"{bar.value:,.0f} {unit}".replace(",", " ")
    if bar.limit is None:
        return said
    return f"{said} (budget {bar.limit:,.0f})".replace(",", " ")
