"""The average of weights over steps: worked out by hand, swapped in and out, kept and restored."""

import pytest
import torch

from newsclf.model.averaging import WeightAverage


def test_it_follows_the_weights_by_its_decay_after_a_beginning() -> None:
    average, expected = WeightAverage(0.5), torch.zeros(3)
    for step in range(1, 30):
        weights = {"w": torch.full((3,), float(step)), "v": torch.full((1,), -float(step))}
        average.update(weights)
        decay = 0.0 if step == 1 else min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    assert average.weights["w"].tolist() == pytest.approx(expected.tolist())
    assert average.weights["v"].tolist() == pytest.approx([-expected[0].item()])
    assert expected[0] == pytest.approx(28, abs=0.01), "one step behind"


def test_it_is_swapped_for_the_weights_and_back() -> None:
    weights = {"w": torch.zeros(2)}
    average = WeightAverage(0.9)
    average.update(weights)
    weights["w"] += 1
    average.swap(weights)
    assert (weights["w"].tolist(), average.weights["w"].tolist()) == ([0, 0], [1, 1])
    average.swap(weights)
    assert (weights["w"].tolist(), average.weights["w"].tolist()) == ([1, 1], [0, 0])


def test_what_is_restored_goes_on_as_if_it_had_not_been_cut_off() -> None:
    whole, part = WeightAverage(0.99), WeightAverage(0.99)
    for step in range(20):
        weights = {"w": torch.full((2,), float(step))}
        whole.update(weights)
        part.update(weights)
        if step == 9:
            state, part = part.state(), WeightAverage(0.99)
            part.restore(state, weights)
    assert torch.equal(whole.weights["w"], part.weights["w"])
