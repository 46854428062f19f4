"""Who is told of what: once for every change of state, over several calls, with endpoints that fail."""

import json
import socket
from pathlib import Path

import pytest

from newsclf.monitoring.alert_manager import AlertManager
from newsclf.monitoring.notifier import Notifier
from newsclf.monitoring.rules import Monitor
from newsclf.monitoring.state import Record, State

HIGH = Monitor("too high", "x", high=5, severity="critical")
LOW = Monitor("too low", "x", low=2, severity="info")


def record(number: int, value: float) -> Record:
    time = f"2026-01-{number:02}T00:00:00+00:00"
    return Record(number, f"b{number}", str(number), time, time, 100, {"x": value}, {})


def board(folder: Path, *urls: str, monitors: tuple[Monitor, ...] = (HIGH, LOW)) -> AlertManager:
    return AlertManager(monitors, (), Notifier(urls, "$URLS"), State(folder), "stream s, run r")


def go(made: AlertManager, *values: float, begin: int = 1, new: bool = True) -> list[list[str]]:
    """What is told after each batch, as "monitor state"."""
    told = []
    for number, value in enumerate(values, start=begin):
        made.update(record(number, value), new=new)
        told.append([f"{alert.monitor} {alert.state}" for alert in made.tell()])
    return told


def test_a_change_of_state_is_told_once(tmp_path, endpoint):
    made = board(tmp_path, endpoint.url)
    assert go(made, 3, 9, 9, 9, 3, 3, 1) == [
        [], ["too high alert"], [], [], ["too high ok"], [], ["too low alert"],
    ]  # fmt: skip
    assert endpoint.titles == ["newsclf critical: too high", "newsclf resolved: too high", "newsclf info: too low"]
    assert [message["type"] for message in endpoint.messages] == ["failure", "success", "info"]
    assert endpoint.messages[0]["message"] == "b2: x is 9 (normal: at most 5)\nstream s, run r"
    assert made.tell(again=True) == []
    assert len(endpoint.messages) == 3


def test_another_call_goes_on_where_the_first_one_stopped(tmp_path, endpoint):
    go(board(tmp_path, endpoint.url), 3, 9)
    second = board(tmp_path, endpoint.url)
    for number, value in ((1, 3.0), (2, 9.0)):
        second.update(record(number, value), new=False)
    assert second.tell() == []
    assert go(second, 9, 3, begin=3) == [[], ["too high ok"]]
    assert endpoint.titles == ["newsclf critical: too high", "newsclf resolved: too high"]


@pytest.mark.parametrize("status", [500, 404])
def test_what_could_not_be_sent_is_sent_at_the_end_or_by_the_next_call(tmp_path, endpoint, status):
    endpoint.status = status
    made = board(tmp_path, endpoint.url)
    assert go(made, 9, 9, 9) == [["too high alert"], [], []], "the console is told all the same"
    assert len(endpoint.messages) == 1, "not tried again at every batch"
    assert made.tell(again=True) == []
    assert len(endpoint.messages) == 2
    assert made.unsent == ["too high"]

    endpoint.status = 200
    again = board(tmp_path, endpoint.url)
    for number in (1, 2, 3):
        again.update(record(number, 9), new=False)
    assert again.tell() == []
    assert again.unsent == []
    assert len(endpoint.messages) == 3


def test_one_endpoint_that_is_down_keeps_nothing_from_the_other(tmp_path, endpoint, other_endpoint):
    endpoint.status = 500
    notifier = Notifier([endpoint.url, other_endpoint.url], "$URLS")
    made = AlertManager([HIGH], [], notifier, State(tmp_path))
    go(made, 9, 9, 3, 9)
    made.tell(again=True)
    assert other_endpoint.titles == [f"newsclf {word}: too high" for word in ("critical", "resolved", "critical")]
    assert (notifier.sent, notifier.failed > 1, made.unsent) == (3, True, ["too high"])


def test_nobody_listens(tmp_path, endpoint):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        made = board(tmp_path, f"json://127.0.0.1:{closed.getsockname()[1]}")
        assert go(made, 9) == [["too high alert"]]
    assert made.unsent == ["too high"]


def test_without_urls_nothing_is_sent_and_nothing_is_unsent(tmp_path):
    made = board(tmp_path)
    assert go(made, 9) == [["too high alert"]]
    assert made.unsent == []


def test_the_state_holds_no_url(tmp_path, endpoint):
    go(board(tmp_path, endpoint.url + "?token=geheim"), 9)
    kept = "".join(path.read_text() for path in tmp_path.rglob("*.json"))
    assert "127.0.0.1" not in kept
    assert "geheim" not in kept


def test_another_rule_of_the_same_name_starts_afresh(tmp_path, endpoint):
    go(board(tmp_path, endpoint.url, monitors=(HIGH,)), 9)
    higher = Monitor("too high", "x", high=20, severity="critical")
    second = board(tmp_path, endpoint.url, monitors=(higher,))
    second.update(record(1, 9), new=False)
    assert second.tell() == []
    assert go(second, 30, begin=2) == [["too high alert"]]
    assert len(endpoint.messages) == 2


def test_what_fails_a_pipeline(tmp_path):
    made = board(tmp_path)
    go(made, 9, 3)
    assert made.failing("critical") == ["too high"], "it was in alert at a batch of this call"
    assert made.failing("never") == []
    go(made, 1, begin=3)
    assert made.failing("warning") == ["too high"]
    earlier = board(tmp_path)
    go(earlier, 9, 3, new=False)
    assert earlier.failing("critical") == [], "of a batch of an earlier call the earlier call has told"
    go(earlier, 9, begin=3, new=False)
    assert earlier.failing("critical") == ["too high"], "but not of what lasts"


def test_alerts_json(tmp_path):
    made = board(tmp_path)
    go(made, 9, 3, 1)
    assert made.raised() == {"info": 1, "warning": 0, "critical": 1}
    assert (made.worst, made.in_alert) == ("info", ["too low"])
    made.write(tmp_path / "alerts.json")
    found = json.loads((tmp_path / "alerts.json").read_text())
    assert found["state"] == "info"
    assert [(one["name"], one["state"]) for one in found["monitors"]] == [("too high", "ok"), ("too low", "alert")]
    assert [(one["monitor"], one["state"], one["batch"]) for one in found["alerts"]] == [
        ("too high", "alert", 1),
        ("too high", "ok", 2),
        ("too low", "alert", 3),
    ]
