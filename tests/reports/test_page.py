"""A page is written whole, holds all that it needs, and nothing that is foreign leaves its place."""

from pathlib import Path

import pytest

from newsclf.reports import page, vega
from tests.reports.made import HARMFUL, Page

EMPTY = {"batches": [], "drifted": "", "tried": [], "scores": [], "to_label": []}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report.html"


def write(path: Path, **values: object) -> None:
    page.write(path, "retraining.html.jinja", title=HARMFUL, sentence="s", **(EMPTY | values))  # type: ignore[arg-type]


def test_a_page_that_fails_leaves_the_old_one_and_no_rest(path: Path) -> None:
    path.write_text("old")
    with pytest.raises(TypeError, match="JSON"):
        write(path, charts={"chart": {"a": object()}})
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]
    write(path)
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_nothing_is_loaded_and_no_script_can_be_ended_early(path: Path) -> None:
    write(path, facts={HARMFUL: HARMFUL}, charts={"a": {"say": HARMFUL.replace("\ud800", "")}})
    shown = Page(path)
    assert shown.loads == []
    assert shown.tags.count("script") == 3
    assert shown.text.count("</script><script>alert(1)</script><!-- \ufffd \ufffd") == 4  # title twice, a fact's both
    assert "alert(1)" in shown.charts["a"]["say"]
    assert "</script" not in vega.script()
    assert "<!--" not in vega.script()
