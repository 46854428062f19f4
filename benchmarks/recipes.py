"""Each way of fine-tuning switched on alone, beside none of them: validation and test accuracy over seeds.

20 Newsgroups' four groups, metadata removed; the top two layers at 128 tokens, so that the frozen ones are computed
once.
"""

import contextlib
import dataclasses
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.tables import show
from newsclf.config import TrainConfig
from newsclf.data import load
from newsclf.model import weights
from newsclf.model.datamodule import NewsDataModule
from newsclf.model.tokenizer import Tokenizer
from newsclf.model.training import fit, seed_everything
from newsclf.verbs.train import fitted_to, make_classifier, model_inputs, resolve_auto

RECIPES: dict[str, dict[str, Any]] = {
    "none of them": {},
    "layer_decay=0.8": {"layer_decay": 0.8},
    "ema=0.98": {"ema": 0.98},
    "label_smoothing=0.1": {"label_smoothing": 0.1},
    "class_weights=balanced": {"class_weights": "balanced"},
    "sampling=balanced": {"sampling": "balanced"},
}


def accuracies(config: TrainConfig) -> tuple[float, float]:
    """Accuracy on validation (of the kept epoch) and on test."""
    config = resolve_auto(config)
    dataset = load(config)
    config, bf16 = fitted_to(config, dataset), config.precision == "bf16"
    assert config.learning_rate is not None
    files = weights.find(config.encoder)
    tokenizer = Tokenizer(files.folder, config.max_length)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        seed_everything(config.seed)
        classifier = make_classifier(config, files, dataset.classes, tokenizer)
        inputs, _ = model_inputs(config, dataset, files, tokenizer, classifier, bf16)
        data = NewsDataModule(config, inputs)
        fit(
            classifier, data, config, learning_rate=config.learning_rate, bf16=bf16, logger=False, folder=Path(folder)
        )  # fmt: skip
    right = [
        (classifier.probabilities(inputs[split], bf16).argmax(axis=1) == inputs[split].row_labels).mean()
        for split in ("validation", "test")
    ]
    return float(right[0]), float(right[1])


def main(data_dir: Path, seeds: int, only: str) -> None:
    chosen = {name: options for name, options in RECIPES.items() if only in name or not options}
    base = TrainConfig(
        dataset="20newsgroups", data_dir=str(data_dir), trainable_layers=2, max_length=128, epochs=4, patience=0
    )
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in chosen}
    for seed in range(seeds):  # the seeds one by one, so that what is cut off has each recipe as often, but for once
        for name, options in chosen.items():
            found[name].append(accuracies(dataclasses.replace(base, seed=seed, **options)))
            print(f"seed {seed}, {name}: validation, test {found[name][-1]}", flush=True)
    plain = np.array(found["none of them"])
    rows = []
    for name, values in found.items():
        scores = np.array(values)
        change = with_interval((scores - plain)[:, 1]) if name != "none of them" else ""
        rows.append([name, f"{scores[:, 0].mean():.4f}", f"{scores[:, 1].mean():.4f}", change])
    show(
        f"20 Newsgroups, four groups, metadata removed, top two layers at 128 tokens, 4 epochs, {seeds} seeds",
        ["switched on", "validation accuracy", "test accuracy", "test, paired with none of them (95 % interval)"],
        rows,
    )


def with_interval(values: Sequence[float]) -> str:
    """Mean and 95 % t-interval over the seeds."""
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return f"{mean:+.4f}"
    half = float(stats.t.ppf(0.975, count - 1) * np.std(values, ddof=1) / np.sqrt(count))
    return f"{mean:+.4f} ({mean - half:+.4f} to {mean + half:+.4f})"
