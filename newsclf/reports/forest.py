"""A forest plot: estimates with their intervals, one below the other, and the line that they are held against."""

from collections.abc import Sequence
from dataclasses import dataclass

from newsclf.reports.vega import Spec, chart, short
from newsclf.reports.wording import clean

HEIGHT = 26  # of a row, in pixels


@dataclass(frozen=True)
class Row:
    """An estimate. low, high: its interval, or None; marked: drawn as one that stands out, and said to be `remark`."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    marked: bool = False
    remark: str = ""


def forest(rows: Sequence[Row], line: float | None = None, line_says: str = "") -> Spec:
    """Diamonds where a row is marked, circles elsewhere. line: a value that is drawn from top to bottom."""
    data = []
    for i, row in enumerate(rows):
        between = "" if row.low is None or row.high is None else f" ({row.low:.4f} to {row.high:.4f})"
        say = f"{clean(row.label, 60)}: {row.value:.4f}{between}" + (
            f", {clean(row.remark, 100)}" if row.remark else ""
        )
        ends = {"low": short(row.value if row.low is None else row.low)}
        ends |= {"high": short(row.value if row.high is None else row.high)}
        data.append({"i": i, "value": short(row.value), "marked": row.marked, "say": say, **ends})
    y = {
        "field": "i",
        "type": "ordinal",
        "title": None,
        "axis": {"labelExpr": "names[datum.value]", "labelLimit": 220, "ticks": False, "domain": False, "grid": True},
    }
    x = {"type": "quantitative", "title": None, "scale": {"zero": False, "padding": 8}, "axis": {"tickCount": 6}}
    colour = {"condition": {"test": "datum.marked", "value": "var(--current)"}, "value": "var(--reference)"}
    layers: list[Spec] = [
        {
            "mark": {"type": "rule", "strokeWidth": 2},
            "encoding": {"y": y, "x": {"field": "low", **x}, "x2": {"field": "high"}, "color": colour},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1, "strokeWidth": 2},
            "encoding": {
                "y": y,
                "x": {"field": "value", **x},
                "color": colour,
                "shape": {"condition": {"test": "datum.marked", "value": "diamond"}, "value": "circle"},
                "size": {"condition": {"test": "datum.i === chosen", "value": 200}, "value": 70},
                "tooltip": {"field": "say", "type": "nominal"},
            },
        },
    ]
    if line is not None:
        layers.insert(
            0,
            {
                "data": {"values": [{"at": line, "what": clean(line_says, 60)}]},
                "mark": {"type": "rule", "strokeDash": [5, 4], "color": "var(--soft)"},
                "encoding": {"x": {"field": "at", **x}, "tooltip": {"field": "what", "type": "nominal"}},
            },
        )
    names = [clean(row.label, 60) for row in rows]
    return chart(layers, data, height=HEIGHT * len(rows), params=[{"name": "names", "value": names}])
