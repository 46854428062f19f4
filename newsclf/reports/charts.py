"""The charts of texts: distributions, class shares, the map. vega.py says what a chart is made of."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from newsclf.reports.data import ClassShares, ColumnPair, Histogram, MapPoints
from newsclf.reports.vega import PLAIN_LABELS, Spec, by, chart, hover, short
from newsclf.reports.wording import clean, number, percent

BINS = 40
MAX_CLASSES_DRAWN = 30
# The defaults take fingers and the plain wheel too: who scrolls the page past the map would drag and zoom it.
BY_MOUSE = {
    "on": "[mousedown, window:mouseup] > window:mousemove!",
    "translate": "[mousedown, window:mouseup] > window:mousemove!",
    "zoom": "wheel![event.shiftKey]",
}


def distribution(pair: ColumnPair) -> Spec:
    """Reference as a filled area, current as a line over it: told apart without colour too."""
    edges = common_edges([side for side in (pair.reference, pair.current) if side is not None])
    sides = {
        name: None if side is None else side.shares(edges)
        for name, side in (("reference", pair.reference), ("current", pair.current))
    }
    whole = _whole_numbers(pair) and edges[1] - edges[0] == 1
    rows = []
    for i, (low, high) in enumerate(itertools.pairwise(edges.tolist())):
        where = number(low + 0.5) if whole else f"{number(low)} to {number(high)}"
        shares = {name: float(side[i]) for name, side in sides.items() if side is not None}
        said = ", ".join(f"{name} {percent(share)}" for name, share in shares.items())
        rows.append({"i": i, "low": short(low), "high": short(high), "say": f"{where}: {said}"} | _shorts(shares))
    x: Spec = {
        "field": "low",
        "type": "quantitative",
        "title": None,
        "axis": {"grid": False, "tickCount": 6, **PLAIN_LABELS},
    }
    x["scale"] = {"domain": [short(edges[0]), short(edges[-1])], "nice": False, "zero": False}
    if whole and len(edges) <= 4:
        x["axis"] |= {"values": [short(edge + 0.5) for edge in edges[:-1]]}
    top = max(float(side.max()) for side in sides.values() if side is not None)
    y_axis = {"format": ".0%" if top >= 0.05 else ".1%", "tickCount": 3, "title": None, "minExtent": 34}
    y_scale = {"domain": [0, top * 1.05]}
    layers: list[Spec] = []
    if sides["reference"] is not None:
        layers.append(
            {
                "mark": {"type": "bar", "color": "var(--reference)", "fillOpacity": 0.45, "binSpacing": 0},
                "encoding": {
                    "x": x,
                    "x2": {"field": "high"},
                    "y": {"field": "reference", "type": "quantitative", "axis": y_axis, "scale": y_scale},
                    "y2": {"datum": 0},
                },
            }
        )
    if sides["current"] is not None:
        layers.append(
            {
                "data": {"values": _outline(edges, sides["current"])},
                "mark": {"type": "line", "color": "var(--current)", "strokeWidth": 2, "strokeJoin": "round"},
                "encoding": {
                    "x": x,
                    "y": {"field": "share", "type": "quantitative", "axis": y_axis, "scale": y_scale},
                    "order": {"field": "order"},
                },
            }
        )
    layers.append(hover({"x": x, "x2": {"field": "high"}}))
    return chart(layers, rows, height=130)


def common_edges(sides: Sequence[Histogram]) -> np.ndarray:
    """[bins + 1]: equal bins over what both sides have; the rare values far out are left out, or nothing else shows."""
    low, high = min(side.edges[0] for side in sides), max(side.edges[-1] for side in sides)
    inner = min(side.quantiles([0.005])[0] for side in sides), max(side.quantiles([0.995])[0] for side in sides)
    if inner[1] > inner[0] and high - low > 1.5 * (inner[1] - inner[0]):
        low, high = inner
    if all(np.equal(np.mod(side.edges, 1), 0).all() for side in sides):
        width = max(1, int(np.ceil((high - low + 1) / BINS)))
        return np.arange(np.floor(low), np.ceil(high) + width + 0.5, width) - 0.5
    if high <= low:
        return np.asarray([low - 0.5, low + 0.5])
    return np.linspace(low, high, BINS + 1)


def class_shares(shares: ClassShares) -> Spec:
    """Bars in pairs, the class that changed most at the top where not all can be drawn, else in the given order."""
    sides = class_share_table(shares)
    order: Iterable[int] = range(len(shares.classes))
    if len(shares.classes) > MAX_CLASSES_DRAWN:
        size = np.nanmax(np.abs(list(sides.values())), axis=0)
        change = np.abs(sides["current"] - sides["reference"]) if len(sides) == 2 else size
        order = sorted(np.argsort(-change, kind="stable")[:MAX_CLASSES_DRAWN].tolist())
    rows: list[dict[str, Any]] = []
    names: list[str] = []
    for place, index in enumerate(order):
        names.append(clean(shares.classes[index], 60))
        for side, values in sides.items():
            say = f"{names[-1]}: {side} {percent(values[index])}"
            rows.append({"i": len(rows), "place": place, "side": side, "share": short(values[index]), "say": say})
    y = {
        "field": "place",
        "type": "ordinal",
        "title": None,
        "axis": {"labelExpr": "names[datum.value]", "labelLimit": 150, "ticks": False, "domain": False},
    }
    encoding = {
        "y": y,
        "yOffset": {"field": "side", "sort": ["reference", "current"]},
        "x": {"field": "share", "type": "quantitative", "title": None, "axis": {"format": "%", "tickCount": 5}},
        "color": _side_colour(),
        "tooltip": {"field": "say", "type": "nominal"},
        "stroke": {"condition": {"test": "datum.i === chosen", "value": "var(--ink)"}, "value": None},
    }
    layer = {"mark": {"type": "bar", "strokeWidth": 2}, "encoding": encoding}
    return chart([layer], rows, height=34 * len(names), params=[{"name": "names", "value": names}])


def class_share_table(shares: ClassShares) -> dict[str, np.ndarray]:
    """Shares by side, [classes] each, of the sides that are there."""
    sides = {"reference": shares.reference, "current": shares.current}
    arrays = {name: np.asarray(side, float) for name, side in sides.items() if side is not None}
    return {name: side / max(side.sum(), 1e-300) for name, side in arrays.items()}


def text_map(points: MapPoints, max_text: int) -> Spec:
    """Hollow circles (reference) and filled diamonds (current); the arrow keys begin with the strangest text."""
    distances = np.zeros(len(points.x)) if points.distance is None else np.asarray(points.distance, float)
    rows = []
    for i, index in enumerate(np.argsort(-np.nan_to_num(distances), kind="stable").tolist()):
        side = "current" if points.is_current[index] else "reference"
        parts = [side]
        if points.label is not None:
            parts.append(clean(points.label[index] or "no label", 60))
        if points.distance is not None:
            parts.append(f"distance {number(points.distance[index])}")
        said = ", ".join(parts)
        if points.text is not None:
            said += "\n" + (clean(points.text[index], max_text) or "(empty)")
        rows.append({"i": i, "x": short(points.x[index]), "y": short(points.y[index]), "side": side, "say": said})
    quiet = {"title": None, "axis": {"labels": False, "ticks": False, "tickCount": 6}}
    position = {
        axis: {"field": axis, "type": "quantitative", "scale": {"domain": _around(values), "nice": False}} | quiet
        for axis, values in (("x", points.x), ("y", points.y))
    }
    cloud = {
        "params": [{"name": "zoom", "select": {"type": "interval", **BY_MOUSE}, "bind": "scales"}],
        "mark": {"type": "point", "size": 34, "strokeWidth": 1.2},
        "encoding": position
        | {
            "color": _side_colour(),
            "shape": by("side", {"reference": "circle", "current": "diamond"}),
            "fill": by("side", {"reference": "transparent", "current": "var(--current)"}),
            "opacity": {"condition": {"test": "shown === 'both' || shown === datum.side", "value": 0.75}, "value": 0},
            "tooltip": {
                "condition": {"test": "shown === 'both' || shown === datum.side", "field": "say", "type": "nominal"},
                "value": None,
            },
        },
    }
    ring = {
        "transform": [{"filter": "datum.i === chosen"}],
        "mark": {"type": "point", "size": 260, "strokeWidth": 3, "color": "var(--ink)"},
        "encoding": position,
    }
    radio = {"input": "radio", "options": ["both", "reference", "current"], "name": "Show "}
    return chart([cloud, ring], rows, height=430, params=[{"name": "shown", "value": "both", "bind": radio}])


def _outline(edges: np.ndarray, shares: np.ndarray) -> list[dict[str, float]]:
    """The corners of a histogram's outline, from its foot on the left to its foot on the right."""
    x = np.repeat(edges, 2)
    y = np.concatenate([[0.0], np.repeat(shares, 2), [0.0]])
    return [{"low": short(a), "share": short(b), "order": i} for i, (a, b) in enumerate(zip(x, y, strict=True))]


def _around(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    margin = 0.04 * (high - low) or 1.0
    return [short(low - margin), short(high + margin)]


def _side_colour() -> Spec:
    return by("side", {"reference": "var(--reference)", "current": "var(--current)"})


def _whole_numbers(pair: ColumnPair) -> bool:
    return all(np.equal(np.mod(side.edges, 1), 0).all() for side in (pair.reference, pair.current) if side is not None)


def _shorts(values: Mapping[str, float]) -> dict[str, float]:
    return {name: short(value) for name, value in values.items()}
