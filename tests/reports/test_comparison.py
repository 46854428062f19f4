"""What stands on the page of a batch; tests/integration/test_report_browser.py looks at it in a browser."""

import re
from pathlib import Path

import numpy as np
import pytest

from newsclf.reports import vega
from newsclf.reports.comparison import write_report
from newsclf.reports.data import ChangedWord, ClassShares, ColumnPair, Histogram, MapPoints, Outlier
from tests.reports.made import HARMFUL, Page, covariate, finding, verdict

UNIFORM = Histogram([0, 1, 2, 3, 4], [1, 1, 1, 1])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report.html"


def test_every_kind_has_a_line_and_the_verdict_stands_first(path: Path) -> None:
    write_report(path, title="A batch", columns=[], verdict=covariate(True))
    text = Page(path).text
    order = ["▲ drift", "Drift: the texts changed.", "covariate", "p < 0.001", "effect 0.25 total variation"]
    order += ["About covariate.", "concept", "○ cannot be judged", "About concept."]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("drifted", "badge"), [(True, "▲ drift"), (False, "● no drift"), (None, "○ not enough data")]
)  # fmt: skip
def test_the_verdict_is_said_in_words(path: Path, drifted: bool | None, badge: str) -> None:
    write_report(path, title="A batch", columns=[], verdict=covariate(drifted))
    assert f"A batch {badge} " in Page(path).text


def test_a_profile_alone_says_that_nothing_is_judged(path: Path) -> None:
    write_report(path, title="t", columns=[ColumnPair("words", None, UNIFORM)], facts={"rows": 1000})
    shown = Page(path)
    assert "Profile of 1000 rows and 1 columns. There is no reference, so no drift is judged." in shown.text
    assert "No map: this report was made from profiles alone" in shown.text
    assert "No texts: this report was made from profiles alone" in shown.text
    assert list(shown.charts) == ["column-0"]


def test_moved_columns_come_first_by_effect_then_the_others_by_p_value(path: Path) -> None:
    columns = [
        ColumnPair("calm", UNIFORM, UNIFORM, 0.9, 0.0),
        ColumnPair("nearly", UNIFORM, UNIFORM, 0.06, 0.1),
        ColumnPair("little", UNIFORM, UNIFORM, 0.0001, -0.2, moved=True),
        ColumnPair("much", UNIFORM, UNIFORM, 0.001, -0.6, moved=True),
        ColumnPair("unknown", UNIFORM, None),
    ]
    write_report(path, title="t", columns=columns, verdict=covariate(True, moved=(("little", -0.2), ("much", -0.6))))
    shown = Page(path)
    assert re.findall(r'aria-label="(\w+): ', shown.source) == ["much", "little", "nearly", "calm", "unknown"]
    assert shown.text.count("▲ moved") == 2
    assert 'href="#column-0-card">much' in shown.source


def test_of_very_many_columns_that_moved_the_first_are_named(path: Path) -> None:
    moved = tuple((f"c{n:02}", 1.0 - n / 100) for n in range(20))
    write_report(path, title="t", columns=[], verdict=covariate(True, moved))
    assert "c11 and 8 more" in Page(path).text


def test_foreign_text_cannot_leave_its_place(path: Path) -> None:
    write_report(
        path,
        title=HARMFUL,
        columns=[ColumnPair(HARMFUL, UNIFORM, UNIFORM)],
        verdict=verdict(finding("covariate", True, moved=((HARMFUL, 0.5),)), sentence=HARMFUL),
        class_shares=[ClassShares(HARMFUL, [HARMFUL, "b"], [1, 2], [2, 1])],
        points=MapPoints([0, 1], [0, 1], [True, False], [HARMFUL, None], [HARMFUL, None], [1.0, 2.0]),
        outliers=[Outlier(HARMFUL, 1.0, HARMFUL), Outlier(None, 0.5, None)],
        words=[ChangedWord(HARMFUL, 0.5, 0.25, [HARMFUL])],
        facts={HARMFUL: HARMFUL},
    )
    shown = Page(path)
    assert shown.tags.count("script") == 3
    assert shown.loads == []
    assert shown.text.count("</script><script>alert(1)</script><!-- \ufffd \ufffd") >= 9
    assert any("alert(1)" in row["say"] for row in shown.charts["map"]["datasets"]["rows"])


def test_words_that_changed_stand_before_the_columns(path: Path) -> None:
    words = [ChangedWord("oil", 0.02, 0.14, ["oil rises", "oil falls"]), ChangedWord("gas", 0.1, 0.0)]
    write_report(path, title="t", columns=[], words=words)
    shown = Page(path)
    assert shown.source.index('id="words"') < shown.source.index('id="columns"')
    for text in ("oil", "14.0 %", "+12.0", "oil falls", "gas", "\u221210.0", "none"):
        assert text in shown.text
    write_report(path, title="t", columns=[])
    assert 'id="words"' not in Page(path).source


def test_texts_are_cut(path: Path) -> None:
    points = MapPoints([0, 1], [0, 1], [True, False], ["y" * 5000] * 2)
    write_report(path, title="t", columns=[], points=points, outliers=[Outlier("z" * 5000, 1.0)] * 3)
    shown = Page(path)
    assert max(len(row["say"]) for row in shown.charts["map"]["datasets"]["rows"]) < 330
    assert shown.source.count("z" * 299 + "…") == 3


def test_without_points_there_is_no_map(path: Path) -> None:
    write_report(path, title="t", columns=[], points=MapPoints([], [], []), outliers=[])
    assert "No map" in Page(path).text
    assert "There are no texts to show." in Page(path).text


def test_a_sentence_of_ones_own_stands_at_the_top(path: Path) -> None:
    write_report(path, title="t", columns=[], verdict=covariate(True), sentence="In other words.")
    assert "▲ drift In other words." in Page(path).text


def test_every_chart_is_valid_vega_lite(path: Path) -> None:
    import vl_convert

    write_report(
        path,
        title="t",
        verdict=covariate(True, moved=(("a", 1.0),)),
        columns=[ColumnPair("a", UNIFORM, UNIFORM), ColumnPair("b", None, Histogram([1, 1], [5]))],
        class_shares=[ClassShares("labels", [f"c{n}" for n in range(40)], np.ones(40).tolist(), list(range(40)))],
        points=MapPoints([0, 1], [0, 0], [True, False]),
    )
    charts = Page(path).charts
    assert set(charts) == {"column-0", "column-1", "classes-0", "map"}
    for spec in charts.values():
        assert vl_convert.vegalite_to_vega(spec, vl_version=vega.VEGA_LITE)["marks"]
