"""What stands in report.html; tests/integration/test_report_browser.py looks at it in a browser."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsclf.reports import charts, page, vega
from newsclf.reports.badges import TEMPLATES
from newsclf.reports.profile import (
    AlertMark,
    BatchPoint,
    ChangeMark,
    ClassShares,
    ColumnPair,
    Histogram,
    MapPoints,
    Strange,
    Window,
    comparison_report,
    stream_report,
)
from newsclf.reports.wording import DASH, clean, number, p_value, percent

HARMFUL = "</script><script>alert(1)</script><!-- \ud800 \x00 \u2028 \u202e"
UNIFORM = Histogram([0, 1, 2, 3, 4], [1, 1, 1, 1])


def finding(kind: str, drifted: bool | None, moved: tuple[tuple[str, float], ...] = ()) -> dict[str, Any]:
    judged = drifted is not None
    return {
        "kind": kind,
        "drifted": drifted,
        "p_value": (0.0001 if drifted else 0.5) if judged else None,
        "effect": 0.25 if judged else None,
        "effect_unit": "total variation",
        "moved": [{"name": name, "p_value": 0.0001, "effect": effect} for name, effect in moved],
        "sentence": f"About {kind}.",
    }


def verdict(drifted: bool | None = True, moved: tuple[tuple[str, float], ...] = ()) -> dict[str, Any]:
    kinds = {"covariate": finding("covariate", drifted, moved), "concept": finding("concept", None)}
    sentence = {True: "Drift: the texts changed.", False: "No drift.", None: "Not enough data."}[drifted]
    kind = "covariate" if drifted else None
    return {"drifted": drifted, "kind": kind, "kinds": kinds, "alpha": 0.05, "rows": 1000, "sentence": sentence}


class Page(HTMLParser):
    """The visible text, the tags, the charts' specifications, and whatever would load something."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.loads: list[str] = []
        self.json = ""
        self.feed(path.read_text(encoding="utf-8"))
        self.text = " ".join(" ".join(self.texts).split())
        data = json.loads(self.json)
        self.charts, self.shared = data["charts"], data["shared"]

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        values = dict(attributes)
        self.loads += [v for k, v in values.items() if k in ("src", "srcset", "href") and not v.startswith("#")]
        if tag not in ("meta", "link", "input", "img"):
            self.stack.append("data" if values.get("id") == "data" else tag)

    def handle_endtag(self, tag):
        self.stack.pop()

    def handle_data(self, data):
        where = self.stack[-1] if self.stack else ""
        if where == "data":
            self.json += data
        elif where not in ("script", "style"):
            self.texts.append(data)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "report.html"


def test_every_kind_has_a_line_and_the_verdict_stands_first(path):
    comparison_report(path, title="A batch", columns=[], verdict=verdict())
    text = Page(path).text
    order = ["▲ drift", "Drift: the texts changed.", "covariate", "p < 0.001", "effect 0.25 total variation"]
    order += ["About covariate.", "concept", "○ cannot be judged", "About concept."]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("drifted", "badge"), [(True, "▲ drift"), (False, "● no drift"), (None, "○ not enough data")]
)  # fmt: skip
def test_the_verdict_is_said_in_words(path, drifted, badge):
    comparison_report(path, title="A batch", columns=[], verdict=verdict(drifted))
    assert f"A batch {badge} " in Page(path).text


def test_a_profile_alone_says_that_nothing_is_judged(path):
    comparison_report(path, title="t", columns=[ColumnPair("words", None, UNIFORM)], facts={"rows": 1000})
    shown = Page(path)
    assert "Profile of 1000 rows and 1 columns. There is no reference, so no drift is judged." in shown.text
    assert "No map: this report was made from profiles alone" in shown.text
    assert "No texts: this report was made from profiles alone" in shown.text
    assert list(shown.charts) == ["column-0"]


def test_moved_columns_come_first_by_effect_then_the_others_by_p_value(path):
    columns = [
        ColumnPair("calm", UNIFORM, UNIFORM, 0.9, 0.0),
        ColumnPair("nearly", UNIFORM, UNIFORM, 0.06, 0.1),
        ColumnPair("little", UNIFORM, UNIFORM, 0.0001, -0.2),
        ColumnPair("much", UNIFORM, UNIFORM, 0.001, -0.6),
        ColumnPair("unknown", UNIFORM, None),
    ]
    comparison_report(path, title="t", columns=columns, verdict=verdict(moved=(("much", -0.6), ("little", -0.2))))
    labels = re.findall(r'aria-label="(\w+): ', path.read_text(encoding="utf-8"))
    assert labels == ["much", "little", "nearly", "calm", "unknown"]
    assert Page(path).text.count("▲ moved") == 2
    assert 'href="#column-0-card">much' in path.read_text(encoding="utf-8")


def test_foreign_text_cannot_leave_its_place(path):
    strange = [Strange(HARMFUL, 1.0, HARMFUL), Strange(None, 0.5, None)]
    points = MapPoints([0, 1], [0, 1], [True, False], [HARMFUL, None], [HARMFUL, None], [1.0, 2.0])
    shares = [ClassShares(HARMFUL, [HARMFUL, "b"], [1, 2], [2, 1])]
    column = ColumnPair(HARMFUL, UNIFORM, UNIFORM)
    said = verdict() | {"sentence": HARMFUL}
    facts = {HARMFUL: HARMFUL}
    comparison_report(
        path, title=HARMFUL, columns=[column], verdict=said, class_shares=shares, points=points, strangest=strange,
        facts=facts,
    )  # fmt: skip
    shown = Page(path)
    assert shown.tags.count("script") == 3
    assert shown.loads == []
    assert shown.text.count("</script><script>alert(1)</script><!-- \ufffd \ufffd") >= 8
    assert any("alert(1)" in row["say"] for row in shown.charts["map"]["datasets"]["rows"])


def test_nothing_is_loaded_and_no_script_can_be_ended_early(path):
    comparison_report(path, title="t", columns=[ColumnPair("a", UNIFORM, UNIFORM)])
    assert Page(path).loads == []
    assert "</script" not in vega.script()
    assert "<!--" not in vega.script()


def test_texts_are_cut_and_points_are_few(path):
    many = 9000
    current = [index % 3 == 0 for index in range(many)]
    points = MapPoints(list(range(many)), list(range(many)), current, ["y" * 5000] * many, None, None)
    comparison_report(path, title="t", columns=[], points=points, strangest=[Strange("z" * 5000, 1.0)] * 500)
    rows = Page(path).charts["map"]["datasets"]["rows"]
    assert len(rows) == 2000
    assert sum(row["side"] == "current" for row in rows) == 1000
    assert max(len(row["say"]) for row in rows) < 330
    assert path.read_text(encoding="utf-8").count("z" * 299 + "…") == 50
    assert path.stat().st_size < 2_500_000


def test_a_small_side_is_kept_whole(path):
    current = [index < 100 for index in range(9000)]
    comparison_report(path, title="t", columns=[], points=MapPoints(range(9000), range(9000), current))
    rows = Page(path).charts["map"]["datasets"]["rows"]
    assert len(rows) == 2000
    assert sum(row["side"] == "current" for row in rows) == 100


def test_points_without_a_place_are_left_out(path):
    points = MapPoints([0.0, float("nan"), 1.0], [0.0, 0.0, float("inf")], [True, False, False])
    comparison_report(path, title="t", columns=[], points=points)
    assert len(Page(path).charts["map"]["datasets"]["rows"]) == 1
    comparison_report(path, title="t", columns=[], points=MapPoints([], [], []))
    assert "No map" in Page(path).text


def test_a_sentence_of_ones_own_stands_at_the_top(path):
    comparison_report(path, title="t", columns=[], verdict=verdict(), sentence="In other words.")
    assert "▲ drift In other words." in Page(path).text


def test_a_report_that_fails_leaves_the_old_one_and_no_rest(path):
    path.write_text("old")
    with pytest.raises(KeyError):
        comparison_report(path, title="t", columns=[], verdict={"drifted": True, "kinds": {}})
    with pytest.raises(TypeError, match="JSON"):
        page.write(path, TEMPLATES / "comparison.html.jinja", {"chart": object()}, {})
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def batch(at: int, drifted: bool | None, **numbers: float) -> BatchPoint:
    return BatchPoint(at, f"2026-01-{at:02}T00:00:00", f"day{at}.csv", 1000, verdict(drifted), numbers)


def test_a_stream_is_summed_up(path):
    batches = [batch(1, False, accuracy=0.9), batch(2, None), batch(3, True, accuracy=float("nan")), batch(5, True)]
    stream_report(
        path,
        title="t",
        batches=batches,
        alerts=[AlertMark("m", "critical", 3, "It fell.", ["accuracy"]), AlertMark("m", "warning", 99, "Elsewhere.")],
        windows=[Window(2, 3, "holidays"), Window(50, 60, "later")],
        changes=[ChangeMark("sudden", 3, 5, None, "It jumped.")],
    )
    shown = Page(path)
    assert (
        "last batch: ▲ drift Drift in 2 of 4 batches, first in batch 3 (2026-01-03), most often of the kind covariate; "
        "1 batch too small to judge; 2 alerts. The last batch drifts."
    ) in shown.text
    assert "holidays : batch 2 (2026-01-02) to batch 3 (2026-01-03), taken as normal" in shown.text
    assert "later : none of these batches lies in it" in shown.text
    assert "sudden It jumped." in shown.text
    assert shown.shared["labels"] == ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-05"]
    marks = [row for row in shown.charts["timeline"]["datasets"]["rows"] if row["lane"] == "alerts"]
    assert [(row["x"], row["mark"]) for row in marks] == [(2, "critical")]
    assert shown.charts["number-0"]["usermeta"]["values"] == [0.9, None, None, None]
    assert shown.charts["p-covariate"]["usermeta"]["drifted"] == [0, 0, 1, 1]
    assert "p-concept" not in shown.charts  # never judged: nothing to draw


def test_batches_within_a_day_show_their_time(path):
    hours = [BatchPoint(n, f"2026-01-01T{n:02}:30:00", "f", 9, verdict(False)) for n in (0, 1)]
    hours.append(BatchPoint(2, None, "f", 9, verdict(False)))
    stream_report(path, title="t", batches=hours)
    assert Page(path).shared["labels"] == ["2026-01-01 00:30", "2026-01-01 01:30", "2"]


def test_a_stream_without_batches_is_refused(path):
    with pytest.raises(ValueError, match="at least one batch"):
        stream_report(path, title="t", batches=[])


def test_every_chart_is_valid_vega_lite(tmp_path):
    import vl_convert

    comparison_report(
        tmp_path / "a.html",
        title="t",
        verdict=verdict(moved=(("a", 1.0),)),
        columns=[ColumnPair("a", UNIFORM, UNIFORM), ColumnPair("b", None, Histogram([1, 1], [5]))],
        class_shares=[ClassShares("labels", [f"c{n}" for n in range(40)], np.ones(40), np.arange(40))],
        points=MapPoints([0, 1], [0, 0], [True, False]),
    )
    stream_report(
        tmp_path / "b.html",
        title="t",
        batches=[batch(1, True, a=1.0)],
        alerts=[AlertMark("m", "warning", 1, "s")],
        windows=[Window(1, 1, "w")],
        changes=[ChangeMark("sudden", 1, 1, None, "s")],
    )
    specs = Page(tmp_path / "a.html").charts | Page(tmp_path / "b.html").charts
    assert {"column-0", "column-1", "classes-0", "map", "timeline", "p-covariate", "number-0"} <= set(specs)
    for spec in specs.values():
        assert vl_convert.vegalite_to_vega(spec, vl_version=vega.VEGA_LITE)["marks"]


# --- histograms


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=60),
    st.lists(st.floats(-60, 60), min_size=2, max_size=20, unique=True),
)
def test_cumulative_is_a_distribution_function(values, points):
    spread = Histogram.from_quantiles(sorted(map(float, values)))
    at = np.sort(points)
    below = spread.cumulative(at)
    assert (np.diff(below) >= -1e-12).all()
    assert (below[at <= min(values)] == 0).all()
    assert (below[at > max(values)] == 1).all()


def test_shares_of_a_quantile_grid_are_those_of_the_values():
    values = np.random.default_rng(0).normal(size=20_000)
    spread = Histogram.from_quantiles(np.quantile(values, np.linspace(0, 1, 401)).tolist())
    edges = np.linspace(values.min(), values.max(), 30)
    expected = np.histogram(values, edges)[0] / len(values)
    np.testing.assert_allclose(spread.shares(edges), expected, atol=0.004)
    assert spread.shares(edges).sum() == pytest.approx(1)


def test_a_value_that_many_rows_share_stays_in_its_bin():
    zeros_and_ones = Histogram.from_quantiles([0.0] * 71 + [1.0] * 30)
    edges = charts.common_edges([zeros_and_ones])
    assert edges.tolist() == [-0.5, 0.5, 1.5]
    np.testing.assert_allclose(zeros_and_ones.shares(edges), [0.705, 0.295], atol=0.006)


def test_one_value_that_is_far_out_does_not_flatten_the_rest():
    edges = charts.common_edges([Histogram.from_quantiles([*np.linspace(0.1, 1.1, 1000).tolist(), 1e9])])
    assert edges[-1] < 2
    constant = charts.common_edges([Histogram([0.25, 0.25], [7])])
    assert constant.tolist() == [-0.25, 0.75]


@pytest.mark.parametrize(
    ("edges", "counts"), [([0, 1], []), ([0, 1, 2], [1]), ([1, 0], [1]), ([0, np.nan], [1]), ([0, 1], [0])]
)
def test_a_histogram_that_is_none_is_refused(edges, counts):
    with pytest.raises(ValueError, match="edges|counts"):
        Histogram(edges, counts)


# --- wording


def test_foreign_text_is_cleaned():
    assert clean(None, 10) == clean(float("nan"), 10) == ""
    assert clean(" a\n\tb\u2028c ", 10) == "a b c"
    assert clean("\ud800\x00\ufffe", 10) == "\ufffd" * 3
    assert clean("a\u202eb\u2067c\u200fd", 10) == "abc\u200fd"
    assert clean("abcdef", 6) == "abcdef"
    assert clean("abcdefg", 6) == "abcde…"


def test_numbers_are_short():
    assert [number(value) for value in (None, float("inf"), 0.12345, -3, 12345.6)] == [
        DASH,
        DASH,
        "0.123",
        "\u22123",
        "12,346",
    ]
    assert [p_value(value) for value in (None, 0.00099, 0.05, 1)] == [DASH, "< 0.001", "0.050", "1.000"]
    assert [percent(value) for value in (None, 0, 0.00123, 0.5)] == [DASH, "0.0 %", "0.123 %", "50.0 %"]
