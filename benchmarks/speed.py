"""A full fine-tuning step as a share of what the machine's cores can do at all, and bf16 beside float32.

bf16 is measured where the processor has instructions for it, by the same question that `precision=auto` asks.
"""

import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np
import torch
from torch import nn

from benchmarks.step_profile import shares, show_shares
from benchmarks.tables import medians_in_turn, show
from newsclf.config import TrainConfig
from newsclf.model import allocator
from newsclf.model.batches import TokenBatch
from newsclf.model.classifier import Classifier, mean_pool
from newsclf.model.device import choose, has_bf16
from newsclf.model.encoder import in_bf16
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
SHARES_OF_THE_PEAK = {64: 0.65, 256: 0.60}  # at least, in float32
# How many times as fast as float32 bf16 is to be at least, on a processor with tiles: (pass, tokens).
TIMES_IN_BF16 = {("frozen pass", 64): 3.3, ("frozen pass", 256): 2.6, ("step", 64): 2.4, ("step", 256): 2.2}


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


def random_batch(length: int) -> TokenBatch:
    """32 rows of random words."""
    ids = torch.randint(1000, 30_000, (ROWS, length))
    lengths = torch.arange(ROWS) % 3 + length - 2  # a bucket's rows differ by little, but they do, and need a mask
    mask = torch.arange(length)[None, :] < lengths[:, None]
    return TokenBatch(ids, mask, torch.randint(0, 4, (ROWS,)), pooled=False)


def make_step(length: int, bf16: bool = False) -> Callable[[], None]:
    """Forward, loss, backward, clipping and AdamW on a batch."""
    config = TrainConfig(max_length=256, device="cpu")
    classifier, _ = minilm(config)
    module = NewsModule(classifier, config, 2e-4, steps=100)
    optimizer = module.configure_optimizers()["optimizer"]
    batch = random_batch(length)

    def step() -> None:
        assert batch.labels is not None
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = nn.functional.cross_entropy(classifier(batch), batch.labels)
        loss.backward()
        module.configure_gradient_clipping(optimizer)
        optimizer.step()
        optimizer.zero_grad()

    return step


@allocator.reused()
def step_seconds(length: int, bf16: bool = False) -> float:
    """Median seconds of a step."""
    step, taken = make_step(length, bf16), []
    for _ in range(WARM_UP + STEPS[length]):
        began = time.perf_counter()
        step()
        taken.append(time.perf_counter() - began)
    return median(taken[WARM_UP:])


@allocator.reused()
def where_the_time_goes(bf16: bool) -> None:
    """The table of the kinds of work in a step."""
    found = {}
    for length in LENGTHS:
        step = make_step(length, bf16)
        for _ in range(WARM_UP):
            step()
        found[length] = shares(step, STEPS[length])
    show_shares(found, "bf16" if bf16 else "float32")


@allocator.reused()
def pass_seconds(length: int, bf16: bool = False) -> float:
    """Median seconds of a frozen pass over a batch, to one pooled vector a row."""
    classifier, _ = minilm(TrainConfig(max_length=256, device="cpu", trainable_layers=0))
    reader, batch, taken = in_bf16(classifier) if bf16 else classifier, random_batch(length), []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        for _ in range(WARM_UP + STEPS[length]):
            began = time.perf_counter()
            mean_pool(reader.prefix(batch.values, batch.mask), batch.mask)
            taken.append(time.perf_counter() - began)
    return median(taken[WARM_UP:])


def bf16_beside_float32(repeats: int) -> None:
    """The table of how many times as fast bf16 is."""
    rows = []
    for (name, length), target in TIMES_IN_BF16.items():
        measure = pass_seconds if name == "frozen pass" else step_seconds
        found = medians_in_turn({bf16: partial(measure, length, bf16) for bf16 in (False, True)}, repeats)
        ms = [f"{found[bf16] * 1e3:.0f}" for bf16 in (False, True)]
        rows.append([f"{name}, {ROWS} x {length}", *ms, f"{found[False] / found[True]:.2f}", f">= {target}"])
    show("bf16 beside float32, minilm, ms", ["pass", "float32", "bf16", "times", "target"], rows)


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
                f">= {SHARES_OF_THE_PEAK[length]:.0%}",
            ]
        )
    show(
        f"Full fine-tuning step, minilm, dropout 0.1, float32, {choose('cpu').name}",
        ["batch", "ms", "GFLOP/s", "sgemm peak, GFLOP/s", "share of the peak", "target"],
        rows,
    )
    where_the_time_goes(bf16=False)
    if has_bf16("cpu"):
        bf16_beside_float32(repeats)
        where_the_time_goes(bf16=True)
    else:
        print("\nThis processor has no instructions for bf16: the targets are those of float32.", flush=True)
