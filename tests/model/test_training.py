"""Training learns, keeps its best epoch, stops when told, and repeats itself bit by bit."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from newsclf.errors import InputError
from newsclf.model.batches import RaggedRows, TokenDataset
from newsclf.model.classifier import Classifier
from newsclf.model.tokenizer import Tokenizer
from newsclf.model.training import Fit

RunFit = Callable[..., Fit]
MakeClassifier = Callable[..., Classifier]
Toy = Callable[..., TokenDataset]


def weights(classifier: Classifier) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in classifier.state_dict().items()}


def loss(classifier: Classifier, batches: TokenDataset) -> float:
    chosen = classifier.probabilities(batches)[np.arange(len(batches)), batches.labels]
    return float(-np.log(chosen).mean())


@pytest.mark.parametrize("frozen", [0, 2])
def test_a_separable_task_is_learnt(make_classifier: MakeClassifier, toy: Toy, run_fit: RunFit, frozen: int) -> None:
    classifier, unseen = make_classifier(frozen, dropout=0.1), toy(60, seed=2)
    assert loss(classifier, unseen) > 0.5
    run_fit(classifier, toy(96), toy(32, seed=1), epochs=4, learning_rate=3e-3)
    assert loss(classifier, unseen) < 0.2
    assert (classifier.probabilities(unseen).argmax(axis=1) == unseen.labels).mean() >= 0.95


@pytest.mark.parametrize("optimizer_name", ["adamw", "adam", "sgd"])
@pytest.mark.parametrize("bf16", [False, True])
def test_every_optimizer_learns_in_either_arithmetic_with_clipped_gradients(
    make_classifier: MakeClassifier, toy: Toy, run_fit: RunFit, optimizer_name: str, bf16: bool
) -> None:
    classifier, unseen = make_classifier(0), toy(60, seed=2)
    before = loss(classifier, unseen)
    rate = 0.02 if optimizer_name == "sgd" else 3e-3
    run_fit(
        classifier,
        toy(96),
        toy(32, seed=1),
        bf16=bf16,
        epochs=3,
        learning_rate=rate,
        optimizer_name=optimizer_name,
        gradient_clip=1.0,
    )
    assert loss(classifier, unseen) < 0.7 * before


def test_what_a_fit_tells_of_itself(make_classifier: MakeClassifier, toy: Toy, run_fit: RunFit) -> None:
    train = toy(20)
    result = run_fit(make_classifier(3), train, toy(8), epochs=3)
    assert (result.epochs, result.steps) == (3, 9)
    assert 0 < result.train_seconds < 60
    assert result.rows_per_second == pytest.approx(60 / result.train_seconds)
    assert result.tokens_per_second == pytest.approx(3 * train.ragged.tokens / result.train_seconds)


def test_losses_accuracy_and_learning_rate_are_logged(
    make_classifier: MakeClassifier, toy: Toy, run_fit: RunFit, memory: Any
) -> None:
    classifier, validation = make_classifier(3), toy(32, seed=1)
    result = run_fit(classifier, toy(24), validation, memory, epochs=3, warmup_fraction=0.0, learning_rate=0.5)
    curves = {name for _, name, _ in memory.logged if name.startswith("learning_rate")}
    assert curves
    for curve in curves:
        assert memory.values(curve) == pytest.approx([0.5 * (9 - step) / 9 for step in range(9)])
    assert len(memory.values("train_loss")) == 9
    assert [step for step, name, _ in memory.logged if name == "val_loss"] == [2, 5, 8]
    best = result.kept_epoch
    assert memory.values("val_loss")[best] == min(memory.values("val_loss"))
    assert memory.values("val_loss")[best] == pytest.approx(loss(classifier, validation), abs=1e-5)
    accuracy = (classifier.probabilities(validation).argmax(axis=1) == validation.labels).mean()
    assert memory.values("val_acc")[best] == pytest.approx(accuracy)


def snapshots_of_each_epoch(classifier: Classifier) -> list[dict[str, Tensor]]:
    """A list that gets the weights of each validation, in which each epoch has one batch."""
    seen: list[dict[str, Tensor]] = []

    def remember(head: nn.Module, *_: Any) -> None:
        if not head.training:
            seen.append(weights(classifier))

    classifier.head.register_forward_hook(remember)
    return seen


@pytest.mark.parametrize(("keep", "kept"), [("best", 0), ("last", 3)])
def test_the_weights_of_the_epoch_that_keep_names_are_left(
    make_classifier: MakeClassifier, toy: Toy, run_fit: RunFit, memory: Any, keep: str, kept: int
) -> None:
    classifier = make_classifier(1)
    seen = snapshots_of_each_epoch(classifier)
    # Validation of the opposite opinion: the more is learnt the worse it gets.
    validation = toy(16, seed=1, flipped=True)
    result = run_fit(classifier, toy(48), validation, memory, epochs=4, learning_rate=3e-3, keep=keep)
    val_loss = memory.values("val_loss")
    assert (len(seen), result.epochs, result.kept_epoch) == (4, 4, kept)
    assert val_loss[0] < val_loss[1] < val_loss[3]
    left = weights(classifier)
    assert all(torch.equal(left[name], seen[kept][name]) for name in left)
    assert not torch.equal(left["head.weight"], seen[3 - kept]["head.weight"])


@pytest.mark.parametrize("patience", [1, 2])
def test_training_stops_when_val_loss_has_not_fallen_for_patience_epochs(
    make_classifier: MakeClassifier, toy: Toy, run_fit: RunFit, patience: int
) -> None:
    validation = toy(16, seed=1, flipped=True)
    result = run_fit(
        make_classifier(1),
        toy(48),
        validation,
        epochs=30,
        patience=patience,
        warmup_fraction=0.0,
        learning_rate=1e-3,
    )
    assert result.kept_epoch == 0
    assert result.epochs == 1 + patience
    assert result.steps == 6 * (1 + patience)


@pytest.mark.parametrize("patience", [0, 3])
def test_a_training_that_diverges_is_bad_input(
    make_classifier: MakeClassifier, toy: Toy, run_fit: RunFit, patience: int
) -> None:
    options = {"optimizer_name": "sgd", "learning_rate": 1e6, "warmup_fraction": 0.0, "gradient_clip": 0.0}
    with pytest.raises(InputError, match="training diverged: .* lower learning_rate"):
        run_fit(make_classifier(), toy(64), toy(8), patience=patience, **options)


def test_the_same_seed_twice_is_equal_to_the_bit(
    make_classifier: MakeClassifier, toy: Toy, run_fit: RunFit, tmp_path: Path
) -> None:
    left = []
    for seed in (3, 3, 4):
        classifier = make_classifier(dropout=0.2)
        run_fit(classifier, toy(40), toy(16, seed=1), seed=seed, attention_dropout=0.1)
        left.append(weights(classifier))
    first, second, other = left
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_worker_processes_prepare_the_same_batches(make_classifier: MakeClassifier, toy: Toy, run_fit: RunFit) -> None:
    left = []
    for workers in (0, 1):
        classifier = make_classifier(2)
        run_fit(classifier, toy(24), toy(8, seed=1), num_workers=workers)
        left.append(weights(classifier))
    assert all(torch.equal(left[0][name], left[1][name]) for name in left[0])


def test_in_training_dropout_is_active_and_frozen_layers_are_in_eval_mode(
    make_classifier: MakeClassifier, toy: Toy, run_fit: RunFit
) -> None:
    classifier = make_classifier(1, dropout=0.1).eval()  # as it is when it has been loaded
    modes = []

    def remember(*_: Any) -> None:
        parts = (classifier.dropout, *classifier.encoder.layers)
        modes.append(tuple(part.training for part in parts))

    classifier.head.register_forward_hook(remember)
    run_fit(classifier, toy(16), toy(8), epochs=2)
    training, validation = (True, False, True, True), (False, False, False, False)
    assert modes == [training, training, validation] * 2


@pytest.mark.parametrize("clip", [0.0, 0.01])
def test_the_gradient_is_clipped_where_asked(
    make_classifier: MakeClassifier, toy: Toy, run_fit: RunFit, clip: float
) -> None:
    """With plain descent at rate 1 in one step, the weights move by the gradient (momentum starts at it)."""
    classifier = make_classifier(2)
    before = weights(classifier)
    run_fit(
        classifier,
        toy(8),
        toy(8),
        epochs=1,
        gradient_clip=clip,
        optimizer_name="sgd",
        weight_decay=0.0,
        warmup_fraction=0.0,
        learning_rate=1.0,
    )
    moved = math.sqrt(sum(float((value - before[name]).square().sum()) for name, value in weights(classifier).items()))
    assert moved == pytest.approx(0.01, rel=1e-3) if clip else moved > 0.1


def test_plain_lines_tell_of_each_epoch_where_there_is_no_terminal(
    make_classifier: MakeClassifier, toy: Toy, run_fit: RunFit, capfd: pytest.CaptureFixture[str]
) -> None:
    run_fit(make_classifier(3), toy(16), toy(8))
    out, err = capfd.readouterr()
    number = r"\d+\.\d{4}"
    form = rf"epoch (\d/\d): train_loss {number}, val_loss {number}, val_acc {number}"
    assert [re.sub(f"^{form}$", r"\1", line) for line in out.splitlines()] == ["1/2", "2/2"]
    assert err == ""


def test_a_checkpoint_holds_the_trained_weights_alone_and_no_pickled_code(
    make_classifier: MakeClassifier, toy: Toy, run_fit: RunFit, tmp_path: Path
) -> None:
    run_fit(make_classifier(3), toy(16), toy(8), folder=tmp_path / "checkpoints")
    state = torch.load(tmp_path / "checkpoints" / "best.ckpt", weights_only=True)
    assert set(state["state_dict"]) == {"classifier.head.weight", "classifier.head.bias"}
    assert sorted(file.name for file in (tmp_path / "checkpoints").iterdir()) == ["best.ckpt", "latest.ckpt"]


@pytest.mark.parametrize("option", [{"class_weights": "balanced"}, {"sampling": "balanced"}])
def test_a_rare_class_is_found_where_classes_are_balanced(
    make_classifier: MakeClassifier, toy: Toy, tokenizer: Tokenizer, run_fit: RunFit, option: dict[str, Any]
) -> None:
    both = toy(200)
    assert both.labels is not None
    chosen = np.flatnonzero((both.labels == 0) | (np.arange(200) % 20 == 1))
    starts = both.ragged.starts()
    values = np.concatenate([both.ragged.values[starts[row] : starts[row + 1]] for row in chosen])
    rare = TokenDataset(RaggedRows(values, both.ragged.lengths[chosen]), both.labels[chosen], tokenizer.pad_id)
    unseen, found, steps = toy(60, seed=2), [], []
    for options in ({}, option):
        classifier = make_classifier(2)
        steps.append(
            run_fit(classifier, rare, toy(20, seed=1), keep="last", epochs=4, learning_rate=3e-3, **options).steps
        )
        found.append(classifier.probabilities(unseen)[unseen.labels == 1, 1].mean())
    assert found[1] > found[0] + 0.1
    assert steps[0] == steps[1]


@pytest.mark.parametrize("keep", ["best", "last"])
def test_the_average_of_the_weights_is_what_is_validated_and_left(
    make_classifier: MakeClassifier, toy: Toy, run_fit: RunFit, memory: Any, keep: str
) -> None:
    train, validation = toy(48), toy(32, seed=1)
    plain, averaged = make_classifier(2), make_classifier(2)
    run_fit(plain, train, validation, keep=keep, epochs=3, learning_rate=3e-3)
    result = run_fit(averaged, train, validation, memory, keep=keep, epochs=3, learning_rate=3e-3, ema=0.95)
    assert not torch.equal(plain.head.weight, averaged.head.weight)
    val_loss = memory.values("val_loss")
    assert val_loss[result.kept_epoch] == pytest.approx(loss(averaged, validation), abs=1e-5)
    # The steps themselves are those without an average.
    unchanged = make_classifier(2)
    run_fit(unchanged, train, validation, epochs=3, learning_rate=3e-3, keep="last", ema=1e-9)
    last = make_classifier(2)
    run_fit(last, train, validation, epochs=3, learning_rate=3e-3, keep="last")
    assert torch.allclose(unchanged.head.weight, last.head.weight, atol=1e-6)
