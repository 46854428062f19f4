import pytest
from scipy import stats

from newsclf.drift.quality import MIN_EFFECT, compare
from tests.drift.conftest import known

NONE = {"empty": 0, "missing": 0, "duplicate": 0, "unreadable": 0, "unknown_class": 0}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("empty", "3.0% of the rows are empty, 0.0% in the reference."),
        ("missing", "3.0% of the rows are missing, 0.0% in the reference."),
        ("duplicate", "3.0% of the rows repeat another row, 0.0% in the reference."),
        ("unreadable", "3.0% of the rows cannot be read, 0.0% in the reference."),
        ("unknown_class", "3.0% of the rows have a label that the reference does not know, 0.0% in the reference."),
    ],
)
def test_each_reason_is_seen_and_named(name, says):
    found = compare({**NONE, name: 30}, 1000, NONE, 5000)
    exact = stats.fisher_exact([[30, 970], [0, 5000]], alternative="greater").pvalue
    assert found.p_value == pytest.approx(5 * exact)
    assert found.effect == pytest.approx(0.03)
    assert found.changed == says
    assert found.tested[0].name == name


def test_the_share_counts_and_not_the_number():
    before = {**NONE, "empty": 500}
    assert compare({**NONE, "empty": 100}, 1000, before, 5000).p_value == 1
    assert known(compare({**NONE, "empty": 150}, 1000, before, 5000).p_value) < 1e-3
    assert compare(NONE, 1000, before, 5000).p_value == 1, "fewer bad rows are no fault"


def test_specks_are_passed_over_for_what_is_large_enough():
    found = compare({**NONE, "duplicate": 90, "empty": 1120}, 10_000, {**NONE, "empty": 1000}, 10_000)
    assert found.tested[0].name == "duplicate", "the surer one"
    assert found.effect == pytest.approx(0.012)
    assert found.p_value == found.tested[1].p_value
    assert "are empty" in found.changed
    speck = compare({**NONE, "duplicate": 6000}, 10**6, NONE, 10**6)
    assert known(speck.p_value) < 1e-100
    assert speck.effect == pytest.approx(0.006)
    assert known(speck.effect) < speck.min_effect == MIN_EFFECT


def test_what_one_side_has_not_counted_is_not_compared():
    found = compare({"empty": 5, "unknown_class": 100}, 100, {"empty": 0, "duplicate": 3}, 100)
    assert [one.name for one in found.tested] == ["empty"]
    assert found.p_value == pytest.approx(stats.fisher_exact([[5, 95], [0, 100]], alternative="greater").pvalue)


def test_what_fell_is_listed_too():
    found = compare({"empty": 1, "missing": 0}, 100, {"empty": 0, "missing": 50}, 100)
    assert [(one.name, one.effect) for one in found.tested] == [("empty", 0.01), ("missing", -0.5)]
