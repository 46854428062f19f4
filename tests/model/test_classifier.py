"""Pooling, the three places where a batch may enter, and probabilities."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from newsclf.model.batches import TokenBatch, TokenDataset
from newsclf.model.classifier import Classifier, mean_pool

CLASSES = ("Sci/Tech", "Wörld", "a, b")


def test_the_mean_is_over_real_tokens_alone() -> None:
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [99.0, 99.0]], [[5.0, 6.0], [0.0, 0.0], [1.0, 3.0]]])
    mask = torch.tensor([[True, True, False], [True, True, True]])
    torch.testing.assert_close(mean_pool(hidden, mask), torch.tensor([[2.0, 3.0], [2.0, 3.0]]))
    torch.testing.assert_close(mean_pool(hidden[1:], None), torch.tensor([[2.0, 3.0]]))


@pytest.mark.parametrize("frozen", [0, 1, 3])
@torch.inference_mode()
def test_a_batch_may_enter_as_ids_as_hidden_states_or_as_pooled_vectors(
    make_classifier: Callable[..., Classifier], toy: Callable[..., TokenDataset], frozen: int
) -> None:
    classifier = make_classifier(frozen).eval()
    ids = toy(6).__getitems__(range(6))
    logits = classifier(ids)
    assert logits.shape == (6, 2)
    states = TokenBatch(classifier.prefix(ids.values, ids.mask), ids.mask, ids.labels, False)
    torch.testing.assert_close(classifier(states), logits)
    pooled = TokenBatch(classifier.pool(ids), None, ids.labels, True)
    torch.testing.assert_close(classifier(pooled), logits)


@torch.inference_mode()
def test_probabilities_are_each_rows_own_softmax_in_the_tables_order(
    make_classifier: Callable[..., Classifier], toy: Callable[..., TokenDataset]
) -> None:
    classifier = make_classifier(classes=CLASSES, dropout=0.5).train()
    batches = toy(37)
    got = classifier.probabilities(batches)
    assert classifier.training, "the mode is as it was"
    classifier.eval()
    alone = [torch.softmax(classifier(batches.__getitems__([row])).double(), dim=1)[0] for row in range(37)]
    np.testing.assert_allclose(got, torch.stack(alone).numpy(), atol=1e-5)
    np.testing.assert_allclose(got.sum(axis=1), 1, atol=1e-12)
    assert got.std(axis=0).min() > 1e-4, "rows must differ for this test to say anything"
