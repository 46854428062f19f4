import numpy as np
import pandas as pd
import pytest
from scipy import stats

from newsclf.drift.covariate import DIRECTIONS, MIN_SHARE, MIN_SHIFT, compare, evidence, with_words
from newsclf.drift.words import WordChange
from tests.drift.conftest import known

WIDTH = 6


def made(random: np.random.Generator, rows: int) -> pd.DataFrame:
    """Columns that depend on each other, as those of texts do; one has ties, one has gaps."""
    hidden = random.normal(size=rows)
    frame = pd.DataFrame(
        {
            "characters": np.round(np.exp(5 + 0.4 * hidden)),
            "words": np.round(np.exp(3.4 + 0.4 * hidden)),
            "ending": random.integers(0, 6, rows).astype(float),
            "surprise": hidden + random.normal(size=rows),
            "distance": np.where(random.random(rows) < 0.01, np.nan, hidden + random.normal(size=rows)),
            "distance_to_a": random.normal(size=rows),
        }
    )
    for number in range(WIDTH):
        frame[f"direction_{number + 1}"] = random.normal(size=rows)
    return frame


def test_without_a_change_p_values_are_not_too_small():
    random = np.random.default_rng(0)
    found = [known(compare(made(random, 300), made(random, 800), np.ones(800)).p_value) for _ in range(200)]
    for level in (0.1, 0.05, 0.01):
        assert sum(p <= level for p in found) <= stats.binom.ppf(0.999, len(found), level * 1.2), level


@pytest.mark.parametrize(
    ("column", "change", "unit"),
    [
        ("characters", lambda x: x * 1.3, "share of texts"),
        ("ending", lambda x: np.minimum(x + 1, 5), "share of texts"),
        ("distance", lambda x: np.where(np.arange(len(x)) < 60, 9.0, x), "share of texts"),
        ("direction_3", lambda x: x + 0.5, "standard deviations"),
    ],
)
def test_what_moved_is_named_first(column, change, unit):
    random = np.random.default_rng(1)
    current = made(random, 1000)
    current[column] = change(current[column].to_numpy())
    found = compare(current, made(random, 2000), np.ones(2000))
    name = DIRECTIONS if column.startswith("direction") else column
    assert known(found.p_value) < 1e-6
    assert found.tested[0].name == name
    assert name in found.changed
    assert found.effect_unit == unit
    assert found.effect == found.tested[0].effect
    if name == DIRECTIONS:
        assert found.effect == pytest.approx(0.5, abs=0.1)
        assert "by 0." in found.changed
    assert [one.p_value for one in found.tested] == sorted(one.p_value for one in found.tested)
    assert {one.name for one in found.tested} == {"characters", "ending", "surprise", "distance", DIRECTIONS}


def test_specks_are_no_drift_however_sure():
    sure = {"a": (1e-30, MIN_SHARE / 2, MIN_SHARE), DIRECTIONS: (1e-30, MIN_SHIFT / 2, MIN_SHIFT)}
    assert known(evidence(sure).p_value) > 0.5
    assert known(evidence(sure | {"b": (0.4, MIN_SHARE, MIN_SHARE)}).p_value) > 0.2
    large = evidence(sure | {"b": (1e-30, MIN_SHARE, MIN_SHARE)})
    assert known(large.p_value) < 1e-25
    assert large.tested[0].name == "b"


def test_weights_take_out_a_change_of_the_classes_alone():
    random = np.random.default_rng(2)

    def of_classes(rows: int, share: float) -> tuple[pd.DataFrame, np.ndarray]:
        second = random.random(rows) < share
        frame = made(random, rows)
        frame["surprise"] += 2 * second
        frame["direction_1"] += 2 * second
        return frame, second

    plain, weighted = [], []
    for _ in range(60):
        reference, second = of_classes(2000, 0.5)
        current, _ = of_classes(800, 0.75)
        plain.append(known(compare(current, reference, np.ones(2000)).p_value))
        weighted.append(known(compare(current, reference, np.where(second, 1.5, 0.5)).p_value))
    assert max(plain) < 1e-6
    assert sum(p <= 0.05 for p in weighted) <= stats.binom.ppf(0.999, 60, 0.06)


GONE = WordChange("Reuters", 0.09, 0.0, 1e-12)


def test_words_and_columns_are_two_tests_of_one_kind():
    quiet, moved = evidence({"characters": (0.3, 0.03, 0.02)}), evidence({"characters": (1e-20, 0.3, 0.02)})
    assert with_words(quiet, []).p_value == min(1.0, 2 * known(quiet.p_value))
    assert with_words(moved, []).changed == moved.changed
    by_words = with_words(quiet, [GONE])
    assert (by_words.p_value, by_words.effect, by_words.effect_unit) == (2e-12, 0.09, "share of texts")
    both = with_words(moved, [GONE])
    assert (both.p_value, both.effect) == (2 * known(moved.p_value), 0.3)
    assert both.changed == (
        'The texts have other words: "Reuters" in 0.0% of the texts (9.0% before). '
        "Besides, their length moved in 30.0% of the texts (characters)."
    )
    assert both.words == (GONE,)


def test_a_change_of_one_word_that_no_column_shows_is_a_drift_that_names_it(reference, news):
    texts = [text.replace("week", "year") for text in news.texts(400)]
    verdict = reference.judge(texts)
    assert verdict.kind == "covariate"
    assert "week" in {change.term for change in verdict.kinds["covariate"].words}
    assert '"week" in 0.0% of the texts' in verdict.sentence


def test_the_words_of_other_class_shares_are_no_drift_of_the_texts(reference, news):
    texts, labels = news.rows(400, (0.7, 0.2, 0.1))
    verdict = reference.judge(texts, labels)
    assert verdict.kinds["prior"].drifted
    assert not verdict.kinds["covariate"].drifted
