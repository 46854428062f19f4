import pytest

from newsclf import progress as module
from newsclf.progress import progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, in its one element."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_a_line_now_and_then(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with progress("reading", 4000) as update:
        for _ in range(4):
            update(1000)
            clock[0] += 10
    assert capsys.readouterr().out == "reading: 3,000 of 4,000 rows\n"


def test_a_note_is_shown_at_once(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with progress("sweep", 3, "trials") as update:
        update(1)
        update(1, "best 0.9")
    assert capsys.readouterr().out == "sweep: 2 of 3 trials, best 0.9\n"


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress("reading", 10) as update:
        update(4)
        update(6, "done")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "reading: 100%" in shown.err
    assert "done" in shown.err
