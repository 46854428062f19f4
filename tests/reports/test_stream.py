"""What stands on the page of a stream, made of what the monitor keeps; test_report_browser.py looks at it."""

from pathlib import Path
from typing import Any

import pytest

from newsclf.drift.kinds import NAMES
from newsclf.drift.over_time import Change
from newsclf.monitoring.alerts import Alert, MonitorState
from newsclf.monitoring.rules import parse_monitors
from newsclf.reports import vega
from newsclf.reports.stream import write_report
from tests.reports.made import Page, alert, covariate, finding, record, verdict, window


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report.html"


def test_a_stream_is_summed_up(path: Path) -> None:
    write_report(
        path,
        title="t",
        records=[
            record(1, covariate(False), {"accuracy": 0.9}),
            record(2, covariate(None)),
            record(3, covariate(True), {"accuracy": float("nan")}),
            record(5, covariate(True)),
        ],
        alerts=[alert("accuracy", 3, "critical"), alert("accuracy", 99)],
        windows=[window("holidays", 2, 3), window("later", 20, 30)],
        changes=[Change("sudden", 2, 3, None)],
    )
    shown = Page(path)
    assert (
        "last batch: ▲ drift Drift in 2 of 4 batches, first in batch 3 (2026-01-03), most often of the kind covariate; "
        "1 batch too small to judge; 2 alerts. The last batch drifts."
    ) in shown.text
    assert "holidays : batch 2 (2026-01-02) to batch 3 (2026-01-03), taken as normal" in shown.text
    assert "later : none of these batches lies in it" in shown.text
    # By the names of the batches, of which one was replaced: the fourth is batch 5.
    assert "sudden A change began at batch 3 (2026-01-03), all at once, and goes on; seen at batch 5" in shown.text
    assert shown.shared["labels"] == ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-05"]
    assert shown.marks("timeline") == [(2, "critical")]
    number = next(spec for spec in shown.charts.values() if spec["usermeta"].get("name") == "accuracy")
    assert number["usermeta"]["values"] == [0.9, None, None, None]
    assert shown.charts["p-covariate"]["usermeta"]["drifted"] == [0, 0, 1, 1]
    assert "p-concept" not in shown.charts  # never judged: nothing to draw


def test_batches_that_came_late_stand_at_their_dates(path: Path) -> None:
    dates = {2: "2026-01-01T00:00:00+00:00", 1: "2026-01-02T00:00:00+00:00"}
    records = [record(number, covariate(number == 1), date=date) for number, date in dates.items()]
    write_report(path, title="t", records=records, alerts=[alert("drifted", 1)], windows=[window("w", 1, 1)])
    shown = Page(path)
    assert shown.marks("timeline") == [(1, "warning")]
    assert "w : batch 2 (2026-01-01), taken as normal" in shown.text


def test_an_alert_is_marked_in_the_chart_of_its_number(path: Path) -> None:
    """As `monitor` raises them: on a p-value, an effect, a number, a verdict."""
    entries: list[dict[str, Any]] = [
        {"number": "covariate/p_value", "p_value": 0.01, "severity": "info"},
        {"number": "covariate/effect", "above": 0.3, "severity": "critical"},
        {"number": "characters/mean", "below": "80 characters"},
        {"verdict": "covariate"},
    ]
    numbers = {"covariate/p_value": 0.001, "covariate/effect": 0.4, "characters/mean": 70.0, "covariate/drifted": 1.0}
    drifted = verdict(finding("covariate", True, 0.001, 0.4, "share of texts"))
    records = [record(1, covariate(False)), record(2, drifted, numbers)]
    watches = [MonitorState(monitor) for monitor in parse_monitors(entries, (), NAMES, 50)]
    alerts: list[Alert | None] = [watch.update(one) for one in records for watch in watches]
    write_report(path, title="t", records=records, alerts=[found for found in alerts if found])
    shown = Page(path)
    assert shown.marks("p-covariate") == [(1, "info")]
    assert shown.marks("effect-covariate-1") == [(1, "critical")]
    assert shown.marks("effect-covariate-0") == []  # of another unit
    named = {spec["usermeta"].get("name"): name for name, spec in shown.charts.items()}
    assert shown.marks(named["characters/mean"]) == [(1, "warning")]
    assert shown.marks("timeline") == [(1, "critical")]  # the worst of four
    rows = [line for line in shown.source.splitlines() if 'class="sign ' in line and "<tr>" in line]
    assert [row.split('class="sign ')[1].split('"')[0] for row in rows] == ["info", "critical", "warning", "warning"]


def test_the_end_of_an_alert_is_marked_above_alone(path: Path) -> None:
    alerts = [alert("covariate/p_value", 1), alert("covariate/p_value", 2, over=True)]
    write_report(path, title="t", records=[record(1, covariate(True)), record(2, covariate(False))], alerts=alerts)
    shown = Page(path)
    assert shown.marks("timeline") == [(0, "warning"), (1, "resolved")]
    assert shown.marks("p-covariate") == [(0, "warning")]


def test_two_units_never_share_an_axis(path: Path) -> None:
    """The effect of covariate drift is a share of texts, or the shift of the subject in standard deviations."""
    found = [(0.03, "share of texts"), (0.49, "standard deviations"), (0.04, "share of texts")]
    records = [
        record(index, verdict(finding("covariate", False, 0.4, effect, unit)))
        for index, (effect, unit) in enumerate(found, start=1)
    ]
    write_report(path, title="t", records=records)
    shown = Page(path)
    effects = [spec["usermeta"] for name, spec in shown.charts.items() if name.startswith("effect-")]
    assert [(meta["unit"], meta["values"]) for meta in effects] == [
        ("share of texts", [0.03, None, 0.04]),
        ("standard deviations", [None, 0.49, None]),
    ]
    assert "effect, share of texts" in shown.text
    assert "effect, standard deviations" in shown.text
    says = [row["say"] for row in shown.charts["timeline"]["datasets"]["rows"] if row["lane"] == "covariate"]
    assert says[1].endswith("effect 0.49 standard deviations")


def test_a_number_says_its_unit(path: Path) -> None:
    write_report(path, title="t", records=[record(1, covariate(False), {"characters/mean": 81.0, "rows": 1000.0})])
    shown = Page(path)
    assert "characters/mean 81 to 81 characters, last 81" in shown.text
    assert "rows 1,000 to 1,000 rows, last 1,000" in shown.text


def test_batches_within_a_day_show_their_time(path: Path) -> None:
    records = [record(n, covariate(False), date=f"2026-01-01T{n:02}:30:00+00:00") for n in (0, 1)]
    write_report(path, title="t", records=[*records, record(2, covariate(False), date=None)])
    assert Page(path).shared["labels"] == ["2026-01-01 00:30", "2026-01-01 01:30", "2"]


def test_a_stream_without_batches_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="at least one batch"):
        write_report(path, title="t", records=[])


def test_every_chart_is_valid_vega_lite(path: Path) -> None:
    import vl_convert

    severities = ("info", "warning", "critical")
    write_report(
        path,
        title="t",
        records=[record(1, covariate(True), {"accuracy": 1.0}), record(2, covariate(None))],
        alerts=[alert(number, 1, severity) for severity in severities for number in ("accuracy", "covariate/effect")],
        windows=[window("w", 1, 1)],
        changes=[Change("sudden", 0, 1, None)],
    )
    charts = Page(path).charts
    assert set(charts) == {"timeline", "p-covariate", "effect-covariate-0", "number-1"}
    for spec in charts.values():
        assert vl_convert.vegalite_to_vega(spec, vl_version=vega.VEGA_LITE)["marks"]
