"""ECharts options made of plain numbers, in our colours; nothing here knows what the numbers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from dongcha.dashboard.look import Palette

LABEL: Final = 168
"""Pixels of a bar's name, after which it goes on in a second line."""
WIDE: Final = 12.5
NARROW: Final = 6.5
LATIN: Final = 0x2E80


def frame(**more: Any) -> dict[str, Any]:
    """What all charts share."""
    base = {
        "animationDuration": 350,
        "grid": {"left": 8, "right": 24, "top": 14, "bottom": 4, "containLabel": True},
        "tooltip": {"trigger": "axis", "confine": True},
        "aria": {"enabled": True},
    }
    return base | more


def write(unit: str, times: float = 1, decimals: int = 2, *, fixed: bool = False) -> str:
    """The JavaScript that writes a number, `times` as large, with its unit: a sign in front, anything else behind."""
    least = f"minimumFractionDigits: {decimals}, " if fixed else ""
    sign, code = (unit, "") if len(unit) == 1 and unit != "%" else ("", unit and f" {unit}")
    return (
        "(v) => { let n = Array.isArray(v) ? v[1] : v; if (n === null || n === undefined) return '–'; "
        f"n *= {times}; return (n < 0 ? '−' : '') + {json.dumps(sign)} + "
        f"Math.abs(n).toLocaleString('en', {{{least}maximumFractionDigits: {decimals}}}) + {json.dumps(code)}; }}"
    )


def value_axis(unit: str, **more: Any) -> dict[str, Any]:
    """An axis of numbers with their unit."""
    return {"type": "value", ":axisLabel": f"({{formatter: {write(unit)}}})", **more}


def columns(
    p: Palette,
    labels: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    unit: str = "",
    *,
    stacked: bool = False,
    faint_last: bool = False,
    x_name: str = "",
) -> dict[str, Any]:
    """Upright bars: one series in the accent, several in kinds; `faint_last`: the last bar is not whole yet."""
    made = []
    for place, (name, values) in enumerate(series.items()):
        color = p.accent if len(series) == 1 else p.kinds[place % len(p.kinds)]
        data: list[Any] = list(values)
        if faint_last and data:
            data[-1] = {"value": data[-1], "itemStyle": {"opacity": 0.4}}
        made.append(
            {
                "type": "bar",
                "name": name,
                "data": data,
                "barMaxWidth": 34,
                "itemStyle": {"color": color, "borderRadius": 2},
                **({"stack": "all"} if stacked else {}),
            }
        )
    return frame(
        xAxis={"type": "category", "data": list(labels), **_named(x_name)},
        yAxis=value_axis(unit),
        series=made,
        tooltip=_tooltip("axis", unit),
        **_legend(len(series), below=bool(x_name)),
    )


def bars(
    p: Palette, labels: Sequence[str], values: Sequence[float], unit: str = "", *, signed: bool = False, name: str = ""
) -> dict[str, Any]:
    """Lying bars, the first on top, each with its number; `signed`: what is below zero in the bad colour."""
    data = [
        {"value": v, "itemStyle": {"color": p.bad if signed and v < 0 else p.accent, "borderRadius": 2}} for v in values
    ]
    number = {
        "show": True,
        "position": "right",
        "fontSize": 12,
        "color": p.soft,
        ":formatter": f"(a) => ({write(unit)})(a.value)",
    }
    return frame(
        grid={"left": 8, "right": 56, "top": 6, "bottom": 4, "containLabel": True},
        xAxis={"type": "value", "show": False, "max": "dataMax"},
        yAxis={
            "type": "category",
            "data": list(labels),
            "inverse": True,
            "axisLine": {"show": False},
            "axisLabel": {
                "width": _room(labels),
                "overflow": "break",
                "lineHeight": 13,
                "hideOverlap": False,
                "interval": 0,
            },
        },
        series=[{"type": "bar", "name": name, "data": data, "barMaxWidth": 18, "label": number}],
        tooltip=_tooltip("axis", unit),
    )


def _room(labels: Sequence[str]) -> int:
    """Pixels for the longest name, up to LABEL; a Chinese character is as wide as two Latin ones."""
    widest = max((sum(WIDE if ord(letter) > LATIN else NARROW for letter in label) for label in labels), default=0)
    return min(LABEL, round(widest) + 4)


def waterfall(p: Palette, labels: Sequence[str], steps: Sequence[float], unit: str = "") -> dict[str, Any]:
    """From the first total, on top, to the last: `steps` are the first total, the changes, and the last total."""
    level = 0.0
    base: list[float] = []
    parts: dict[str, list[float | None]] = {"total": [], "up": [], "down": []}
    for place, step in enumerate(steps):
        kind = "total" if place in {0, len(steps) - 1} else "up" if step >= 0 else "down"
        base.append(0.0 if kind == "total" else min(level, level + step))
        level = step if kind == "total" else level + step
        for name, values in parts.items():
            values.append(abs(step) if name == kind else None)
    shown = {"stack": "all", "type": "bar", "barMaxWidth": 20}
    label = {"show": True, "position": "right", "fontSize": 12, "color": p.soft}
    colors = {"total": (p.quiet, ""), "up": (p.good, "+"), "down": (p.bad, "−")}
    made = [
        shown
        | {"data": values, "itemStyle": {"color": colors[name][0], "borderRadius": 2}}
        | {"label": label | {":formatter": f"(a) => '{colors[name][1]}' + ({write(unit, 1, 0)})(a.value)"}}
        for name, values in parts.items()
    ]
    return frame(
        grid={"left": 8, "right": 64, "top": 6, "bottom": 4, "containLabel": True},
        xAxis={"type": "value", "show": False},
        yAxis={"type": "category", "data": list(labels), "inverse": True, "axisLine": {"show": False}},
        tooltip={"show": False},
        series=[shown | {"data": base, "itemStyle": {"color": "transparent"}, "silent": True}, *made],
    )


def lines(
    p: Palette,
    series: Mapping[str, Sequence[tuple[Any, float | None]]],
    unit: str = "",
    *,
    x: str = "time",
    band: Sequence[tuple[Any, float, float]] = (),
    step: bool = False,
    x_name: str = "",
    low: float | None = None,
    high: float | None = None,
) -> dict[str, Any]:
    """Lines over `x` ("time", "value" or "category"): name → (x, y) pairs; `band`: (x, low, high), drawn pale."""
    made: list[dict[str, Any]] = []
    ways = {"type": "line", "symbol": "none", **({"step": "end"} if step else {})}
    if band:
        pale = {"stack": "band", "lineStyle": {"opacity": 0}, "silent": True, "tooltip": {"show": False}}
        made.append(ways | pale | {"data": [[x, lo] for x, lo, _ in band]})
        made.append(
            ways
            | pale
            | {"data": [[x, hi - lo] for x, lo, hi in band], "areaStyle": {"color": p.accent, "opacity": 0.14}}
        )
    for place, (name, pairs) in enumerate(series.items()):
        color = p.accent if len(series) == 1 else p.kinds[place % len(p.kinds)]
        mark = {"symbol": "circle", "symbolSize": 7} if len(pairs) < 3 else {}
        made.append(
            ways
            | mark
            | {
                "name": name,
                "data": [list(pair) for pair in pairs],
                "itemStyle": {"color": color},
                "lineStyle": {"color": color, "width": 2},
            }
        )
    bounds = {k: v for k, v in (("min", low), ("max", high)) if v is not None}
    if low is not None and high is not None:
        bounds["interval"] = (high - low) / 4
    return frame(
        xAxis={"type": x, "splitLine": {"show": False}, "max": "dataMax" if x == "value" else None, **_named(x_name)},
        yAxis=value_axis(unit, scale=not bounds, splitNumber=4, **bounds),
        series=made,
        tooltip=_tooltip("axis", unit),
        **_legend(len(series), list(series), below=bool(x_name)),
    )


def _named(x_name: str) -> dict[str, Any]:
    """What stands below an axis."""
    return {"name": x_name, "nameLocation": "middle", "nameGap": 28} if x_name else {}


def _tooltip(trigger: str, unit: str) -> dict[str, Any]:
    return {"trigger": trigger, "confine": True, "axisPointer": {"type": "line"}, ":valueFormatter": write(unit)}


def _legend(series: int, names: Sequence[str] = (), *, below: bool = False) -> dict[str, Any]:
    """A legend on top where there is more than one series, with room for it."""
    bottom = 28 if below else 4
    room = {"left": 8, "right": 24, "top": 38 if series > 1 else 14, "bottom": bottom, "containLabel": True}
    shown = {"legend": {"top": 0, "left": 0, "type": "scroll", **({"data": list(names)} if names else {})}}
    return {"grid": room, **(shown if series > 1 else {})}
