"""A full fine-tuning step as a share of what the machine's cores can do at all."""

import time
from statistics import median

import numpy as np
import torch
from torch import nn

from benchmarks.tables import show
from newsclf.config import TrainConfig
from newsclf.model import allocator
from newsclf.model.batches import TokenBatch
from newsclf.model.classifier import Classifier
from newsclf.model.module import NewsModule
from newsclf.model.tokenizer import Tokenizer
from newsclf.model.training import seed_everything
from newsclf.model.weights import find
from newsclf.verbs.train import make_classifier

# A token of MiniLM, its matrix products but for those inside attention; a training step has three times it.
FORWARD_FLOP = 21.2e6
SHAPES = ((2048, 384, 1536), (2048, 1536, 384), (2048, 384, 384), (8192, 384, 1536), (2048, 2048, 2048))
SECONDS = 0.5  # a shape
ROWS, LENGTHS, STEPS, WARM_UP = 32, (64, 256), {64: 12, 256: 5}, 2


def sgemm_peak() -> float:
    """GFLOP/s of the fastest float32 matrix product of SHAPES (rows, in, out), each at its median call."""
    best = 0.0
    for rows, width, out in SHAPES:
        left, right = torch.randn(rows, width), torch.randn(out, width)
        taken: list[float] = []
        until = time.perf_counter() + SECONDS
        while time.perf_counter() < until or len(taken) < 5:
            began = time.perf_counter()
            nn.functional.linear(left, right)
            taken.append(time.perf_counter() - began)
        best = max(best, 2 * rows * width * out / median(taken) / 1e9)
    return best


def minilm(config: TrainConfig, classes: tuple[str, ...] = ("a", "b", "c", "d")) -> tuple[Classifier, Tokenizer]:
    """A fresh classifier as `train` makes it, in training mode."""
    files = find(config.encoder)
    tokenizer = Tokenizer(files.folder, config.max_length)
    return make_classifier(config, files, classes, tokenizer).train(), tokenizer


@allocator.reused()
def step_seconds(length: int) -> float:
    """Median seconds of forward, loss, backward, clipping and AdamW on a batch of 32 rows of random words."""
    config = TrainConfig(max_length=256, device="cpu")
    classifier, _ = minilm(config)
    optimizer = NewsModule(classifier, config, 2e-4, steps=100).configure_optimizers()["optimizer"]
    ids = torch.randint(1000, 30_000, (ROWS, length))
    lengths = torch.arange(ROWS) % 3 + length - 2  # a bucket's rows differ by little, but they do, and need a mask
    mask = torch.arange(length)[None, :] < lengths[:, None]
    batch = TokenBatch(ids, mask, torch.randint(0, 4, (ROWS,)), pooled=False)
    assert batch.labels is not None
    taken = []
    for _ in range(WARM_UP + STEPS[length]):
        began = time.perf_counter()
        nn.functional.cross_entropy(classifier(batch), batch.labels).backward()
        nn.utils.clip_grad_norm_(classifier.parameters(), config.gradient_clip)
        optimizer.step()
        optimizer.zero_grad()
        taken.append(time.perf_counter() - began)
    return median(taken[WARM_UP:])


def main(repeats: int) -> None:
    seed_everything(0)
    results: dict[int, list[tuple[float, float, float, float]]] = {length: [] for length in LENGTHS}
    peak = sgemm_peak()
    for _ in range(repeats):
        for length in LENGTHS:
            before, seconds, peak = peak, step_seconds(length), sgemm_peak()
            rate = ROWS * length * 3 * FORWARD_FLOP / seconds / 1e9
            around = (before + peak) / 2
            results[length].append((seconds * 1e3, rate, around, rate / around))
    targets = {64: 0.65, 256: 0.60}
    rows = []
    for length, taken in results.items():
        ms, rate, around, share = np.median(taken, axis=0)
        spread = f"{min(t[3] for t in taken):.0%} to {max(t[3] for t in taken):.0%}"
        rows.append(
            [
                f"{ROWS} x {length}",
                f"{ms:.0f}",
                f"{rate:.0f}",
                f"{around:.0f}",
                f"{share:.0%} ({spread})",
                f">= {targets[length]:.0%}",
            ]
        )
    show(
        f"Full fine-tuning step, minilm, dropout 0.1, float32, {torch.get_num_threads()} threads",
        ["batch", "ms", "GFLOP/s", "sgemm peak, GFLOP/s", "share of the peak", "target"],
        rows,
    )
