"""A chart as a PNG file, in the page's light colours: for places that show pictures alone."""

import json
import re
from pathlib import Path

import vl_convert

from newsclf.reports.page import TEMPLATES
from newsclf.reports.vega import VEGA_LITE, Spec

WIDTH = 900  # pixels, before SCALE
SCALE = 1.5


def write_png(spec: Spec, path: Path, title: str) -> Path:
    """Draw a chart of `vega.chart` on white."""
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    colours = dict(reversed(re.findall(r"--([\w-]+): ([^;]+);", style)))  # the first of each name is the light one
    drawn = json.loads(re.sub(r"var\(--([\w-]+)\)", lambda match: colours[match[1]], json.dumps(spec)))
    heading = {"text": title, "anchor": "start", "color": colours["ink"], "fontSize": 14, "offset": 12}
    drawn |= {"width": WIDTH, "background": colours["paper"], "title": heading, "padding": 12}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(vl_convert.vegalite_to_png(drawn, vl_version=VEGA_LITE, scale=SCALE))
    return path
