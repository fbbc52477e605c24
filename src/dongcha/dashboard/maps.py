"""ECharts options for what lies in a plane: points, heat, and who went where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from dongcha.dashboard.charts import frame, value_axis
from dongcha.dashboard.look import Palette

EDGE: Final = 0.3
"""Of a plane's width, from which on a name would be cut off."""


def scatter(
    p: Palette,
    series: Mapping[str, Sequence[Sequence[Any]]],
    *,
    bare: bool = False,
    x_name: str = "",
    y_name: str = "",
    diagonal: float | None = None,
    x_unit: str = "",
    y_unit: str = "",
    size: int = 6,
    named: bool = False,
    tagged: bool = False,
    cross: tuple[float, float] | None = None,
    x_range: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """Points by kind: name → (x, y, label, …); `bare`: a map, its axes mean nothing; `diagonal`: a line x = y up to it.

    `named`: the fourth of each point stands beside it, as far as there is room; `tagged`: each kind's name stands in
    its middle; `cross`: where the plane is parted in four.
    """
    short = "(a) => a.value[3] ?? ''"
    beside = {
        "label": {"show": True, "color": p.soft, "fontSize": 11, ":formatter": short},
        "labelLayout": {"hideOverlap": True},
    }
    made: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "name": name,
            "data": _inward(points, x_range) if named else [list(point) for point in points],
            "symbolSize": size,
            "itemStyle": {"color": p.kinds[place % len(p.kinds)], "opacity": 0.75},
            **(beside if named else {}),
        }
        for place, (name, points) in enumerate(series.items())
    ]
    if tagged:
        made += [_tag(p, name, points) for name, points in series.items()]
    if cross is not None and made:
        line = {"symbol": "none", "silent": True, "animation": False, "label": {"show": False}}
        parted = {"lineStyle": {"color": p.quiet, "type": "dashed"}, "data": [{"xAxis": cross[0]}, {"yAxis": cross[1]}]}
        made[0]["markLine"] = line | parted
    if diagonal is not None:
        made.append(
            {
                "type": "line",
                "data": [[0, 0], [diagonal, diagonal]],
                "symbol": "none",
                "silent": True,
                "lineStyle": {"color": p.quiet, "type": "dashed"},
                "tooltip": {"show": False},
            }
        )
    hidden = {"show": False, "type": "value", "scale": True}
    x = hidden if bare else value_axis(x_unit, name=x_name, nameLocation="middle", nameGap=28)
    y = hidden if bare else value_axis(y_unit, name=y_name, nameLocation="end", nameGap=10)
    label = "(a) => { const s = document.createElement('span'); s.textContent = a.value[2] ?? ''; return s; }"
    if x_range is not None:
        x |= {"min": x_range[0], "max": x_range[1]}
    many = len(series) > 1 and not tagged
    return frame(
        grid={
            "left": 8,
            "right": 26,
            "top": 14 if bare else 30,
            "bottom": (34 if many else 6) + (0 if bare else 24),
            "containLabel": True,
        },
        xAxis=x,
        yAxis=y,
        series=made,
        tooltip={"trigger": "item", "confine": True, ":formatter": label},
        **({"legend": {"bottom": 0, "type": "scroll", "icon": "circle"}} if many else {}),
    )


def _inward(points: Sequence[Sequence[Any]], x_range: tuple[float, float] | None) -> list[dict[str, Any]]:
    """Points whose names stand towards the middle of the plane, so that none is cut off at its edge."""
    across = [point[0] for point in points]
    low, high = x_range or (min(across, default=0.0), max(across, default=1.0))
    made = []
    for point in points:
        place = (point[0] - low) / max(high - low, 1e-9)
        side = "right" if place < EDGE else "left" if place > 1 - EDGE else "top"
        made.append({"value": list(point), "label": {"position": side}})
    return made


def _tag(p: Palette, name: str, points: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """A kind's name in the middle of its points."""
    at = [float(np.median([point[axis] for point in points])) for axis in (0, 1)] if points else []
    label = {"show": True, "position": "inside", "fontSize": 12, "fontWeight": 600, "color": p.ink, "formatter": name}
    halo = {"textBorderColor": p.card, "textBorderWidth": 4}
    return {
        "type": "scatter",
        "data": [at] if at else [],
        "symbolSize": 1,
        "silent": True,
        "zlevel": 1,
        "itemStyle": {"color": "transparent", "opacity": 1},
        "label": label | halo,
        "labelLayout": {"moveOverlap": "shiftY"},
        "tooltip": {"show": False},
    }


def heat(
    p: Palette, x: Sequence[str], y: Sequence[str], cells: Sequence[tuple[int, int, float]], *, highest: float
) -> dict[str, Any]:
    """A heat map of percentages: (column, row, value); the figure stands in each cell, readable on its colour."""
    data = [
        {"value": list(cell), "label": {"color": p.on_ramp if cell[2] > p.turns * highest else p.ink}} for cell in cells
    ]
    label = {"show": True, "fontSize": 11, ":formatter": "(a) => a.value[2].toFixed(0)"}
    rounded = {"borderColor": p.card, "borderWidth": 2, "borderRadius": 3}
    return frame(
        grid={"left": 8, "right": 6, "top": 30, "bottom": 4, "containLabel": True},
        xAxis={"type": "category", "data": list(x), "position": "top", "axisLine": {"show": False}},
        yAxis={"type": "category", "data": list(y), "inverse": True, "axisLine": {"show": False}},
        visualMap={"show": False, "min": 0, "max": highest, "inRange": {"color": list(p.ramp)}},
        series=[{"type": "heatmap", "data": data, "label": label, "itemStyle": rounded}],
        tooltip={"trigger": "item", "confine": True, ":formatter": "(a) => a.value[2].toFixed(1) + ' %'"},
    )


def flows(
    p: Palette, before: Sequence[str], after: Sequence[str], links: Sequence[tuple[str, str, int]]
) -> dict[str, Any]:
    """Who went where: names before (left) and after (right), and how many took each way."""
    color = {name: p.kinds[k % len(p.kinds)] for k, name in enumerate(after)}
    nodes = [
        {
            "name": f"{side}{name}",
            "depth": depth,
            "itemStyle": {"color": color.get(name, p.quiet)},
            "label": {
                "position": "right" if depth == 0 else "left",
                "color": p.ink,
                "fontSize": 12,
                ":formatter": "(a) => a.name.slice(1)",
            },
        }
        for depth, (side, names) in enumerate((("<", before), (">", after)))
        for name in names
    ]
    made = [{"source": f"<{a}", "target": f">{b}", "value": n} for a, b, n in links]
    return frame(
        tooltip={"trigger": "item", "confine": True},
        series=[
            {
                "type": "sankey",
                "data": nodes,
                "links": made,
                "left": 4,
                "right": 4,
                "top": 8,
                "bottom": 8,
                "nodeGap": 10,
                "nodeWidth": 10,
                "draggable": False,
                "layoutIterations": 0,
                "lineStyle": {"color": "source", "opacity": 0.22},
            }
        ],
    )
