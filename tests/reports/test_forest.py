"""A forest plot."""

import vl_convert

from newsclf.reports.forest import Row, forest
from newsclf.reports.vega import VEGA_LITE


def test_a_row_without_an_interval_is_a_point() -> None:
    spec = forest([Row("a", 0.5), Row("b", 0.25, 0.125, 0.375, True, "different")], 0.0, "no difference")
    rows = spec["datasets"]["rows"]
    assert [(row["low"], row["value"], row["high"]) for row in rows] == [(0.5, 0.5, 0.5), (0.125, 0.25, 0.375)]
    assert [row["say"] for row in rows] == ["a: 0.5000", "b: 0.2500 (0.1250 to 0.3750), different"]
    assert spec["layer"][0]["data"]["values"] == [{"at": 0.0, "what": "no difference"}]
    assert vl_convert.vegalite_to_vega(spec, vl_version=VEGA_LITE)["marks"]
