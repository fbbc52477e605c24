"""ECharts options made of plain numbers, in our colours; nothing here knows what the numbers mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

FONT: Final = 'Inter, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "WenQuanYi Zen Hei", sans-serif'


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


LIGHT: Final = Palette(
    "#ffffff", "#191b1f", "#555962", "#e4e4df", "#0b6e66", "#c4c6c2", "#2f8a57", "#c2473d",
    ("#0b6e66", "#c27a1a", "#4a67b0", "#a8466b", "#6b8e23", "#7a5aa6", "#3a93b5", "#8c6d4f", "#5b6470", "#c2473d"),
    ("#f4f7f6", "#d3e8e4", "#9fcfc7", "#5faea3", "#25877d", "#075a53"),
)  # fmt: skip
DARK: Final = Palette(
    "#191c20", "#ecedef", "#b0b4bd", "#2a2e35", "#3fb8a9", "#4b515a", "#5cc98c", "#e8776d",
    ("#3fb8a9", "#e0a04a", "#7f9be0", "#d9799d", "#a3c35a", "#b194dd", "#6cc0de", "#c5a27e", "#9aa3af", "#e8776d"),
    ("#1f2428", "#1c3835", "#1f5650", "#2a7a70", "#3a9f92", "#7fdccf"),
)  # fmt: skip


def palette(dark: bool) -> Palette:
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


def _frame(**more: Any) -> dict[str, Any]:
    """What all charts share."""
    base = {
        "animationDuration": 350,
        "grid": {"left": 4, "right": 14, "top": 14, "bottom": 4, "containLabel": True},
        "tooltip": {"trigger": "axis", "confine": True},
        "aria": {"enabled": True},
    }
    return base | more


def write(unit: str, times: float = 1, decimals: int = 2) -> str:
    """The JavaScript that writes a number, `times` as large, with its unit: a sign in front, anything else behind."""
    sign, code = (unit, "") if len(unit) == 1 and unit != "%" else ("", unit and f" {unit}")
    return (
        "(v) => { let n = Array.isArray(v) ? v[1] : v; if (n === null || n === undefined) return '–'; "
        f"n *= {times}; return (n < 0 ? '−' : '') + '{sign}' + "
        f"Math.abs(n).toLocaleString('en', {{maximumFractionDigits: {decimals}}}) + '{code}'; }}"
    )


def _value_axis(unit: str, **more: Any) -> dict[str, Any]:
    return {"type": "value", ":axisLabel": f"({{formatter: {write(unit)}}})", **more}


def columns(p: Palette, labels: Sequence[str], series: dict[str, Sequence[float | None]], unit: str = "",
            *, stacked: bool = False, faint_last: bool = False) -> dict[str, Any]:  # fmt: skip
    """Upright bars: one series in the accent, several in kinds; `faint_last`: the last bar is not whole yet."""
    made = []
    for place, (name, values) in enumerate(series.items()):
        color = p.accent if len(series) == 1 else p.kinds[place % len(p.kinds)]
        data: list[Any] = list(values)
        if faint_last and data:
            data[-1] = {"value": data[-1], "itemStyle": {"opacity": 0.4}}
        made.append({
            "type": "bar", "name": name, "data": data, "barMaxWidth": 34, "itemStyle": {"color": color, "borderRadius": 2},
            **({"stack": "all"} if stacked else {}),
        })  # fmt: skip
    return _frame(
        xAxis={"type": "category", "data": list(labels)},
        yAxis=_value_axis(unit),
        series=made,
        tooltip=_tooltip("axis", unit),
        **_legend(len(series)),
    )


def bars(p: Palette, labels: Sequence[str], values: Sequence[float], unit: str = "", *, signed: bool = False,
         name: str = "") -> dict[str, Any]:  # fmt: skip
    """Lying bars, the first on top; `signed`: what is below zero in the bad colour."""
    data = [{"value": v, "itemStyle": {"color": p.bad if signed and v < 0 else p.accent, "borderRadius": 2}} for v in values]
    return _frame(
        xAxis=_value_axis(unit),
        yAxis={"type": "category", "data": list(labels), "inverse": True,
               "axisLabel": {"width": 150, "overflow": "truncate"}},
        series=[{"type": "bar", "name": name, "data": data, "barMaxWidth": 18}],
        tooltip=_tooltip("axis", unit),
    )  # fmt: skip


def waterfall(p: Palette, labels: Sequence[str], steps: Sequence[float], unit: str = "") -> dict[str, Any]:
    """From the first total to the last: `steps` are the first total, the changes, and the last total."""
    level, base, up, down, total = 0.0, [], [], [], []
    for place, step in enumerate(steps):
        whole = place in {0, len(steps) - 1}
        low = 0.0 if whole else min(level, level + step)
        base.append(low)
        total.append(step if whole else None)
        up.append(step if not whole and step >= 0 else None)
        down.append(-step if not whole and step < 0 else None)
        level = step if whole else level + step
    shown = {"stack": "all", "type": "bar", "barMaxWidth": 52}
    signs = "const sign = p.seriesIndex === 3 ? '−' : p.seriesIndex === 2 ? '+' : '';"
    told = f"((p) => {{ {signs} return sign + ({write(unit)})(p.value); }})"
    above = {"show": True, "position": "top", "fontSize": 11.5, "color": p.soft, ":formatter": told}
    return _frame(
        xAxis={"type": "category", "data": list(labels), "axisLabel": {"interval": 0, "hideOverlap": False, "width": 92,
                                                                     "overflow": "break"}},
        yAxis=_value_axis(unit),
        tooltip={"show": False},
        series=[
            shown | {"data": base, "itemStyle": {"color": "transparent"}, "silent": True},
            shown | {"data": total, "itemStyle": {"color": p.quiet, "borderRadius": 2}, "label": above},
            shown | {"data": up, "itemStyle": {"color": p.good, "borderRadius": 2}, "label": above},
            shown | {"data": down, "itemStyle": {"color": p.bad, "borderRadius": 2}, "label": above},
        ],
    )  # fmt: skip


def lines(p: Palette, series: dict[str, Sequence[tuple[Any, float | None]]], unit: str = "", *, time: bool = True,
          band: Sequence[tuple[Any, float, float]] = (), step: bool = False, x_name: str = "",
          low: float | None = None, high: float | None = None) -> dict[str, Any]:  # fmt: skip
    """Lines over time or a number: name → (x, y) pairs; `band`: (x, low, high) drawn pale behind the first."""
    made: list[dict[str, Any]] = []
    ways = {"type": "line", "symbol": "none", **({"step": "end"} if step else {})}
    if band:
        pale = {"stack": "band", "lineStyle": {"opacity": 0}, "silent": True, "tooltip": {"show": False}}
        made.append(ways | pale | {"data": [[x, lo] for x, lo, _ in band]})
        made.append(ways | pale | {"data": [[x, hi - lo] for x, lo, hi in band], "areaStyle": {"color": p.accent, "opacity": 0.14}})
    for place, (name, pairs) in enumerate(series.items()):
        color = p.accent if len(series) == 1 else p.kinds[place % len(p.kinds)]
        mark = {"symbol": "circle", "symbolSize": 7} if len(pairs) < 3 else {}
        made.append(ways | mark | {"name": name, "data": [list(pair) for pair in pairs], "itemStyle": {"color": color},
                                   "lineStyle": {"color": color, "width": 2}})  # fmt: skip
    bounds = {k: v for k, v in (("min", low), ("max", high)) if v is not None}
    named = {"name": x_name, "nameLocation": "middle", "nameGap": 28} if x_name else {}
    return _frame(
        xAxis={"type": "time" if time else "value", "splitLine": {"show": False}, **named},
        yAxis=_value_axis(unit, scale=not bounds, **bounds),
        series=made,
        tooltip=_tooltip("axis", unit),
        **_legend(len(series), list(series), below=bool(x_name)),
    )


def scatter(p: Palette, series: dict[str, Sequence[Sequence[Any]]], *, bare: bool = False, x_name: str = "",
            y_name: str = "", diagonal: float | None = None, x_unit: str = "", y_unit: str = "",
            x_log: bool = False, size: int = 6) -> dict[str, Any]:  # fmt: skip
    """Points by kind: name → (x, y, label); `bare`: a map whose axes mean nothing; `diagonal`: a line x = y up to it."""
    made: list[dict[str, Any]] = [
        {"type": "scatter", "name": name, "data": [list(point) for point in points], "symbolSize": size,
         "itemStyle": {"color": p.kinds[place % len(p.kinds)], "opacity": 0.75}}
        for place, (name, points) in enumerate(series.items())
    ]  # fmt: skip
    if diagonal is not None:
        made.append({"type": "line", "data": [[0, 0], [diagonal, diagonal]], "symbol": "none", "silent": True,
                     "lineStyle": {"color": p.quiet, "type": "dashed"}, "tooltip": {"show": False}})  # fmt: skip
    hidden = {"show": False, "type": "value", "scale": True}
    named = {"nameLocation": "middle", "nameGap": 28}
    x = hidden if bare else _value_axis(x_unit, name=x_name, **named, **({"type": "log"} if x_log else {}))
    y = hidden if bare else _value_axis(y_unit, name=y_name, nameLocation="end", nameGap=10)
    label = "(a) => { const s = document.createElement('span'); s.textContent = a.value[2] ?? ''; return s; }"
    many = len(series) > 1
    return _frame(
        grid={"left": 6, "right": 14, "top": 14 if bare else 30, "bottom": (34 if many else 6) + (0 if bare else 24),
              "containLabel": True},
        xAxis=x, yAxis=y, series=made,
        tooltip={"trigger": "item", "confine": True, ":formatter": label},
        **({"legend": {"bottom": 0, "type": "scroll", "icon": "circle"}} if many else {}),
    )  # fmt: skip


def heat(p: Palette, x: Sequence[str], y: Sequence[str], cells: Sequence[tuple[int, int, float]],
         highest: float, x_name: str = "") -> dict[str, Any]:  # fmt: skip
    """A heat map of percentages: (column, row, value); the figure stands in each cell."""
    label = {"show": True, ":formatter": "(a) => a.value[2].toFixed(0)", "fontSize": 11}
    dark = sum(int(p.card[k : k + 2], 16) for k in (1, 3, 5)) < 300
    data = [
        {"value": list(cell), "label": {"color": p.card if (cell[2] > 0.55 * highest) != (dark and cell[2] > 0.8 * highest) and not dark
                                        else "#06201d" if dark and cell[2] > 0.7 * highest else p.ink}}
        for cell in cells
    ]  # fmt: skip
    return _frame(
        grid={"left": 4, "right": 6, "top": 30, "bottom": 4, "containLabel": True},
        xAxis={"type": "category", "data": list(x), "position": "top", "name": x_name, "nameLocation": "start",
               "axisLine": {"show": False}},
        yAxis={"type": "category", "data": list(y), "inverse": True, "axisLine": {"show": False}},
        visualMap={"show": False, "min": 0, "max": highest, "inRange": {"color": list(p.ramp)}},
        series=[{"type": "heatmap", "data": data, "label": label, "itemStyle": {"borderColor": p.card, "borderWidth": 2,
                                                                                "borderRadius": 3}}],
        tooltip={"trigger": "item", "confine": True, ":formatter": "(a) => a.value[2].toFixed(1) + ' %'"},
    )  # fmt: skip


def flows(p: Palette, before: Sequence[str], after: Sequence[str], links: Sequence[tuple[str, str, int]]) -> dict[str, Any]:
    """Who went where: names before (left) and after (right), and how many took each way."""
    color = {name: p.kinds[k % len(p.kinds)] for k, name in enumerate(after)}
    nodes = [
        {"name": f"{side}{name}", "depth": depth, "itemStyle": {"color": color.get(name, p.quiet)},
         "label": {"position": "right" if depth == 0 else "left", "color": p.ink, "fontSize": 12, ":formatter": "(a) => a.name.slice(1)"}}
        for depth, (side, names) in enumerate((("<", before), (">", after))) for name in names
    ]  # fmt: skip
    made = [{"source": f"<{a}", "target": f">{b}", "value": n} for a, b, n in links]
    return _frame(
        tooltip={"trigger": "item", "confine": True},
        series=[{"type": "sankey", "data": nodes, "links": made, "left": 4, "right": 4, "top": 8, "bottom": 8,
                 "nodeGap": 10, "nodeWidth": 10, "draggable": False, "layoutIterations": 0,
                 "lineStyle": {"color": "source", "opacity": 0.22}}],
    )  # fmt: skip


def _tooltip(trigger: str, unit: str) -> dict[str, Any]:
    return {"trigger": trigger, "confine": True, "axisPointer": {"type": "line"}, ":valueFormatter": write(unit)}


def _legend(series: int, names: Sequence[str] = (), *, below: bool = False) -> dict[str, Any]:
    """A legend on top where there is more than one series, with room for it."""
    bottom = 28 if below else 4
    room = {"left": 4, "right": 14, "top": 38 if series > 1 else 14, "bottom": bottom, "containLabel": True}
    shown = {"legend": {"top": 0, "left": 0, "type": "scroll", **({"data": list(names)} if names else {})}}
    return {"grid": room, **(shown if series > 1 else {})}
