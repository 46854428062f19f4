"""What is left of two samples in profiles says what the samples say."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from newsclf.drift.sketches import compare_sketches, shift_of_means
from newsclf.profiling.profile import TextProfile
from newsclf.profiling.summary import ColumnSummary, summarise
from newsclf.stats.two_sample import hotelling


def summary(*columns: np.ndarray) -> list[ColumnSummary]:
    profile = TextProfile()
    names = [f"direction_{number + 1}" for number in range(len(columns))]
    profile.log(pd.DataFrame(dict(zip(names, columns, strict=True))))
    return [summarise(profile)[name] for name in names]


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def test_without_a_change_p_values_are_not_too_small(random: np.random.Generator) -> None:
    pairs = [(random.normal(size=2000), random.normal(size=2000)) for _ in range(60)]
    p_values = [compare_sketches(*summary(now), *summary(before))[0] for now, before in pairs]
    assert sum(p <= 0.05 for p in p_values) <= stats.binom.ppf(0.999, 60, 0.06)


def test_a_tenth_of_the_rows_elsewhere(random: np.random.Generator) -> None:
    before, now = random.normal(size=20_000), random.normal(size=20_000)
    _, same = compare_sketches(*summary(now), *summary(before))
    now[:2000] += 10
    p_value, moved = compare_sketches(*summary(now), *summary(before))
    assert p_value < 1e-20
    assert same < 0.02 < moved == pytest.approx(0.1, abs=0.02)


def test_missing_values_are_a_bin(random: np.random.Generator) -> None:
    before = random.normal(size=5000)
    now = np.where(np.arange(5000) % 4 == 0, np.nan, random.normal(size=5000))
    p_value, moved = compare_sketches(*summary(now), *summary(before))
    assert p_value < 1e-20
    assert moved == pytest.approx(0.25, abs=0.02)


def test_means_are_compared_as_the_samples_are(random: np.random.Generator) -> None:
    before, now = random.normal(size=(4000, 3)), random.normal(size=(900, 3)) + np.array([0.3, 0, 0])
    p_value, shift = shift_of_means(summary(*now.T), summary(*before.T))
    exact_p_value, exact_shift = hotelling(now, before, np.ones(4000))[:2]
    assert np.log10(p_value) == pytest.approx(np.log10(exact_p_value), rel=0.1)
    assert shift == pytest.approx(exact_shift, abs=0.02)


def test_of_one_row_nothing_is_said() -> None:
    assert shift_of_means(summary(np.array([9.0])), summary(np.arange(50.0))) == (1.0, 0.0)
