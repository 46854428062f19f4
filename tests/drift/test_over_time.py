import numpy as np
import pytest

from newsclf.drift.over_time import Change, ChangeDetector, changes_in

CALM = [0.4, 1.0, 0.7, 0.9, 0.5]  # evidence of less than 0.5 each


@pytest.mark.parametrize(
    ("p_value", "batches"),
    [(1e-5, 1), (1e-4, 2), (1e-3, 2), (0.01, 3), (0.02, 4), (0.04, 5), (0.05, 5), (0.1, 9)],
)
def test_it_fires_at_the_very_batch(p_value, batches):
    """Evidence of 5, 4, 3, 2, 1.7, 1.4, 1.3 and 1, less 0.5 each, is more than 4 in all after so many batches."""
    series = [*CALM, *[p_value] * batches]
    assert changes_in(series[:-1]) == []
    assert changes_in(series) == [Change("sudden", begin=5, detected=4 + batches, end=None)]


def test_weak_evidence_is_never_enough():
    assert changes_in([0.32] * 1000) == []
    assert changes_in([0.01, 0.9, 0.9, 0.9, 0.9] * 100) == []


def test_one_broken_batch_ends_with_three_calm_ones():
    series = [*CALM, 0.0, *CALM]
    assert changes_in(series) == [Change("sudden", 5, 5, 6)]
    assert changes_in(series[:8]) == [Change("sudden", 5, 5, None)], "two calm ones are not enough"
    assert changes_in([*CALM, 1e-9, 0.9, 0.9, 1e-9, 0.9, 0.9, 0.9]) == [Change("sudden", 5, 5, 9)]


def test_a_change_that_grows_is_incremental():
    growing = [*CALM, *(10 ** (-0.3 * number) for number in range(1, 13))]
    (change,) = changes_in(growing)
    assert change.kind == "incremental"
    assert (change.begin, change.detected, change.end) == (6, 11, None)
    constant = [*CALM, *[1e-3] * 12]
    assert [one.kind for one in changes_in(constant)] == ["sudden"]


def test_what_comes_back_is_recurring():
    once = [*[1e-6] * 5, *[0.8] * 5]
    found = changes_in([*CALM, *once * 3])
    assert found == [
        Change("sudden", 5, 5, 10),
        Change("recurring", 15, 15, 20),
        Change("recurring", 25, 25, 30),
    ]


def test_batches_that_were_not_judged_are_passed_over():
    assert changes_in([]) == []
    assert changes_in([None] * 50) == []
    assert changes_in([None, 1e-9, None]) == [Change("sudden", 1, 1, None)]
    assert changes_in([float("nan"), 1e-9]) == [Change("sudden", 1, 1, None)]
    assert changes_in([*CALM, None, 0.01, None, None, None, 0.01, 0.01]) == [Change("sudden", 6, 11, None)]
    assert changes_in([1e-9, *[None] * 9, 1e-9]) == [Change("sudden", 0, 0, None)], "they do not end it"
    assert changes_in([1e-9, None, 0.9, None, 0.9, 0.9]) == [Change("sudden", 0, 0, 2)]


def test_at_most_one_false_alarm_in_a_hundred_batches():
    random = np.random.default_rng(0)
    found = [len(changes_in(random.random(1000).tolist())) for _ in range(20)]
    assert max(found) <= 10
    corrected = np.clip(5 * random.random((20, 1000, 5)).min(axis=2), 0, 1)
    assert sum(len(changes_in(series.tolist())) for series in corrected) <= 100


@pytest.mark.parametrize("seed", range(10))
def test_later_batches_do_not_move_what_was_found(seed):
    random = np.random.default_rng(seed)
    series = (random.random(120) ** random.choice([1, 8], 120, p=[0.7, 0.3])).tolist()
    whole = changes_in(series)
    assert whole
    for length in range(120):
        early = changes_in(series[:length])
        for one, other in zip(early, whole, strict=False):
            assert (one.begin, one.detected) == (other.begin, other.detected)
            assert one.end in (other.end, None)
        assert len(early) == sum(change.detected < length for change in whole)


def test_an_incremental_change_is_dated_within_ten_batches():
    """As in the benchmark: from batch 20 on, each batch has 1 % more of what is foreign."""
    random = np.random.default_rng(0)
    begins = []
    for _ in range(50):
        shift = np.maximum(0, np.arange(40) - 19) * 0.4
        scores = random.normal(size=40) + shift
        (change, *_) = changes_in([float(p) for p in np.clip(5 * np.exp(-(np.maximum(scores, 0) ** 2) / 2), 0, 1)])
        begins.append(change.begin)
    assert np.mean([20 <= begin <= 30 for begin in begins]) >= 0.9


@pytest.mark.parametrize("seed", range(20))
def test_batch_by_batch_it_says_what_all_batches_up_to_there_say(seed):
    random = np.random.default_rng(seed)
    drifting = random.random(200) < random.choice([0.02, 0.3, 0.6])
    drawn = [float(p) for p in np.where(drifting, 10 ** -random.exponential(3, 200), random.random(200))]
    series = [None if random.random() < 0.1 else p for p in drawn]
    detector = ChangeDetector()
    for batch, p_value in enumerate(series):
        found = detector.update(p_value)
        whole = changes_in(series[: batch + 1])
        assert detector.changes == whole
        assert ([] if found is None else [found]) == [change for change in whole if change.detected == batch]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (Change("sudden", 4, 4, None), "A change began at batch 5, all at once, and goes on; seen at batch 5."),
        (Change("incremental", 4, 8, 11), "began at batch 5, and has grown, and ended with batch 11; seen at batch 9."),
        (Change("recurring", 4, 5, None), "once more, after a calm"),
    ],
)
def test_a_change_is_told_with_the_names_of_the_batches(change, says):
    assert says in change.describe([f"batch {number}" for number in range(1, 13)])
