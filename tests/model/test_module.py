"""Which parameters decay, and the learning rate of each step."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from newsclf.config import TrainConfig
from newsclf.model.batches import TokenBatch
from newsclf.model.classifier import Classifier
from newsclf.model.module import OPTIMIZERS, NewsModule, class_weights


def module(classifier: Classifier, steps: int = 10, **options: object) -> NewsModule:
    return NewsModule(classifier, TrainConfig(**options), 0.5, steps)  # type: ignore[arg-type]


def groups_by_name(of: NewsModule) -> dict[str, float]:
    """The weight decay of every parameter that the optimizer has."""
    names = {parameter: name for name, parameter in of.classifier.named_parameters()}
    groups = of.configure_optimizers()["optimizer"].param_groups
    held = [(names[parameter], group["weight_decay"]) for group in groups for parameter in group["params"]]
    assert len(dict(held)) == len(held), "no parameter is in two groups"
    return dict(held)


@pytest.mark.parametrize("frozen", [0, 2, 3])
def test_biases_and_layer_norms_do_not_decay_and_frozen_parameters_are_left_out(
    make_classifier: Callable[..., Classifier], frozen: int
) -> None:
    classifier = make_classifier(frozen)
    decay = groups_by_name(module(classifier, weight_decay=0.25))
    assert decay == {
        name: 0.0 if name.endswith("bias") or "LayerNorm" in name else 0.25
        for name, parameter in classifier.named_parameters()
        if parameter.requires_grad
    }
    assert decay["head.weight"] == 0.25
    assert ("encoder.transformer.embeddings.LayerNorm.weight" in decay) == (frozen == 0)
    assert ("encoder.transformer.encoder.layer.2.output.LayerNorm.weight" in decay) == (frozen < 3)


def rates(classifier: Classifier, steps: int, warmup_fraction: float) -> list[float]:
    optimizers = module(classifier, steps, warmup_fraction=warmup_fraction).configure_optimizers()
    assert optimizers["lr_scheduler"]["interval"] == "step"
    optimizer, schedule = optimizers["optimizer"], optimizers["lr_scheduler"]["scheduler"]
    taken = []
    for _ in range(steps):
        taken.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert optimizer.param_groups[0]["lr"] == 0, "no step is left"
    return taken


@pytest.mark.parametrize(
    ("steps", "warmup_fraction", "expected"),
    [
        (10, 0.2, [1 / 3, 2 / 3, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8]),
        (4, 0.0, [1, 3 / 4, 2 / 4, 1 / 4]),
        (1, 0.1, [1]),
    ],
)
def test_the_learning_rate_rises_and_then_falls_to_zero_in_a_line(
    make_classifier: Callable[..., Classifier], steps: int, warmup_fraction: float, expected: list[float]
) -> None:
    peak = 0.5
    got = rates(make_classifier(3), steps, warmup_fraction)
    assert got == pytest.approx([peak * share for share in expected])


def test_with_warmup_alone_the_rate_rises_to_the_end(make_classifier: Callable[..., Classifier]) -> None:
    optimizers = module(make_classifier(3), 4, warmup_fraction=1.0).configure_optimizers()
    optimizer, schedule = optimizers["optimizer"], optimizers["lr_scheduler"]["scheduler"]
    taken = []
    for _ in range(4):
        taken.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert taken == pytest.approx([0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize(
    ("name", "kind"), [("adamw", torch.optim.AdamW), ("adam", torch.optim.Adam), ("sgd", torch.optim.SGD)]
)
def test_the_optimizer_is_the_one_that_was_named(
    make_classifier: Callable[..., Classifier], name: str, kind: type
) -> None:
    optimizer = module(make_classifier(3), optimizer_name=name).configure_optimizers()["optimizer"]
    assert type(optimizer) is kind


def test_every_optimizer_that_may_be_named_is_there() -> None:
    field = TrainConfig.__dataclass_fields__["optimizer_name"]
    assert set(field.metadata["choices"]) == set(OPTIMIZERS)


LABELS = np.repeat([0, 1, 2], [6, 3, 1])


def test_balanced_weights_are_scikit_learns_and_given_ones_keep_their_ratio() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    found = class_weights("balanced", ("a", "b", "c"), LABELS)
    assert found is not None
    assert found.tolist() == pytest.approx(compute_class_weight("balanced", classes=np.arange(3), y=LABELS))
    given = class_weights({"b": 4.0}, ("a", "b", "c"), LABELS)
    assert given is not None
    assert (given / given[0]).tolist() == pytest.approx([1, 4, 1])
    assert given[LABELS].mean() == pytest.approx(1)
    assert class_weights(None, ("a", "b"), LABELS) is class_weights({}, ("a", "b"), LABELS) is None


def test_a_class_without_a_row_does_no_harm() -> None:
    found = class_weights("balanced", ("a", "b", "c", "d"), LABELS)
    assert found is not None
    assert found.isfinite().all()
    assert found[LABELS].mean() == pytest.approx(1)


def test_a_row_counts_by_its_class_in_training_and_not_in_validation(
    make_classifier: Callable[..., Classifier],
) -> None:
    logits, labels = torch.randn(10, 3), torch.tensor(LABELS)
    each = cross_entropy(logits, labels, reduction="none")
    classifier = make_classifier()
    assert NewsModule(classifier, TrainConfig(), 0.1, 1).loss(logits, labels) == cross_entropy(logits, labels)
    weights = class_weights("balanced", ("a", "b", "c"), LABELS)
    weighted = NewsModule(classifier, TrainConfig(), 0.1, 1, weights).loss(logits, labels)
    by_class = [float(each[label == LABELS].mean()) for label in range(3)]
    assert float(weighted) == pytest.approx(np.mean(by_class)), "every class counts the same"


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
@pytest.mark.parametrize("clip", [0.0, 1e-3, 1e6])
def test_a_step_with_clipping_is_that_of_torchs_own_clipping(
    name: str, clip: float, make_classifier: Callable[..., Classifier]
) -> None:
    """The step scales the gradients itself; a norm that is small enough changes no bit."""
    config = TrainConfig(optimizer_name=name, gradient_clip=clip)
    ids, labels = torch.randint(5, 50, (4, 6)), torch.tensor([0, 1, 0, 1])
    after = []
    for ours in (True, False):
        classifier = make_classifier()
        module = NewsModule(classifier, config, 1e-2, steps=10)
        optimizer = module.configure_optimizers()["optimizer"]
        for _ in range(3):
            optimizer.zero_grad()
            cross_entropy(classifier(TokenBatch(ids, None, labels, pooled=False)), labels).backward()
            if ours:
                module.configure_gradient_clipping(optimizer)
            elif clip:
                clip_grad_norm_(list(classifier.parameters()), clip)
            optimizer.step()
        after.append({key: weight.detach() for key, weight in classifier.named_parameters()})
    if clip == 1e-3:
        torch.testing.assert_close(after[0], after[1], rtol=1e-4, atol=1e-6)
    else:
        assert all(torch.equal(after[0][key], weight) for key, weight in after[1].items())


@pytest.mark.parametrize(("frozen", "trained"), [(0, 5), (2, 2), (3, 1)])
def test_a_layer_learns_the_slower_the_deeper_it_lies(
    make_classifier: Callable[..., Classifier], frozen: int, trained: int
) -> None:
    classifier = make_classifier(frozen)
    of = module(classifier, layer_decay=0.5, weight_decay=0.25, warmup_fraction=0.0)
    groups = of.configure_optimizers()["optimizer"].param_groups
    names = {parameter: name for name, parameter in classifier.named_parameters()}
    rates = {names[parameter]: group["lr"] for group in groups for parameter in group["params"]}
    assert set(rates) == {name for name, parameter in classifier.named_parameters() if parameter.requires_grad}
    for name, rate in rates.items():
        layer = next((number for number in range(3) if f"layer.{number}." in name), None)
        depth = 0 if name.startswith("head") else 4 if layer is None else 3 - layer
        assert rate == pytest.approx(0.5 * 0.5**depth), name
    assert len({group["lr"] for group in groups}) == trained
    assert groups[0]["lr"] == 0.5, "the first is the head's, which is logged as the learning rate"
    assert {group["weight_decay"] for group in groups} == {0.25, 0.0}


def test_smoothed_labels_are_torch_s_and_weighted_by_the_row(make_classifier: Callable[..., Classifier]) -> None:
    logits, labels = torch.randn(10, 3), torch.tensor(LABELS)
    config = TrainConfig(label_smoothing=0.1)
    smooth = NewsModule(make_classifier(), config, 0.1, 1).loss(logits, labels)
    assert smooth == cross_entropy(logits, labels, label_smoothing=0.1)
    ones = torch.ones(3)
    assert NewsModule(make_classifier(), config, 0.1, 1, ones).loss(logits, labels) == pytest.approx(float(smooth))
