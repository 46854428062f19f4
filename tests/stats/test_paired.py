"""Intervals cover what they should, resamples are those of a naive bootstrap, and p-values are those of the tests."""

import numpy as np
import pytest
from scipy.stats import ks_2samp, ttest_rel
from sklearn.metrics import accuracy_score, f1_score

from newsclf.stats.paired import bootstrap, interval, mcnemar_p, paired_t_p


def two_models(rows: int, classes: int, seed: int = 0) -> tuple[np.ndarray, list[np.ndarray]]:
    """Labels, and two predictions that err in part on the same rows."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, rows)
    hard = random.uniform(size=rows) < 0.2
    guess = random.integers(0, classes, (2, rows))
    wrong = hard | (random.uniform(size=(2, rows)) < np.array([[0.1], [0.2]]))
    return labels, [np.where(wrong[model], guess[model], labels) for model in (0, 1)]


def naive(labels: np.ndarray, predictions: list[np.ndarray], samples: int, seed: int) -> dict[str, np.ndarray]:
    """The bootstrap as a textbook has it: draw row numbers, score what was drawn."""
    random = np.random.default_rng(seed)
    result = {"accuracy": np.empty((2, samples)), "macro_f1": np.empty((2, samples))}
    for sample in range(samples):
        rows = random.integers(0, len(labels), len(labels))
        for model, predicted in enumerate(predictions):
            result["accuracy"][model, sample] = accuracy_score(labels[rows], predicted[rows])
            result["macro_f1"][model, sample] = f1_score(labels[rows], predicted[rows], average="macro")
    return result


def test_the_paired_bootstrap_has_the_distribution_of_the_naive_one() -> None:
    labels, predictions = two_models(rows=80, classes=3)
    ours = bootstrap(labels, predictions, samples=4000, seed=0)
    theirs = naive(labels, predictions, samples=600, seed=1)
    for name in ("accuracy", "macro_f1"):
        for model in (0, 1):
            assert ks_2samp(ours[name][model], theirs[name][model]).pvalue > 0.01
        differences = [draws[name][0] - draws[name][1] for draws in (ours, theirs)]
        assert ks_2samp(*differences).pvalue > 0.01
        # Rows that both get wrong make the difference surer than that of two scores on rows of their own.
        unpaired = np.hypot(ours[name][0].std(), ours[name][1].std())
        assert differences[0].std() < 0.9 * unpaired
        assert differences[0].std() == pytest.approx(differences[1].std(), rel=0.12)


@pytest.mark.parametrize(("rows", "classes"), [(1, 3), (6, 4), (60, 5)])
def test_each_resamples_scores_are_scikit_learns_on_its_rows(rows: int, classes: int) -> None:
    labels, predictions = two_models(rows, classes, seed=3)
    got = bootstrap(labels, predictions, samples=25, seed=9)
    # The same draws again, as numbers of rows in each kind of row, and from these the rows themselves.
    kinds, counts = np.unique(np.stack([labels, *predictions]), axis=1, return_counts=True)
    draws = np.random.default_rng(9).multinomial(rows, counts / rows, size=25)
    for sample, repeats in enumerate(draws):
        drawn = np.repeat(kinds, repeats, axis=1)
        for model in (0, 1):
            assert got["accuracy"][model, sample] == pytest.approx(accuracy_score(drawn[0], drawn[model + 1]))
            expected = f1_score(drawn[0], drawn[model + 1], average="macro", zero_division=0)
            assert got["macro_f1"][model, sample] == pytest.approx(expected)


def test_the_same_seed_gives_the_same_resamples() -> None:
    labels, predictions = two_models(50, 3)
    one, same, other = (bootstrap(labels, predictions, 200, seed)["macro_f1"] for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_one_model_is_a_row_of_its_own() -> None:
    labels, predictions = two_models(50, 3)
    assert bootstrap(labels, predictions[:1], 200, 0)["accuracy"].shape == (1, 200)


def test_equal_models_have_no_difference_and_a_perfect_one_no_spread() -> None:
    labels, predictions = two_models(50, 3)
    draws = bootstrap(labels, [predictions[0], predictions[0], labels], 300, 0)
    for name in ("accuracy", "macro_f1"):
        assert np.array_equal(draws[name][0], draws[name][1])
        assert (draws[name][2] == 1).all()


def test_twenty_classes_and_ten_thousand_rows_fit_in_memory() -> None:
    labels, predictions = two_models(10_000, 20)
    draws = bootstrap(labels, predictions, 2000, 0)
    expected = [accuracy_score(labels, predicted) for predicted in predictions]
    assert draws["accuracy"].mean(axis=1) == pytest.approx(expected, abs=3e-4)


def test_the_interval_is_the_middle_95_percent() -> None:
    low, high = interval(np.random.default_rng(0).permutation(1001) / 1000)
    assert (low, high) == pytest.approx((0.025, 0.975))
    assert interval(np.full(10, 0.5)) == (0.5, 0.5)


def test_the_interval_covers_the_true_accuracy_in_about_95_percent_of_data_sets() -> None:
    truth, rows, trials = 0.8, 200, 300
    random = np.random.default_rng(0)
    covered = 0
    for trial in range(trials):
        labels = random.integers(0, 2, rows)
        right = random.uniform(size=rows) < truth
        draws = bootstrap(labels, [np.where(right, labels, 1 - labels)], 400, trial)["accuracy"][0]
        low, high = interval(draws)
        covered += low <= truth <= high
    assert 0.91 <= covered / trials <= 0.985


def right_on(rows: list[int]) -> np.ndarray:
    """Predictions for ten rows of class 0 that are right on these rows alone."""
    return np.array([0 if row in rows else 1 for row in range(10)])


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # 8 against 1: twice the chance of at most one head in nine throws, (1 + 9) / 512.
        ([0, 1, 2, 3, 4, 5, 6, 7, 9], [8, 9], 2 * 10 / 512),
        ([8, 9], [0, 1, 2, 3, 4, 5, 6, 7, 9], 2 * 10 / 512),
        # 5 against 0: five heads or none in five throws, 2 / 32.
        ([0, 1, 2, 3, 4], [], 2 / 32),
        ([0, 1, 5], [2, 3, 5], 1.0),
        ([0], [], 1.0),
        ([1, 2, 3], [1, 2, 3], 1.0),
    ],
)
def test_mcnemars_p_worked_out_by_hand(first: list[int], second: list[int], expected: float) -> None:
    assert mcnemar_p(np.zeros(10, int), right_on(first), right_on(second)) == pytest.approx(expected)


def test_to_be_better_is_one_side_of_it() -> None:
    first, second = right_on([0, 1, 2, 3, 4]), right_on([])
    labels = np.zeros(10, int)
    assert mcnemar_p(labels, first, second, "greater") == pytest.approx(1 / 32)
    assert mcnemar_p(labels, second, first, "greater") == 1.0
    assert mcnemar_p(labels, first, first, "greater") == 1.0


def test_mcnemar_counts_no_row_on_which_both_are_wrong_in_their_own_way() -> None:
    labels = np.array([0, 0, 0, 1])
    assert mcnemar_p(labels, np.array([1, 1, 2, 1]), np.array([2, 2, 1, 1])) == 1.0


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_the_paired_t_test_is_scipys(alternative: str) -> None:
    first, second = np.random.default_rng(0).normal([[0.2], [0.0]], 1, size=(2, 80))
    expected = ttest_rel(first, second, alternative=alternative).pvalue
    assert paired_t_p(first, second, alternative) == pytest.approx(expected)
    assert paired_t_p(first, first, alternative) == paired_t_p(first[:1], second[:1], alternative) == 1.0
