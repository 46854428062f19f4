"""Charts over the batches of a stream, as Vega-Lite specifications; vega.py says why Vega-Lite.

A batch is named by its index, from 0 in the order of the batches; the page's script writes the names at the axis.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from newsclf.drift.over_time import Change
from newsclf.monitoring.alerts import ALERT, Alert
from newsclf.monitoring.rules import SEVERITIES
from newsclf.reports.vega import PLAIN_LABELS, Spec, by, chart, hover, short
from newsclf.reports.wording import clean

P_FLOOR = 1e-6
MAX_MARKED = 150  # batches, up to which every value of a series is a point
STATUSES = ("resolved", *SEVERITIES)  # of alerts, the worst last
TOOLTIP = {"field": "say", "type": "nominal"}
Alerts = Sequence[tuple[int, Alert]]  # each with the index of its batch
Spans = Sequence[tuple[int, int]]  # the first and the last batch of each window


def timeline(
    states: Sequence[Mapping[str, str]],
    says: Sequence[Mapping[str, str]],
    kinds: Sequence[str],
    alerts: Alerts,
    windows: Spans,
    changes: Sequence[Change],
    names: Sequence[str],
) -> Spec:
    """A row of tiles a kind of drift, a column a batch: dark where drift was found, pale where not, a dotted line
    where it cannot be judged; alerts and changes in rows above them.

    states, says: of each batch, by kind: one of `wording.STATES`, and what is said of it. names: of the batches.
    """
    lanes = [*(["changes"] if changes else []), *(["alerts"] if alerts else []), *kinds]
    rows: list[dict[str, Any]] = []
    for index, (found, said) in enumerate(zip(states, says, strict=True)):
        rows += [{"x": index, "lane": kind, "state": found[kind], "say": said[kind]} for kind in kinds if kind in found]
    rows += [{"lane": "alerts", **row} for row in _alert_rows(alerts)]
    for change in changes:
        say = clean(f"{change.kind} change. {change.describe(names)}", 300)
        rows.append({"lane": "changes", "x": change.begin, "detected": change.detected, "say": say})
    y = {
        "field": "lane",
        "type": "nominal",
        "sort": lanes,
        "scale": {"domain": lanes, "paddingInner": 0.25, "paddingOuter": 0.15},
        "title": None,
        "axis": {"ticks": False, "domain": False, "grid": False, "minExtent": 74, "maxExtent": 74},
    }
    x = _time_axis(len(states))
    layers = [*_shading(windows, x), *_tiles(x, y)]
    if changes:
        layers.append(_change_marks(x, y))
    if alerts:
        layers.append({"transform": [{"filter": "datum.lane === 'alerts'"}], **_alert_marks(x, y)})
    return chart(layers, [{"i": i, **row} for i, row in enumerate(rows)], height=22 * len(lanes), of_batches=True)


def series(
    name: str,
    values: Sequence[float | None],
    *,
    unit: str = "",
    drifted: Sequence[bool] | None = None,
    p_values: bool = False,
    threshold: float | None = None,
    alerts: Alerts = (),
    windows: Spans = (),
) -> Spec:
    """A number over the batches, all in one unit, with filled points where drift was found.

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
    layers = _shading(windows, x)
    if threshold is not None:
        rule = {"type": "rule", "strokeDash": [5, 4], "color": "var(--soft)"}
        layers.append({"data": {"values": [{"at": threshold}]}, "mark": rule, "encoding": {"y": y | {"field": "at"}}})
    layers.append({"mark": {"type": "line", "color": "var(--reference)", "strokeWidth": 1.8}, "encoding": at})
    layers.append(_points(at, all_of_them=len(values) <= MAX_MARKED))
    edges = [{"calculate": "datum.x - 0.5", "as": "from"}, {"calculate": "datum.x + 0.5", "as": "to"}]
    layers.append({"transform": edges, **hover({"x": x | {"field": "from"}, "x2": {"field": "to"}})})
    if raised := _alert_rows([(index, alert) for index, alert in alerts if alert.state == ALERT]):
        layers.append({"data": {"values": raised}, **_alert_marks(x, {"value": -9})})  # above what is drawn
    spec = chart(layers, [], height=110, of_batches=True)
    drawn = [None if value is None or not np.isfinite(value) else short(value) for value in values]
    spec["usermeta"] |= {"values": drawn, "name": name, "unit": unit}
    if p_values:
        spec["usermeta"]["floor"] = P_FLOOR
    if drifted is not None:
        spec["usermeta"]["drifted"] = [int(flag) for flag in drifted]
    return spec


def _time_axis(batches: int) -> Spec:
    """The indices of the batches; the page's script gives their names, as `labels`."""
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


def _tiles(x: Spec, y: Spec) -> list[Spec]:
    edges = [{"calculate": "datum.x - 0.46", "as": "from"}, {"calculate": "datum.x + 0.46", "as": "to"}]
    place = {"x": x | {"field": "from"}, "x2": {"field": "to"}, "y": y}
    colours = {"drift": "var(--drift)", "no drift": "var(--calm)", "not judged": "transparent"}
    return [
        {
            "transform": [{"filter": "datum.state === 'not judged'"}, *edges],
            "mark": {"type": "rule", "strokeWidth": 2, "strokeDash": [2, 3], "color": "var(--soft)"},
            "encoding": place,
        },
        {
            "transform": [{"filter": "isValid(datum.state)"}, *edges],
            "mark": {"type": "rect", "strokeWidth": 3, "cornerRadius": 1},
            "encoding": place
            | {
                "fill": by("state", colours),
                "stroke": {"condition": {"test": "datum.i === chosen", "value": "var(--ink)"}, "value": None},
                "tooltip": TOOLTIP,
            },
        },
    ]


def _change_marks(x: Spec, y: Spec) -> Spec:
    """A triangle where a change began, and a line to where it was seen."""
    ink = {"color": "var(--ink)"}
    return {
        "transform": [{"filter": "datum.lane === 'changes'"}],
        "layer": [
            {"mark": {"type": "rule", "strokeWidth": 3, **ink}, "encoding": {"x2": {"field": "detected"}}},
            {"mark": {"type": "point", "shape": "triangle-right", "filled": True, "size": 110, **ink, "opacity": 1}},
        ],
        "encoding": {"x": x | {"field": "x"}, "y": y, "tooltip": TOOLTIP},
    }


def _points(at: Spec, all_of_them: bool) -> Spec:
    """Of very many batches only those with drift, and those that no line leads to."""
    shown = "true" if all_of_them else "datum.drift || datum.alone"
    return {
        "transform": [{"filter": f"isValid(datum.drawn) && ({shown} || datum.i === chosen)"}],
        "mark": {"type": "point", "filled": True, "opacity": 1},
        "encoding": at
        | {
            "size": {
                "condition": [{"test": "datum.i === chosen", "value": 150}, {"test": "datum.drift", "value": 80}],
                "value": 34,
            },
            "shape": {"condition": {"test": "datum.drift", "value": "diamond"}, "value": "circle"},
            "color": {"condition": {"test": "datum.drift", "value": "var(--drift)"}, "value": "var(--reference)"},
        },
    }


def _shading(windows: Spans, x: Spec) -> list[Spec]:
    if not windows:
        return []
    spans = [{"from": first - 0.5, "to": last + 0.5} for first, last in windows]
    return [
        {
            "data": {"values": spans},
            "mark": {"type": "rect", "color": "var(--window)"},
            "encoding": {"x": x | {"field": "from"}, "x2": {"field": "to"}},
        }
    ]


def _alert_rows(alerts: Alerts) -> list[dict[str, Any]]:
    """A mark a batch, of the worst of its alerts, which tells of all of them."""
    by_batch: dict[int, list[Alert]] = {}
    for index, alert in alerts:
        by_batch.setdefault(index, []).append(alert)
    return [
        {
            "x": index,
            "status": max((alert.status for alert in found), key=STATUSES.index),
            "say": "\n".join(clean(f"{alert.status}: {alert.monitor}. {alert.sentence}", 300) for alert in found),
        }
        for index, found in sorted(by_batch.items())
    ]


def _alert_marks(x: Spec, y: Spec) -> Spec:
    triangle, filled, hollow = "triangle-up", "var(--drift)", "transparent"
    shapes = {"critical": triangle, "warning": triangle, "info": "square", "resolved": "circle"}
    fills = {"critical": filled, "warning": hollow, "info": hollow, "resolved": hollow}
    strokes = {"critical": filled, "warning": filled, "info": "var(--soft)", "resolved": "var(--reference)"}
    return {
        "mark": {"type": "point", "size": 80, "strokeWidth": 1.8, "opacity": 1},
        "encoding": {
            "x": x | {"field": "x"},
            "y": y,
            "shape": by("status", shapes),
            "fill": by("status", fills),
            "stroke": by("status", strokes),
            "tooltip": TOOLTIP,
        },
    }
