"""The page of a promotion."""

from pathlib import Path

from newsclf.reports.promotion import write_report
from tests.evaluation.test_gate import judge, make
from tests.reports.made import Page


def test_every_check_stands_with_what_it_found(tmp_path: Path) -> None:
    decision = judge(make("old", 0.88, 0.9), make("new", 0.9, 0.85))
    write_report(tmp_path / "r.html", "Refused.", False, decision, {"challenger": "version 2"}, "The champion of news")
    page = Page(tmp_path / "r.html")
    assert "The champion of news Refused. challenger version 2" in page.text
    assert page.text.count("▲ refused") == 1
    assert page.text.count("● passed") == len(decision.checks) - 1
    assert all(check.sentence in page.text for check in decision.checks)
    assert [row["say"].split(":")[0] for row in page.charts["differences"]["datasets"]["rows"]] == [
        "old test",
        "new test",
    ]
    assert "b 0.9 0.85 +0.0500" in page.text  # recall on the new test


def test_without_a_champion_nothing_is_drawn(tmp_path: Path) -> None:
    decision = judge(make("old", 0.9, None), make("new", 0.9, None))
    write_report(tmp_path / "r.html", "Promoted.", True, decision, {}, "The champion of news")
    page = Page(tmp_path / "r.html")
    assert page.charts == {}
    assert "○ not judged" in page.text
    assert '<p class="headline no-drift">' in page.source


def test_a_rollback_measures_nothing(tmp_path: Path) -> None:
    write_report(tmp_path / "r.html", "Back to version 1.", True, None, {}, "The champion of news")
    page = Page(tmp_path / "r.html")
    assert "Checks" not in page.text
    assert page.charts == {}
