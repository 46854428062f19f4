"""Charts over batches; test_stream.py looks at the page that they stand on."""

import vl_convert

from newsclf.drift.over_time import Change
from newsclf.reports.timeline import MAX_MARKED, P_FLOOR, series, timeline
from newsclf.reports.vega import VEGA_LITE
from tests.reports.made import alert


def test_a_tile_a_kind_and_batch_and_rows_of_their_own_for_alerts_and_changes() -> None:
    states = [{"verdict": "drift", "prior": "drift"}, {"verdict": "not judged"}]
    says = [{"verdict": "v0", "prior": "p0"}, {"verdict": "v1"}]
    alerts = [(0, alert("drifted", 1, "info")), (1, alert("drifted", 2, over=True))]
    changes = [Change("sudden", 0, 1, None)]
    spec = timeline(states, says, ["verdict", "prior"], alerts, [(0, 0)], changes, ["the first", "the second"])
    rows = spec["datasets"]["rows"]
    assert [row["i"] for row in rows] == list(range(6))
    assert [(row["x"], row["lane"], row["say"]) for row in rows[:3]] == [
        (0, "verdict", "v0"), (0, "prior", "p0"), (1, "verdict", "v1"),
    ]  # fmt: skip
    assert [row["status"] for row in rows[3:5]] == ["info", "resolved"]
    assert rows[3]["say"] == "info: watch drifted. It fell."
    assert rows[5]["say"].startswith("sudden change. A change began at the first, all at once")
    assert spec["height"] == 4 * 22
    assert vl_convert.vegalite_to_vega(spec, vl_version=VEGA_LITE)["marks"]


def test_the_alerts_of_a_batch_are_one_mark_that_tells_of_all() -> None:
    alerts = [(1, alert("c", 2, over=True)), (0, alert("b", 1)), (1, alert("a", 2, "critical"))]
    values = series("n", [0.0, 1.0], alerts=alerts)["layer"][-1]["data"]["values"]
    assert [(row["x"], row["status"], row["say"]) for row in values] == [
        (0, "warning", "warning: watch b. It fell."), (1, "critical", "critical: watch a. It fell."),
    ]  # fmt: skip
    spec = timeline([{}, {}], [{}, {}], ["verdict"], alerts, [], [], ["b1", "b2"])
    assert [(row["status"], row["say"].splitlines()) for row in spec["datasets"]["rows"]] == [
        ("warning", ["warning: watch b. It fell."]),
        ("critical", ["resolved: watch c. It fell.", "critical: watch a. It fell."]),
    ]


def test_without_alerts_and_changes_they_have_no_rows() -> None:
    spec = timeline([{"verdict": "drift"}], [{"verdict": "v"}], ["verdict"], [], [], [], ["b"])
    assert spec["height"] == 22
    assert len(spec["layer"]) == 2


def test_a_series_holds_numbers_alone() -> None:
    spec = series("effect", [0.123456, None, float("nan")], unit="points", drifted=[True, False, False])
    assert spec["usermeta"] == {
        "of_batches": True, "values": [0.12346, None, None], "name": "effect", "unit": "points", "drifted": [1, 0, 0],
    }  # fmt: skip
    assert spec["datasets"]["rows"] == []


def test_p_values_are_drawn_by_their_size_down_to_a_floor() -> None:
    spec = series("p-value", [0.5, 1e-9], p_values=True, threshold=0.05)
    assert spec["usermeta"]["floor"] == P_FLOOR
    assert spec["layer"][0]["data"]["values"] == [{"at": 0.05}]
    assert spec["layer"][0]["encoding"]["y"]["scale"]["type"] == "log"


def test_of_very_many_batches_those_without_drift_are_a_line() -> None:
    def filtered(batches: int) -> str:
        (points,) = (layer for layer in series("n", [1.0] * batches)["layer"] if layer["mark"]["type"] == "point")
        return str(points["transform"][0]["filter"])

    assert "datum.alone" not in filtered(MAX_MARKED)
    assert "datum.drift || datum.alone" in filtered(MAX_MARKED + 1)
