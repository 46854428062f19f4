"""`frozen` layers and the embeddings stay as they are in training; what is above them learns."""

from collections.abc import Callable

import pytest
import torch

from newsclf.model.batches import TokenDataset
from newsclf.model.classifier import Classifier

DEPTH = 3
# What the first `frozen` layers hold, by the beginning of its parameters' names.
PARTS = (
    "encoder.transformer.embeddings.",
    *(f"encoder.transformer.encoder.layer.{n}." for n in range(DEPTH)),
)


def frozen_names(frozen: int) -> tuple[str, ...]:
    return PARTS[: frozen + 1] if frozen else ()


@pytest.mark.parametrize("frozen", range(DEPTH + 1))
def test_a_training_step_changes_the_trained_parameters_and_no_others(
    make_classifier: Callable[..., Classifier], toy: Callable[..., TokenDataset], frozen: int
) -> None:
    classifier = make_classifier(frozen, dropout=0.1).train()
    before = {name: weight.detach().clone() for name, weight in classifier.named_parameters()}
    batch = toy(16).__getitems__(range(16))
    assert batch.labels is not None
    optimizer = torch.optim.SGD(classifier.parameters(), lr=0.5)
    torch.nn.functional.cross_entropy(classifier(batch), batch.labels).backward()
    optimizer.step()
    changed = {name for name, weight in classifier.named_parameters() if not torch.equal(weight, before[name])}
    assert not [name for name in changed if name.startswith(frozen_names(frozen))]
    # Of the embeddings only the rows of tokens in the batch have a gradient, but each table has some.
    # A key's bias moves all scores of a row alike: its gradient is zero but for rounding.
    trained = {name for name in before if not name.startswith(frozen_names(frozen))}
    assert {name for name in trained if not name.endswith("key.bias")} <= changed <= trained


@pytest.mark.parametrize("frozen", range(DEPTH + 1))
def test_frozen_layers_need_no_gradient(make_classifier: Callable[..., Classifier], frozen: int) -> None:
    for name, weight in make_classifier(frozen).named_parameters():
        assert weight.requires_grad != name.startswith(frozen_names(frozen)), name


@pytest.mark.parametrize("frozen", range(DEPTH + 1))
def test_in_training_frozen_layers_stay_in_eval_mode(make_classifier: Callable[..., Classifier], frozen: int) -> None:
    classifier = make_classifier(frozen, dropout=0.5)
    for _ in range(2):
        classifier.train()
        for name, part in classifier.named_modules():
            assert part.training != f"{name}.".startswith(frozen_names(frozen)), name
        assert not [name for name, part in classifier.eval().named_modules() if part.training]


def test_dropout_is_active_above_the_frozen_layers_alone(
    make_classifier: Callable[..., Classifier], toy: Callable[..., TokenDataset]
) -> None:
    batch = toy(8).__getitems__(range(8))
    classifier = make_classifier(2, dropout=0.5).train()
    assert torch.equal(*(classifier.prefix(batch.values, batch.mask) for _ in range(2)))
    assert not torch.equal(*(classifier.pool(batch) for _ in range(2)))
    assert not torch.equal(*(classifier(batch) for _ in range(2)))
    classifier = make_classifier(DEPTH, dropout=0.5).train()
    assert torch.equal(*(classifier.pool(batch) for _ in range(2)))
    assert not torch.equal(*(classifier(batch) for _ in range(2)))
