"""Charts as Vega-Lite specifications: plain dicts, drawn in the browser by Vega's own script.

Why Vega-Lite: it draws SVG, so that colours are CSS variables that follow dark and light by themselves, text is text at
any zoom, and screen readers get roles and names; it asks for no storage and no network, which MLflow's sandboxed frame
refuses. Its script comes out of the wheel `vl-convert-python` (BSD-3, no dependencies, about 0.9 MB as one bundle).
Bokeh draws on a canvas with colours fixed at creation and nothing for the keyboard; Plotly's script alone is 4.5 MB.

Every datum has `i` (its place in the order in which the arrow keys go through) and `say` (what is said of it, in
the tooltip and to those who use the keyboard). Names that come from data are never fields or domains, only values.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import vl_convert

Spec = dict[str, Any]

VEGA_LITE = "6.4"
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
# 0.5 is 0.5 and not 500m, 20,000 is 20k.
PLAIN_LABELS = {"labelExpr": "format(datum.value, abs(datum.value) < 10000 ? ',~r' : '~s')"}

# Axes of the same width, so that the charts of a timeline stand exactly above each other.
CONFIG: Spec = {
    "background": None,
    "font": "system-ui, -apple-system, 'Segoe UI', sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--soft)",
        "titleColor": "var(--soft)",
        "titleFontWeight": "normal",
        "labelFontSize": 11,
        "titleFontSize": 11,
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
    },
    "aria": False,  # the frame around a chart has a role and a description; 2,000 points are not to be read one by one
}


@functools.cache
def script() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that defines `vegaEmbed`; safe inside a <script> element."""
    bundle_of: Any = vl_convert.javascript_bundle  # its stub wants a snippet
    bundle: str = bundle_of(vl_version=VEGA_LITE)
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def chart(
    layers: list[Spec], rows: list[dict[str, Any]], height: int, params: Sequence[Spec] = (), of_batches: bool = False
) -> Spec:
    """A chart of `layers` over `rows`, as wide as its frame and `height` pixels high.

    of_batches: the page's script adds the names of the batches, as the parameter `labels`.
    """
    return {
        "$schema": SCHEMA,
        "config": CONFIG,
        "width": "container",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "params": [{"name": "chosen", "value": -1}, *params],
        "datasets": {"rows": rows},
        "data": {"name": "rows"},
        "layer": layers,
        "usermeta": {"of_batches": of_batches},
    }


def hover(encoding: Spec) -> Spec:
    """Invisible bars from top to bottom that carry the tooltip; the chosen one is tinted."""
    tint = {"condition": {"test": "datum.i === chosen", "value": 0.18}, "value": 0}
    return {
        "mark": {"type": "rect", "color": "var(--ink)"},
        "encoding": encoding | {"opacity": tint, "tooltip": {"field": "say", "type": "nominal"}},
    }


def by(field: str, values: Mapping[str, str]) -> Spec:
    """A value for each state. No scale: Vega-Lite would merge the scales of layers that tell of different things."""
    return {
        "condition": [{"test": f"datum.{field} === '{name}'", "value": value} for name, value in values.items()],
        "value": None,
    }


def short(value: float) -> float:
    """Five significant digits: no eye sees more, and the file is half as large."""
    return float(f"{float(value):.5g}")
