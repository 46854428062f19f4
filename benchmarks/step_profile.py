"""Where the time of a fine-tuning step goes: the share of each kind of work, by torch's own profiler."""

from collections.abc import Callable

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.tables import show

# What torch's operators are for, by a part of their names; the first that fits counts.
WORK = {
    "matrix products": ("::mm", "::addmm", "::bmm", "::linear"),
    "attention": ("scaled_dot_product", "softmax"),
    "GELU": ("gelu",),
    "LayerNorm": ("layer_norm",),
    "dropout": ("ge_", "random_"),
    "clipping and AdamW": ("adamw", "linalg_vector_norm", "_foreach"),
    "casts and copies": ("copy", "fill_", "zero"),
}
REST = "sums, residuals and the rest"


def shares(step: Callable[[], None], steps: int) -> dict[str, float]:
    """The share of each kind of WORK, and of the rest, in the time of `steps` calls of `step`."""
    with profile(activities=[ProfilerActivity.CPU]) as found:
        for _ in range(steps):
            step()
    taken = dict.fromkeys([*WORK, REST], 0.0)
    for event in found.key_averages():
        if event.key.startswith("aten::"):
            kind = next((kind for kind, parts in WORK.items() if any(part in event.key for part in parts)), REST)
            taken[kind] += event.self_cpu_time_total
    total = sum(taken.values())
    return {kind: microseconds / total for kind, microseconds in taken.items()}


def show_shares(by_length: dict[int, dict[str, float]], precision: str) -> None:
    rows = [[kind, *(f"{found[kind]:.1%}" for found in by_length.values())] for kind in (*WORK, REST)]
    title = f"Where a step's time goes, {precision}, {torch.get_num_threads()} threads"
    show(title, ["work", *(f"{length} tokens" for length in by_length)], rows)
