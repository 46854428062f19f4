"""How long a training would take, from two of its steps."""

import time
from dataclasses import dataclass
from itertools import islice

import torch
from torch import nn

from newsclf.config import TrainConfig
from newsclf.model.batches import TokenDataset, to_device
from newsclf.model.classifier import Classifier
from newsclf.model.datamodule import training_sampler
from newsclf.model.module import NewsModule
from newsclf.model.training import threads

STEPS = 2  # and one before, which has the costs of every first time


@dataclass(frozen=True)
class Trial:
    """Seconds a token, padding included: of a training step, and of a prediction."""

    training: float
    predicting: float


def trial(classifier: Classifier, rows: TokenDataset, config: TrainConfig, learning_rate: float, bf16: bool) -> Trial:
    """Train `classifier` for a few steps on `rows`, which have labels, and predict as many batches; it is changed."""
    device = classifier.head.weight.device
    module = NewsModule(classifier, config, learning_rate, steps=STEPS + 1)
    optimizer = module.configure_optimizers()["optimizer"]
    sampler = training_sampler(rows, config)
    batches = [to_device(rows.__getitems__(numbers), device) for numbers in islice(sampler, STEPS + 1)]
    seconds = {True: 0.0, False: 0.0}
    tokens = 0
    with threads(rows.ragged):
        for number in range(STEPS + 1):
            batch = batches[number % len(batches)]
            assert batch.labels is not None
            for training in (True, False):
                classifier.train(training)
                began = time.perf_counter()
                with torch.set_grad_enabled(training), torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                    loss = nn.functional.cross_entropy(classifier(batch).float(), batch.labels)
                if training:
                    optimizer.zero_grad()
                    loss.backward()
                    module.configure_gradient_clipping(optimizer)
                    optimizer.step()
                loss.item()  # a GPU has done it by now
                if number:
                    seconds[training] += time.perf_counter() - began
            # A pooled row is one vector, and counts as one token.
            tokens += (batch.values.shape[0] * (1 if batch.pooled else batch.values.shape[1])) if number else 0
    return Trial(seconds[True] / tokens, seconds[False] / tokens)
