"""The page of runs side by side, and its pictures."""

from pathlib import Path

from newsclf.reports.runs import with_interval, write_plots, write_report
from tests.evaluation.test_comparison import judge, run
from tests.reports.made import Page


def test_the_page_holds_everything_and_asks_for_nothing(tmp_path: Path) -> None:
    harmful = "</script><b>&"
    result = judge(run(1, 0.9, e=harmful), run(2, 0.5, e="2"))
    write_report(tmp_path / "report.html", result, "Runs side by side", {"runs": harmful})
    page = Page(tmp_path / "report.html")
    assert harmful not in page.source
    assert page.text.count(harmful) == 2  # the fact, and the parameter that differs
    assert page.loads == []
    assert set(page.charts) == {"scores-chart", "pairs-chart"}
    assert len(page.charts["scores-chart"]["datasets"]["rows"]) == 2
    assert "A - B" in page.text
    assert "▲ different" in page.text
    assert result.sentence in page.text
    assert [path.name for path in write_plots(tmp_path, result)] == ["scores.png", "pairs.png"]
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in ("scores.png", "pairs.png"))


def test_runs_that_cannot_be_compared_have_no_charts(tmp_path: Path) -> None:
    result = judge(run(1, 0.9, rows=200, e="1"), run(2, 0.5, e="2"))
    write_report(tmp_path / "report.html", result, "Runs side by side", {})
    page = Page(tmp_path / "report.html")
    assert set(page.charts) == {"scores-chart"}
    assert "What could not be compared" in page.text


def test_a_score_is_written_with_its_interval_where_there_is_one() -> None:
    row = {"accuracy": 0.91234, "accuracy_low": 0.905, "accuracy_high": 0.919, "f1": -0.5, "none": None}
    assert with_interval(row, "accuracy") == "0.9123 (0.9050 to 0.9190)"
    assert with_interval(row, "accuracy", "+") == "+0.9123 (+0.9050 to +0.9190)"
    assert with_interval(row, "f1", "+") == "-0.5000"
    assert with_interval(row, "none") == "\u2013"
