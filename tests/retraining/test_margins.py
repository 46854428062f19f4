"""The gate's limits allow for what chance does to few rows, and for no more than that."""

import numpy as np
import pandas as pd
import pytest

from newsclf.config import PromoteConfig
from newsclf.evaluation.gate import Check, Limits, Measured, run_gate
from newsclf.retraining.margins import margins_for

STATED = Limits(0.01, 0.05, 0.05, 0.1, 1.5)


def test_with_very_many_rows_the_limits_are_the_stated_ones() -> None:
    tests = [pd.DataFrame({"label": ["a", "b"] * 2_000_000})] * 2
    found = margins_for(0.01, 0.05, 0.1, tests)
    assert found == pytest.approx({"accuracy_margin": 0.01, "recall_margin": 0.05, "calibration_limit": 0.1}, abs=2e-3)


def test_fewer_rows_widen_more_and_no_limit_is_over_1() -> None:
    sizes = (4, 40, 400, 4000)
    found = [margins_for(0.01, 0.05, 0.1, [pd.DataFrame({"label": ["a", "b"] * size})]) for size in sizes]
    for name in found[0]:
        values = [one[name] for one in found]
        assert values == sorted(values, reverse=True)
        assert 0 < values[-1] < values[0] <= 1


def test_the_names_are_options_of_promote() -> None:
    assert all(
        hasattr(PromoteConfig(), name) for name in margins_for(0.01, 0.05, 0.1, [pd.DataFrame({"label": ["a"]})])
    )


@pytest.mark.integration  # seconds of drawing
@pytest.mark.parametrize("rows", [80, 400])
def test_equally_good_models_are_rarely_refused_for_a_class_or_for_calibration(rows: int) -> None:
    random = np.random.default_rng(rows)
    refused, stated = 0, 0
    for _ in range(60):
        old, new = (measured(name, rows, 0.9, 0.9, random) for name in ("old", "new"))
        refused += fails(verdict(old, new))
        stated += fails(run_gate(old, new, (1.0, 1.0), STATED, 200, 0).checks)
    assert refused <= 12 < stated


def test_a_much_worse_model_is_still_refused() -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        checks = verdict(measured("old", 400, 0.75, 0.9, random), measured("new", 80, 0.9, 0.5, random))
        assert [check.passed for check in checks if check.name == "not worse on the old test"] == [False]


def fails(checks: list[Check]) -> bool:
    return any(check.passed is False for check in checks if check.name.startswith(("no class", "calibrated")))


def verdict(old: Measured, new: Measured) -> list[Check]:
    tests = [pd.DataFrame({"label": one.labels}) for one in (old, new)]
    values = STATED.__dict__ | margins_for(
        STATED.accuracy_margin, STATED.recall_margin, STATED.calibration_limit, tests
    )
    return run_gate(old, new, (1.0, 1.0), Limits(**values), 200, 0).checks


def measured(name: str, rows: int, ours: float, theirs: float, random: np.random.Generator) -> Measured:
    """Four classes; each model is right, and confident, with its own probability, whatever the other says."""
    labels = np.arange(rows) % 4

    def side(accuracy: float) -> np.ndarray:
        wrong = (labels + random.integers(1, 4, rows)) % 4
        chosen = np.where(random.random(rows) < accuracy, labels, wrong)
        probabilities = np.full((rows, 4), (1 - accuracy) / 3)
        probabilities[np.arange(rows), chosen] = accuracy
        return probabilities

    return Measured(name, labels, ("a", "b", "c", "d"), side(ours), side(theirs))
