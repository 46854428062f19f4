"""Whether torch.compile pays on this machine: AG News batches, full fine-tuning, eager against compiled.

Compiled are the encoder's layers, each with dynamic shapes, since every bucket has its own length;
once as they are, and once with torch's own dropout, which the compiler can fuse with its neighbours.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import cycle

import torch
from torch import nn

from benchmarks.rows import sampled
from benchmarks.speed import minilm
from benchmarks.tables import medians_in_turn, show
from newsclf.config import TrainConfig
from newsclf.model.batches import LengthBucketSampler, TokenBatch, loader
from newsclf.model.encoder import Dropout
from newsclf.model.module import NewsModule
from newsclf.model.training import seed_everything

ROWS, BATCH, STEPS = 1600, 32, 20
VARIANTS = ("eager", "compiled", "compiled, torch's dropout")


def trainer_step(config: TrainConfig, variant: str) -> Callable[[TokenBatch], None]:
    """A function that takes one training step on a model of its own."""
    classifier, _ = minilm(config)
    if variant.endswith("torch's dropout"):
        _use_torch_dropout(classifier)
    if variant != "eager":
        for layer in classifier.encoder.layers:
            layer.compile(dynamic=True)
    optimizer = NewsModule(classifier, config, 2e-4, steps=100).configure_optimizers()["optimizer"]

    def step(batch: TokenBatch) -> None:
        assert batch.labels is not None
        nn.functional.cross_entropy(classifier(batch), batch.labels).backward()
        nn.utils.clip_grad_norm_(classifier.parameters(), config.gradient_clip)
        optimizer.step()
        optimizer.zero_grad()

    return step


def main(data_dir: str, repeats: int) -> None:
    seed_everything(0)
    config = TrainConfig(dataset="ag_news", data_dir=data_dir, device="cpu")
    table, _ = sampled(config, ROWS)
    # One order of batches for all, so that every variant takes the same ones.
    batches = list(loader(table, LengthBucketSampler(table.ragged.lengths, BATCH, seed=0)))
    steps = {variant: trainer_step(config, variant) for variant in VARIANTS}
    warm_up = {variant: _seconds(step, batches[:8]) for variant, step in steps.items()}
    feeds = {variant: cycle(batches) for variant in VARIANTS}
    taken = medians_in_turn(
        {variant: partial(_next_steps, step, feeds[variant]) for variant, step in steps.items()}, repeats
    )
    show(
        f"torch.compile, AG News, all layers, batch 32, {torch.get_num_threads()} threads",
        ["layers", "ms a step", "times eager", "seconds of compiling (8 first steps, less eager's)"],
        [
            [
                variant,
                f"{seconds / STEPS * 1e3:.0f}",
                f"{taken['eager'] / seconds:.2f}",
                f"{warm_up[variant] - warm_up['eager']:.0f}",
            ]
            for variant, seconds in taken.items()
        ],
    )


def _next_steps(step: Callable[[TokenBatch], None], feed: Iterator[TokenBatch]) -> float:
    return _seconds(step, [next(feed) for _ in range(STEPS)])


def _seconds(step: Callable[[TokenBatch], None], batches: Iterable[TokenBatch]) -> float:
    began = time.perf_counter()
    for batch in batches:
        step(batch)
    return time.perf_counter() - began


def _use_torch_dropout(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, Dropout):
            setattr(module, name, nn.Dropout(child.p))
        else:
            _use_torch_dropout(child)
