"""Charts over the batches of a stream, as Vega-Lite specifications; pages/vega.py says why Vega-Lite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from newsclf.reports.data import AlertMark, ChangeMark, Window
from newsclf.reports.vega import PLAIN_LABELS, Spec, by, chart, hover, short
from newsclf.reports.wording import clean

P_FLOOR = 1e-6


def timeline(
    states: Sequence[Mapping[str, str]],
    says: Sequence[Mapping[str, str]],
    kinds: Sequence[str],
    alerts: Sequence[tuple[int, AlertMark]],
    windows: Sequence[tuple[int, int, Window]],
    changes: Sequence[tuple[int, int, ChangeMark]],
) -> Spec:
    """A row of tiles a kind of drift, a column a batch: dark where drift was found, pale where not, a dotted line
    where it cannot be judged; alerts and changes in rows above them. An alert comes with the place of
    its batch, not with its number; so do windows (first, last) and changes (begin, detected)."""
    lanes = [*(["changes"] if changes else []), *(["alerts"] if alerts else []), *kinds]
    rows: list[dict[str, Any]] = []
    for place, (found, said) in enumerate(zip(states, says, strict=True)):
        for kind in kinds:
            if kind in found:
                rows.append({"i": len(rows), "x": place, "lane": kind, "state": found[kind], "say": said[kind]})
    for place, alert in alerts:
        mark = "resolved" if alert.resolved else alert.severity
        say = clean(f"{mark}: {alert.monitor}. {alert.sentence}", 300)
        rows.append({"i": len(rows), "x": place, "lane": "alerts", "mark": mark, "say": say})
    for begin, detected, change in changes:
        say = clean(f"{change.kind} change. {change.sentence}", 300)
        rows.append({"i": len(rows), "x": begin, "found": detected, "lane": "changes", "mark": "begin", "say": say})
    y = {
        "field": "lane",
        "type": "nominal",
        "sort": lanes,
        "scale": {"domain": lanes, "paddingInner": 0.25, "paddingOuter": 0.15},
        "title": None,
        "axis": {"ticks": False, "domain": False, "grid": False, "minExtent": 74, "maxExtent": 74},
    }
    x = _time_axis(len(states))
    tiles = {
        "transform": [
            {"filter": "isValid(datum.state)"},
            {"calculate": "datum.x - 0.46", "as": "from"},
            {"calculate": "datum.x + 0.46", "as": "to"},
        ],
        "mark": {"type": "rect", "strokeWidth": 3, "cornerRadius": 1},
        "encoding": {
            "x": x | {"field": "from"},
            "x2": {"field": "to"},
            "y": y,
            "fill": by("state", {"drift": "var(--drift)", "no drift": "var(--calm)", "not judged": "transparent"}),
            "stroke": {"condition": {"test": "datum.i === chosen", "value": "var(--ink)"}, "value": None},
            "tooltip": {"field": "say", "type": "nominal"},
        },
    }
    unknown = {
        "transform": [
            {"filter": "datum.state === 'not judged'"},
            {"calculate": "datum.x - 0.46", "as": "from"},
            {"calculate": "datum.x + 0.46", "as": "to"},
        ],
        "mark": {"type": "rule", "strokeWidth": 2, "strokeDash": [2, 3], "color": "var(--soft)"},
        "encoding": {"x": x | {"field": "from"}, "x2": {"field": "to"}, "y": y},
    }
    begun = {
        "transform": [{"filter": "datum.lane === 'changes'"}],
        "layer": [
            {"mark": {"type": "rule", "strokeWidth": 3, "color": "var(--ink)"}, "encoding": {"x2": {"field": "found"}}},
            {"mark": {"type": "point", "shape": "triangle-right", "filled": True, "size": 110, "color": "var(--ink)"}},
        ],
        "encoding": {"x": x | {"field": "x"}, "y": y, "tooltip": {"field": "say", "type": "nominal"}},
    }
    layers = [*_shading(windows, x), unknown, tiles]
    layers += [begun] if changes else []
    if alerts:
        layers.append(_alert_marks({"y": y, "x": x | {"field": "x"}}, "datum.lane === 'alerts'"))
    return chart(layers, rows, height=22 * len(lanes), of_batches=True)


def series(
    title: str,
    values: Sequence[float | None],
    *,
    drifted: Sequence[bool] | None = None,
    p_values: bool = False,
    threshold: float | None = None,
    alerts: Sequence[tuple[int, AlertMark]] = (),
    windows: Sequence[tuple[int, int, Window]] = (),
) -> Spec:
    """A number over the batches, with filled points where drift was found.

    The page's script makes the rows out of `values` and the shared names of the batches, which keeps the file small.
    """
    x = _time_axis(len(values))
    y: Spec = {
        "field": "drawn",
        "type": "quantitative",
        "title": None,
        "axis": {"tickCount": 4, "minExtent": 44, "maxExtent": 44, **PLAIN_LABELS},
        "scale": {"zero": False, "nice": True},
    }
    if p_values:
        y["scale"] = {"type": "log", "domain": [P_FLOOR, 1], "clamp": True}
        y["axis"] |= {"values": [1e-6, 1e-4, 1e-2, 1], "labelOverlap": False}
    at = {"x": x | {"field": "x"}, "y": y}
    few = len(values) <= 150
    layers = _shading(windows, x)
    if threshold is not None:
        layers.append(
            {
                "data": {"values": [{"level": threshold}]},
                "mark": {"type": "rule", "strokeDash": [5, 4], "color": "var(--soft)"},
                "encoding": {"y": y | {"field": "level"}},
            }
        )
    layers.append({"mark": {"type": "line", "color": "var(--reference)", "strokeWidth": 1.8}, "encoding": at})
    layers.append(
        {
            "transform": [
                {"filter": f"isValid(datum.drawn) && ({'true' if few else 'datum.drift'} || datum.i === chosen)"}
            ],
            "mark": {"type": "point", "filled": True, "opacity": 1},
            "encoding": at
            | {
                "size": {"condition": {"test": "datum.i === chosen", "value": 150}, "value": 34},
                "shape": {"condition": {"test": "datum.drift", "value": "diamond"}, "value": "circle"},
                "color": {"condition": {"test": "datum.drift", "value": "var(--drift)"}, "value": "var(--reference)"},
            },
        }
    )
    layers.append(
        {
            "transform": [{"calculate": "datum.x - 0.5", "as": "from"}, {"calculate": "datum.x + 0.5", "as": "to"}],
            **hover({"x": x | {"field": "from"}, "x2": {"field": "to"}}),
        }
    )
    if alerts:
        marks = [
            {
                "x": place,
                "mark": alert.severity,
                "say": clean(f"{alert.severity}: {alert.monitor}. {alert.sentence}", 300),
            }
            for place, alert in alerts
            if not alert.resolved
        ]
        top = _alert_marks({"x": x | {"field": "x"}, "y": {"value": 5}}, "true")
        layers.append({"data": {"values": marks}, **top})
    spec = chart(layers, [], height=110, of_batches=True)
    drawn = [None if value is None or not np.isfinite(value) else short(value) for value in values]
    spec["usermeta"] |= {"values": drawn, "title": title}
    if p_values:
        spec["usermeta"]["floor"] = P_FLOOR
    if drifted is not None:
        spec["usermeta"]["drifted"] = [int(flag) for flag in drifted]
    return spec


def _time_axis(batches: int) -> Spec:
    """The places of the batches; the page's script gives their names, as `labels`."""
    return {
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [-0.5, batches - 0.5], "nice": False, "zero": False},
        "axis": {
            "labelExpr": "labels[datum.value] || ''",
            "tickMinStep": 1,
            "format": "d",
            "grid": False,
            "labelOverlap": "greedy",
            "labelSeparation": 8,
            "labelFlush": True,
        },
    }


def _shading(windows: Sequence[tuple[int, int, Window]], x: Spec) -> list[Spec]:
    if not windows:
        return []
    spans = [{"from": begin - 0.5, "to": end + 0.5} for begin, end, _ in windows]
    return [
        {
            "data": {"values": spans},
            "mark": {"type": "rect", "color": "var(--window)"},
            "encoding": {"x": x | {"field": "from"}, "x2": {"field": "to"}},
        }
    ]


def _alert_marks(position: Spec, test: str) -> Spec:
    shapes = {"critical": "triangle-up", "warning": "triangle-up", "resolved": "circle"}
    fills = {"critical": "var(--drift)", "warning": "transparent", "resolved": "transparent"}
    strokes = {"critical": "var(--drift)", "warning": "var(--drift)", "resolved": "var(--reference)"}
    return {
        "transform": [{"filter": test}],
        "mark": {"type": "point", "size": 80, "strokeWidth": 1.8},
        "encoding": position
        | {
            "shape": by("mark", shapes),
            "fill": by("mark", fills),
            "stroke": by("mark", strokes),
            "tooltip": {"field": "say", "type": "nominal"},
        },
    }
