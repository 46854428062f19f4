"""Batches hold each row once, with little padding, in an order that the seed decides."""

from itertools import chain

import numpy as np
import pytest
import torch

from newsclf.config import TrainConfig
from newsclf.model.batches import (
    BalancedSampler,
    LengthBucketSampler,
    LongestFirstSampler,
    RaggedRows,
    TokenDataset,
    loader,
)
from newsclf.model.datamodule import training_sampler

LENGTHS = np.random.default_rng(5).integers(3, 200, 1003)


def ids_table(*rows: list[int]) -> RaggedRows:
    return RaggedRows(
        np.array([token for row in rows for token in row], np.int32), np.array([len(row) for row in rows])
    )


def padding_share(batches: list[list[int]]) -> float:
    padded = sum(len(batch) * LENGTHS[batch].max() for batch in batches)
    return 1 - LENGTHS.sum() / padded


@pytest.mark.parametrize("batch_size", [1, 32, 1003, 5000])
def test_every_row_comes_once_an_epoch(batch_size: int) -> None:
    sampler = LengthBucketSampler(LENGTHS, batch_size, seed=0, pool=3)
    for _ in range(3):
        batches = list(sampler)
        assert sorted(chain(*batches)) == list(range(1003))
        assert len(batches) == len(sampler)
        assert sum(len(batch) != batch_size for batch in batches) <= 1, "all batches but one are full"


def test_the_same_seed_gives_the_same_order_and_each_epoch_its_own() -> None:
    one, same, other = (LengthBucketSampler(LENGTHS, 32, seed) for seed in (1, 1, 2))
    first, second = list(one), list(one)
    assert [first, second] == [list(same), list(same)]
    assert first != second
    assert first != list(other)


def test_shuffled_buckets_pad_little() -> None:
    buckets = padding_share(list(LengthBucketSampler(LENGTHS, 32, 0)))
    order = np.random.default_rng(0).permutation(1003).tolist()
    unsorted = padding_share([order[start : start + 32] for start in range(0, 1003, 32)])
    assert unsorted > 0.4
    assert buckets < 0.04


def test_a_pool_is_shuffled_so_that_batches_of_one_length_are_not_always_the_same_rows() -> None:
    sampler = LengthBucketSampler(np.full(640, 7), 32, 0)
    first, second = ({frozenset(batch) for batch in sampler} for _ in range(2))
    assert not first & second


def test_batches_do_not_come_in_order_of_length() -> None:
    longest = [LENGTHS[batch].max() for batch in LengthBucketSampler(LENGTHS, 32, 0)]
    assert abs(np.corrcoef(longest, np.arange(len(longest)))[0, 1]) < 0.5


@pytest.mark.parametrize("max_tokens", [1, 200, 4096])
def test_sorted_batches_hold_every_row_once_longest_first_within_the_limit(max_tokens: int) -> None:
    sampler = LongestFirstSampler(LENGTHS, max_tokens)
    batches = list(sampler)
    order = list(chain(*batches))
    assert sorted(order) == list(range(1003))
    assert (np.diff(LENGTHS[order]) <= 0).all()
    assert all(len(batch) == 1 or len(batch) * LENGTHS[batch].max() <= max_tokens for batch in batches)
    assert len(sampler) == len(batches)


def test_sorted_batches_of_no_rows_are_none() -> None:
    assert list(LongestFirstSampler(np.empty(0, np.int64), 100)) == []


def test_ids_are_padded_to_the_longest_row_of_the_batch() -> None:
    batches = TokenDataset(ids_table([5, 6], [7, 8, 9], [4], [1, 2, 3, 4]), np.array([0, 1, 2, 3]), pad_id=99)
    values, mask, labels, pooled = batches.__getitems__([2, 1])
    assert values.tolist() == [[4, 99, 99], [7, 8, 9]]
    assert mask is not None
    assert mask.tolist() == [[True, False, False], [True, True, True]]
    assert labels is not None
    assert (labels.tolist(), pooled) == ([2, 1], False)
    assert (values.dtype, labels.dtype) == (torch.int64, torch.int64)


def test_rows_of_one_length_have_no_mask() -> None:
    values, mask, labels, _ = TokenDataset(ids_table([5, 6], [7, 8, 9], [3, 4])).__getitems__([0, 2])
    assert values.tolist() == [[5, 6], [3, 4]]
    assert mask is None
    assert labels is None


def test_hidden_states_are_padded_with_zeros() -> None:
    states = np.arange(10, dtype=np.float16).reshape(5, 2)
    values, mask, _, _ = TokenDataset(RaggedRows(states, np.array([2, 3])), pad_id=7).__getitems__([0, 1])
    assert values.tolist() == [[[0, 1], [2, 3], [0, 0]], [[4, 5], [6, 7], [8, 9]]]
    assert values.dtype == torch.float32
    assert mask is not None
    assert mask.sum(dim=1).tolist() == [2, 3]


def test_pooled_vectors_are_one_a_row() -> None:
    table = RaggedRows(np.array([[1, 2], [3, 4], [5, 6]], np.float16), np.array([9, 1, 4]), pooled=True)
    values, mask, labels, pooled = TokenDataset(table, np.array([0, 1, 0])).__getitems__([2, 0])
    assert values.tolist() == [[5, 6], [1, 2]]
    assert (mask, pooled, values.dtype) == (None, True, torch.float32)
    assert labels is not None
    assert labels.tolist() == [0, 0]
    assert table.tokens == 14


@pytest.mark.parametrize("workers", [0, 2])
def test_the_loader_gives_ready_batches_in_the_samplers_order(workers: int) -> None:
    table = ids_table(*[[row] * (row % 5 + 1) for row in range(40)])
    sampler = LengthBucketSampler(table.lengths, 8, seed=3)
    batches = loader(TokenDataset(table, np.arange(40)), sampler, workers)
    fresh = LengthBucketSampler(table.lengths, 8, seed=3)
    expected = [list(fresh), list(fresh)]
    for epoch in expected:
        got = list(batches)
        assert [batch.labels.tolist() for batch in got] == epoch
        assert [batch.values[:, 0].tolist() for batch in got] == epoch


def test_a_row_with_a_weight_comes_as_often_as_that() -> None:
    table = ids_table([1], [2, 2], [3, 3, 3])
    batches = TokenDataset(table, np.array([0, 1, 2]), weights=np.array([3, 1, 2]))
    assert len(batches) == 6
    assert batches.lengths.tolist() == [1, 1, 1, 2, 3, 3]
    labels = [
        label for batch in loader(batches, LengthBucketSampler(batches.lengths, 4, seed=0)) for label in batch.labels
    ]
    assert sorted(int(label) for label in labels) == [0, 0, 0, 1, 2, 2]
    whole = batches.__getitems__(range(6))
    assert whole.values[:, 0].tolist() == [1, 1, 1, 2, 3, 3]


# Other places of the kind (who draws the rows of an epoch): the trial of a dry run, by training_sampler as well.
RARE = np.repeat([0, 1, 2], [900, 100, 3])


def test_every_class_comes_equally_often_in_as_many_rows() -> None:
    sampler = BalancedSampler(LENGTHS, RARE, 32, seed=0)
    for _ in range(3):
        batches = list(sampler)
        rows = np.array(list(chain(*batches)))
        assert (len(rows), len(batches)) == (1003, len(sampler))
        assert sorted(np.bincount(RARE[rows])) == [334, 334, 335]
        times = np.bincount(rows, minlength=1003)
        assert times[RARE == 0].max() == 1, "of a common class none comes twice"
        for label in (1, 2):
            assert np.ptp(times[label == RARE]) <= 1, "of a rare class each comes as often, but for once"


def test_epochs_of_a_common_class_have_other_rows_by_the_seed_alone() -> None:
    one, same, other = (BalancedSampler(LENGTHS, RARE, 32, seed) for seed in (1, 1, 2))
    first, second = list(one), list(one)
    assert [first, second] == [list(same), list(same)]
    assert first != list(other)
    common = [{row for row in chain(*batches) if RARE[row] == 0} for batches in (first, second)]
    assert 50 < len(common[0] & common[1]) < 250


def test_balanced_batches_pad_little_and_mix_the_classes() -> None:
    batches = list(BalancedSampler(LENGTHS, RARE, 32, 0))
    padded = sum(len(batch) * LENGTHS[batch].max() for batch in batches)
    assert 1 - sum(LENGTHS[batch].sum() for batch in batches) / padded < 0.05
    assert sum(len(set(RARE[batch])) > 1 for batch in batches) > 25


def test_equal_classes_are_all_there_and_one_class_is_shuffled() -> None:
    for labels in (np.arange(1003) % 17, np.zeros(1003, int)):
        assert sorted(chain(*BalancedSampler(LENGTHS, labels, 32, 0))) == list(range(1003))


def test_in_a_balanced_draw_a_row_comes_by_its_weight_within_its_class() -> None:
    table = ids_table(*[[row] for row in range(1, 41)])
    labels, weights = np.repeat([0, 1], [10, 30]), np.ones(40, int)
    weights[:5] = 3
    dataset = TokenDataset(table, labels, weights=weights)
    config = TrainConfig(batch_size=8, sampling="balanced")
    assert type(training_sampler(dataset, TrainConfig())) is LengthBucketSampler
    rows = [row for batch in loader(dataset, training_sampler(dataset, config)) for row in (batch.values[:, 0] - 1)]
    times = np.bincount(rows, minlength=40)
    assert (len(rows), times[:10].sum(), times[10:].sum()) == (50, 25, 25)
    assert (times[:5].sum(), times[5:10].sum()) in {(15 + extra, 10 - extra) for extra in range(-5, 6)}
    assert times[:5].sum() > 1.5 * times[5:10].sum()
