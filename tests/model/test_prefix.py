"""What is read from the cache is what the frozen layers compute, within float16 rounding."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from newsclf.model import prefix
from newsclf.model.batches import RaggedRows, TokenDataset
from newsclf.model.cache import Cache
from newsclf.model.classifier import Classifier
from newsclf.model.training import Fit

DEPTH = 3
HALF = float(np.finfo(np.float16).eps)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 10**8)


def from_cache(classifier: Classifier, cache: Cache, tokens: TokenDataset, name: str = "a") -> TokenDataset:
    table = prefix.compute(classifier, cache, name * 64, tokens.ragged, tokens.pad_id)
    return TokenDataset(table, tokens.labels, tokens.pad_id)


@pytest.mark.parametrize("frozen", [1, 2])
@torch.inference_mode()
def test_hidden_states_of_every_token_are_those_of_the_uncached_computation(
    make_classifier: Callable[..., Classifier], toy: Callable[..., TokenDataset], cache: Cache, frozen: int
) -> None:
    classifier, tokens = make_classifier(frozen, dropout=0.5).train(), toy(70)
    cached = from_cache(classifier, cache, tokens)
    assert cached.ragged.values.shape == (tokens.ragged.tokens, 32)
    assert not cached.ragged.pooled
    for row in range(70):  # each row alone: nothing of its neighbours' padding may be in it
        ids = tokens.__getitems__([row]).values
        expected = classifier.prefix(ids, None)
        got = cached.__getitems__([row]).values
        torch.testing.assert_close(got, expected, rtol=HALF, atol=1e-5)


@torch.inference_mode()
def test_with_all_layers_frozen_the_pooled_vector_is_kept(
    make_classifier: Callable[..., Classifier], toy: Callable[..., TokenDataset], cache: Cache
) -> None:
    classifier, tokens = make_classifier(DEPTH, dropout=0.5).train(), toy(70)
    cached = from_cache(classifier, cache, tokens)
    assert cached.ragged.values.shape == (70, 32)
    assert cached.ragged.pooled
    expected = torch.cat([classifier.pool(tokens.__getitems__([row])) for row in range(70)])
    torch.testing.assert_close(cached.__getitems__(range(70)).values, expected, rtol=HALF, atol=1e-5)


@pytest.mark.parametrize("frozen", [1, 2, DEPTH])
def test_probabilities_are_the_same_within_rounding(
    make_classifier: Callable[..., Classifier], toy: Callable[..., TokenDataset], cache: Cache, frozen: int
) -> None:
    classifier, tokens = make_classifier(frozen), toy(50)
    expected = classifier.probabilities(tokens)
    got = classifier.probabilities(from_cache(classifier, cache, tokens))
    np.testing.assert_allclose(got, expected, atol=2e-3)
    assert expected.std(axis=0).min() > 0.005, "rows must differ for this test to say anything"


@pytest.mark.parametrize("frozen", [2, DEPTH])
def test_a_training_from_the_cache_has_nearly_the_losses_of_one_without(
    make_classifier: Callable[..., Classifier],
    toy: Callable[..., TokenDataset],
    cache: Cache,
    run_fit: Callable[..., Fit],
    memory: Any,
    frozen: int,
) -> None:
    losses = []
    for cached in (False, True):
        classifier = make_classifier(frozen)
        memory.logged.clear()
        splits = [toy(64), toy(32, seed=1)]
        if cached:
            splits = [from_cache(classifier, cache, split, name) for split, name in zip(splits, "tv", strict=True)]
        run_fit(classifier, *splits, logger=memory, learning_rate=3e-3)
        losses.append(memory.values("train_loss") + memory.values("val_loss"))
    assert len(losses[0]) == 16 + 2
    np.testing.assert_allclose(losses[1], losses[0], atol=2e-3)
    assert losses[0][-1] < 0.9 * losses[0][0], "it must learn for this test to say anything"


def test_an_entry_is_read_again_and_is_not_there_before(
    make_classifier: Callable[..., Classifier], toy: Callable[..., TokenDataset], cache: Cache
) -> None:
    for frozen in (1, DEPTH):
        classifier, name = make_classifier(frozen), str(frozen)
        assert prefix.cached(cache, name * 64, classifier) is None
        made = from_cache(classifier, cache, toy(9), name).ragged
        read = prefix.cached(cache, name * 64, classifier)
        assert read is not None
        assert np.array_equal(read.values, made.values)
        assert np.array_equal(read.lengths, toy(9).ragged.lengths)
        assert read.pooled == made.pooled == (frozen == DEPTH)


def test_size_is_what_the_values_take(
    make_classifier: Callable[..., Classifier], toy: Callable[..., TokenDataset], cache: Cache
) -> None:
    for frozen in (1, DEPTH):
        classifier, tokens = make_classifier(frozen), toy(9)
        values = from_cache(classifier, cache, tokens, str(frozen)).ragged.values
        assert prefix.size(classifier, tokens.ragged) == values.nbytes


def test_progress_counts_every_row(
    make_classifier: Callable[..., Classifier], toy: Callable[..., TokenDataset], cache: Cache
) -> None:
    told: list[int] = []
    tokens = toy(9)
    prefix.compute(make_classifier(1), cache, "a" * 64, tokens.ragged, tokens.pad_id, progress=told.append)
    assert sum(told) == 9


def test_the_mode_is_as_it_was(
    make_classifier: Callable[..., Classifier], toy: Callable[..., TokenDataset], cache: Cache
) -> None:
    for training in (True, False):
        classifier = make_classifier(1).train(training)
        from_cache(classifier, cache, toy(4))
        assert classifier.training == training
        assert classifier.encoder.layers[2].training == training
        assert not classifier.encoder.layers[0].training


def test_the_key_depends_on_everything_that_changes_the_values(
    make_classifier: Callable[..., Classifier],
) -> None:
    parts = ("weights", "tokenizer", "texts", make_classifier(1), False)
    others = [
        ("weights2", *parts[1:]),
        ("weights", "tokenizer2", *parts[2:]),
        (*parts[:2], "texts2", *parts[3:]),
        (*parts[:3], make_classifier(2), False),
        (*parts[:3], make_classifier(DEPTH), False),
        (*parts[:4], True),
    ]
    keys = {prefix.key(*each) for each in (parts, *others)}
    assert len(keys) == 1 + len(others)
    assert prefix.key("weights", "tokenizer", "texts", make_classifier(1, dropout=0.3, seed=5), False) in keys
    assert all(len(key) == 64 for key in keys)


@pytest.mark.parametrize("frozen", [1, DEPTH])
def test_under_bf16_the_pass_is_nearly_that_of_float32_and_leaves_the_weights_alone(
    make_classifier: Callable[..., Classifier], toy: Callable[..., TokenDataset], cache: Cache, frozen: int
) -> None:
    classifier, tokens = make_classifier(frozen), toy(20)
    before = {name: weight.clone() for name, weight in classifier.state_dict().items()}
    exact = from_cache(classifier, cache, tokens).ragged.values
    rough = prefix.compute(classifier, cache, "b" * 64, tokens.ragged, tokens.pad_id, bf16=True).values
    assert not np.array_equal(exact, rough)
    points = [torch.from_numpy(values.astype(np.float32)) for values in (exact, rough)]
    assert torch.cosine_similarity(points[0], points[1], dim=1).min() > 0.9995
    after = classifier.state_dict()
    assert all(torch.equal(after[name], weight) for name, weight in before.items())


def test_bf16_states_of_an_earlier_version_are_not_taken(make_classifier: Callable[..., Classifier]) -> None:
    """Between the layers they were float32."""
    classifier = make_classifier(1)
    parts = [prefix.FORMAT, "w", "t", "x", classifier.frozen, False]
    then = {bf16: sha256(json.dumps([*parts, bf16]).encode()).hexdigest() for bf16 in (True, False)}
    assert prefix.key("w", "t", "x", classifier, False) == then[False]
    assert prefix.key("w", "t", "x", classifier, True) != then[True]


def test_an_empty_split_is_an_empty_entry(make_classifier: Callable[..., Classifier], cache: Cache) -> None:
    nothing = RaggedRows(np.empty(0, np.int32), np.empty(0, np.int64))
    assert len(from_cache(make_classifier(DEPTH), cache, TokenDataset(nothing))) == 0
