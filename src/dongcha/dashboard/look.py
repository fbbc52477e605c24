"""Our colours and type, for what is drawn on canvas: the same values as the tokens of `static/dashboard.css`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

FONT: Final = (
    'Inter, -apple-system, "Segoe UI", Roboto, "Liberation Sans", "PingFang SC", "Microsoft YaHei", '
    '"Noto Sans CJK SC", "WenQuanYi Zen Hei", sans-serif'
)


@dataclass(frozen=True)
class Palette:
    """The colours of a theme: the same values as the tokens of `static/dashboard.css`, for what is drawn on canvas."""

    card: str
    ink: str
    soft: str
    line: str
    accent: str
    quiet: str
    good: str
    bad: str
    kinds: tuple[str, ...]
    ramp: tuple[str, ...]
    on_ramp: str
    """Ink on the upper part of the ramp."""
    turns: float
    """Where that part begins, of 1."""


LIGHT: Final = Palette(
    "#ffffff",
    "#191b1f",
    "#555962",
    "#e4e4df",
    "#0b6e66",
    "#c4c6c2",
    "#2f8a57",
    "#c2473d",
    ("#0b6e66", "#c27a1a", "#4a67b0", "#a8466b", "#6b8e23", "#7a5aa6", "#3a93b5", "#8c6d4f", "#5b6470", "#c2473d"),
    ("#f4f7f6", "#d3e8e4", "#9fcfc7", "#5faea3", "#25877d", "#075a53"),
    "#ffffff",
    0.78,
)
DARK: Final = Palette(
    "#191c20",
    "#ecedef",
    "#b0b4bd",
    "#2a2e35",
    "#3fb8a9",
    "#4b515a",
    "#5cc98c",
    "#e8776d",
    ("#3fb8a9", "#e0a04a", "#7f9be0", "#d9799d", "#a3c35a", "#b194dd", "#6cc0de", "#c5a27e", "#9aa3af", "#e8776d"),
    ("#1f2428", "#1b3532", "#1d4843", "#235d56", "#55bcae", "#8fe3d7"),
    "#06201d",
    0.68,
)


def palette(dark: bool) -> Palette:
    """The colours of light or dark."""
    return DARK if dark else LIGHT


def theme(dark: bool) -> dict[str, Any]:
    """An ECharts theme; it is a dict because a name would be fetched from an address."""
    p = palette(dark)
    axis = {
        "axisLine": {"lineStyle": {"color": p.line}},
        "axisTick": {"show": False},
        "axisLabel": {"color": p.soft, "fontSize": 12, "hideOverlap": True},
        "splitLine": {"lineStyle": {"color": p.line}},
        "nameTextStyle": {"color": p.soft, "fontSize": 12},
    }
    return {
        "color": list(p.kinds),
        "backgroundColor": "transparent",
        "textStyle": {"fontFamily": FONT, "color": p.ink},
        "categoryAxis": axis | {"splitLine": {"show": False}},
        "valueAxis": axis | {"axisLine": {"show": False}},
        "timeAxis": axis | {"splitLine": {"show": False}},
        "legend": {"textStyle": {"color": p.soft, "fontSize": 12}, "itemWidth": 12, "itemHeight": 8},
        "tooltip": {"backgroundColor": p.card, "borderColor": p.line, "textStyle": {"color": p.ink, "fontSize": 12.5}},
        "visualMap": {"textStyle": {"color": p.soft, "fontSize": 12}},
    }
