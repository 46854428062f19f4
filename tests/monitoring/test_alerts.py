"""When a monitor is in alert: batch by batch."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from newsclf.monitoring.alerts import Alert, MonitorState, at_least, worst
from newsclf.monitoring.rules import Band, Monitor, parse_windows
from newsclf.monitoring.state import Record

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def batch(number: int, numbers: dict[str, float], when: datetime | None = FIRST, rows: int = 100) -> Record:
    date = when.isoformat() if when else None
    verdict = {"sentence": "", "kinds": {"prior": {"sentence": "The classes have shifted."}}}
    return Record(number, f"b{number}", str(number), date, date or "", rows, numbers, verdict)


def states(watch: MonitorState, values: Sequence[float], rows: int = 100) -> str:
    """One letter a batch, a day each: A for alert, . for ok."""
    shown = ""
    for number, value in enumerate(values, start=1):
        watch.update(batch(number, {"x": value}, FIRST + timedelta(days=number - 1), rows))
        shown += "A" if watch.state == "alert" else "."
    return shown


def watch(windows=(), **more) -> MonitorState:
    return MonitorState(Monitor("m", "x", **more), windows)


@pytest.mark.parametrize(
    ("limits", "values", "expected"),
    [
        ({"high": 5}, [4, 5, 6, 5, 7], "..A.A"),
        ({"low": 5}, [4, 5, 6], "A.."),
        ({"low": 2, "high": 5}, [1, 2, 3, 5, 6], "A...A"),
        ({"high": 5, "in_a_row": 3}, [6, 6, 4, 6, 6, 6, 6, 4], ".....AA."),
    ],
)
def test_fixed_limits(limits, values, expected):
    assert states(watch(**limits), values) == expected


def test_what_cannot_be_seen_changes_nothing():
    assert states(watch(high=5), [6, math.nan, math.nan, 4]) == "AAA."
    assert states(watch(high=5, in_a_row=2), [6, math.nan, 6]) == "..A"
    assert states(watch(high=5, min_rows=101), [6, 6]) == ".."
    missing = watch(high=5)
    assert missing.update(batch(1, {"y": 9}, None)) is None


def test_a_band_of_the_first_batches_stays():
    values = [10, 12, 11, 13, 9, 30, 11, 31]  # mean 11.5, sd 1.29: 7.6 to 15.4
    assert states(watch(band=Band(first=4, sd=3)), values) == ".....A.A"
    assert states(watch(band=Band(first=4, sd=3, side="below")), values) == "........"
    assert states(watch(band=Band(first=4, sd=3, side="above")), [*values, -9]) == ".....A.A."


def test_a_trailing_band_moves_but_not_with_what_is_outside():
    slow = [10 + 0.2 * number + (number % 2) for number in range(40)]
    assert states(watch(band=Band(trailing=5, sd=5)), slow) == "." * 40
    assert "A" in states(watch(band=Band(first=5, sd=5)), slow)
    sudden = [10, 11, 10, 11, 10, *[50] * 20]
    assert states(watch(band=Band(trailing=5, sd=5)), sudden) == "....." + "A" * 20


def test_a_band_of_quantiles():
    seen = watch(band=Band(first=101, quantiles=(0.05, 0.95)))
    states(seen, list(range(101)))
    assert seen.limits() == pytest.approx((5, 95))


def test_equal_values_have_a_band():
    assert states(watch(band=Band(first=3, sd=3)), [0.1 + 0.2, 0.3, 0.3, 0.3, 0.1 + 0.2, 0.31]) == ".....A"
    assert states(watch(band=Band(first=3, sd=3)), [0, 0, 0, 0, 1]) == "....A"


def test_a_window_is_normal_and_learnt_from():
    windows = parse_windows([{"name": "launch", "from": "2026-01-06", "to": "2026-01-08"}])
    values = [10, 11, 10, 11, 10, 50, 51, 52, 50, 10, 90]
    assert states(watch(band=Band(first=4, sd=3)), values) == ".....AAAA.A"
    assert states(watch(windows, band=Band(first=4, sd=3)), values) == "..........."  # mean 27, sd 21: up to 91
    assert states(watch(windows, band=Band(first=4, sd=2)), values) == "..........A"
    assert states(watch(windows, high=20), values) == "........A.A"


def test_a_band_of_one_window_alone():
    windows = parse_windows([
        {"name": "launch", "from": "2026-01-03", "to": "2026-01-05"},
        {"name": "feast", "from": "2026-01-06", "to": "2026-01-06"},
    ])  # fmt: skip
    seen = watch(windows, band=Band(window="launch", sd=3))
    assert states(seen, [99, 99, 10, 11, 12, 500, 11, 30, 12]) == ".......A."


def test_a_window_ends_an_alert():
    windows = parse_windows([{"name": "launch", "from": "2026-01-02", "to": "2026-01-02"}])
    seen = watch(windows, high=5)
    raised = seen.update(batch(1, {"x": 9}))
    resolved = seen.update(batch(2, {"x": 9}, FIRST + timedelta(days=1)))
    assert isinstance(raised, Alert)
    assert isinstance(resolved, Alert)
    assert (raised.state, resolved.state) == ("alert", "ok")
    assert "taken as normal in the window launch" in resolved.sentence


def test_an_alert_says_what_where_and_how_much():
    seen = MonitorState(Monitor("short texts", "characters/mean", low=80, severity="critical", in_a_row=2))
    assert seen.update(batch(1, {"characters/mean": 70.5})) is None
    assert seen.update(batch(2, {"characters/mean": 60})) == Alert(
        monitor="short texts",
        severity="critical",
        state="alert",
        number="characters/mean",
        batch=2,
        batch_name="b2",
        date="2026-01-01T00:00:00+00:00",
        value=60,
        low=80,
        high=None,
        sentence="b2: characters/mean is 60 (normal: at least 80), 2 batches in a row",
    )
    for kind, sentence in (("concept", "concept drift"), ("prior", "The classes have shifted")):
        number = f"{kind}/drifted"
        alert = MonitorState(Monitor("m", number, high=0.5)).update(batch(1, {number: 1.0}, None))
        assert alert is not None
        assert alert.sentence == f"b1: {sentence}"


def test_severities():
    assert worst([]) == "ok"
    assert worst(["warning", "critical", "info"]) == "critical"
    assert at_least("critical", "warning")
    assert not at_least("warning", "critical")
