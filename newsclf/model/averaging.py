"""An exponential moving average of weights over the steps of a training (Polyak and Juditsky 1992)."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class WeightAverage:
    """After each step average = d * average + (1 - d) * weights, with d = min(decay, (1 + step) / (10 + step)).

    The lower decay at the beginning lets go of the weights that the training began with.
    """

    def __init__(self, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.weights: dict[str, Tensor] = {}

    @torch.no_grad()
    def update(self, weights: Mapping[str, Tensor]) -> None:
        """Take the weights of one more step into the average."""
        self.steps += 1
        if not self.weights:
            self.weights = {name: weight.clone() for name, weight in weights.items()}
            return
        share = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(list(self.weights.values()), [weights[name] for name in self.weights], share)

    @torch.no_grad()
    def swap(self, weights: Mapping[str, Tensor]) -> None:
        """Put the average in the place of the weights, and those in its place; once more is as before."""
        for name, averaged in self.weights.items():
            own = weights[name].clone()
            weights[name].copy_(averaged)
            averaged.copy_(own)

    def state(self) -> dict[str, Any]:
        return {"steps": self.steps, "weights": self.weights}

    def restore(self, state: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
        """What `state` gave. weights: those that are trained, beside which the average lies."""
        self.steps = state["steps"]
        self.weights = {name: average.to(weights[name].device) for name, average in state["weights"].items()}
