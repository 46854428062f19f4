from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from newsclf.drift.covariate import DIRECTIONS, LEAST_SHARE, LEAST_SHIFT, evidence, hotelling, judge

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
    found = [judge(made(random, 300), made(random, 800), np.ones(800)).p_value for _ in range(200)]
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
    found = judge(current, made(random, 2000), np.ones(2000))
    name = DIRECTIONS if column.startswith("direction") else column
    assert found.p_value < 1e-6
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
    sure = {"a": (1e-30, LEAST_SHARE / 2, LEAST_SHARE), DIRECTIONS: (1e-30, LEAST_SHIFT / 2, LEAST_SHIFT)}
    assert evidence(sure).p_value > 0.5
    assert evidence(sure | {"b": (0.4, LEAST_SHARE, LEAST_SHARE)}).p_value > 0.2
    large = evidence(sure | {"b": (1e-30, LEAST_SHARE, LEAST_SHARE)})
    assert large.p_value < 1e-25
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
        plain.append(judge(current, reference, np.ones(2000)).p_value)
        weighted.append(judge(current, reference, np.where(second, 1.5, 0.5)).p_value)
    assert max(plain) < 1e-6
    assert sum(p <= 0.05 for p in weighted) <= stats.binom.ppf(0.999, 60, 0.06)


def test_hotelling_of_one_direction_is_students_test():
    random = np.random.default_rng(3)
    current, reference = random.normal(0.4, 1, (80, 1)), random.normal(size=(200, 1))
    found, shift = hotelling(current, reference, np.ones(200))
    assert found == pytest.approx(stats.ttest_ind(current[:, 0], reference[:, 0]).pvalue)
    difference = current.mean() - reference.mean()
    variance = (79 * current.var(ddof=1) + 199 * reference.var(ddof=1)) / 278
    assert shift == pytest.approx(np.sqrt(difference**2 / variance - (1 / 80 + 1 / 200)))


def test_hotelling_is_the_same_in_any_coordinates():
    random = np.random.default_rng(4)
    current, reference = random.normal(0.1, 1, (100, 4)), random.normal(size=(300, 4))
    turned = random.normal(size=(4, 4))
    plain = hotelling(current, reference, np.ones(300))
    assert hotelling(current @ turned + 5, reference @ turned + 5, np.ones(300)) == pytest.approx(plain)


def test_hotelling_holds_its_level():
    random = np.random.default_rng(5)
    pairs = [hotelling(random.normal(size=(30, 8)), random.normal(size=(40, 8)), np.ones(40)) for _ in range(2000)]
    assert 0.037 < np.mean([p <= 0.05 for p, _ in pairs]) < 0.063
    assert np.median([shift for _, shift in pairs]) < 0.2, "what chance gives is taken off"


def test_rows_without_weight_are_not_there():
    random = np.random.default_rng(7)
    current, reference = random.normal(size=(60, 3)), random.normal(size=(90, 3))
    reference[60:] *= 5
    chosen = (np.arange(90) < 60).astype(float)
    assert hotelling(current, reference, chosen) == pytest.approx(hotelling(current, reference[:60], np.ones(60)))


def test_rows_without_a_place_are_left_out():
    random = np.random.default_rng(6)
    current, reference = random.normal(size=(60, 3)), random.normal(size=(90, 3))
    gaps = np.concatenate([current, np.full((7, 3), np.nan)])
    assert hotelling(gaps, reference, np.ones(90)) == hotelling(current, reference, np.ones(90))
    assert hotelling(np.full((60, 3), np.nan), reference, np.ones(90)) == (1.0, 0.0)
    assert hotelling(current, np.full((90, 3), np.nan), np.ones(90)) == (1.0, 0.0)


def test_directions_without_any_spread():
    same = np.ones((90, 2))
    assert hotelling(same[:60], same, np.ones(90)) == (pytest.approx(1), 0.0)
    p_value, shift = hotelling(same[:60] + 0.1, same, np.ones(90))
    assert p_value < 1e-10
    assert shift > 100
