"""Rows a second of `newsclf.model.training.fit` and of transformers' Trainer, in turn, on the same rows.

The Trainer runs with its defaults: dynamic padding, length groups, fused AdamW, the encoder's own dropout (0.1, in
attention too). Where the processor has instructions for bf16 (the question of `precision=auto`), ours computes in it,
and the Trainer runs once more with bf16=True. It needs `pip install accelerate`, no dependency of this project.
Neither side's time holds tokenisation, reading of weights, or validation.
"""

import contextlib
import dataclasses
import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from torch.utils.data import Sampler
from transformers import AutoModelForSequenceClassification, DataCollatorWithPadding, Trainer, TrainingArguments
from transformers.trainer_pt_utils import get_length_grouped_indices

from benchmarks.rows import sampled
from benchmarks.speed import minilm
from benchmarks.tables import medians_in_turn, show
from newsclf.config import TrainConfig
from newsclf.model import prefix
from newsclf.model.batches import RaggedRows, TokenDataset
from newsclf.model.cache import Cache
from newsclf.model.datamodule import NewsDataModule
from newsclf.model.device import choose, has_bf16
from newsclf.model.training import fit, seed_everything
from newsclf.model.weights import find

BATCH, WARM_UP_ROWS = 32, 96
HEAD_EPOCHS = 20


@dataclass(frozen=True)
class Case:
    """A case of the table. from_cold: our time holds the one pass through the frozen layers.

    target: how many times the Trainer's rate ours is to be, both in float32; in_bf16: ours in bf16, against the
    Trainer with its defaults, and with bf16=True.
    """

    name: str
    rows: int
    config: TrainConfig
    target: float
    in_bf16: tuple[float, float] | None = None
    from_cold: bool = False


def cases(data_dir: str) -> list[Case]:
    posts = TrainConfig(dataset="20newsgroups", data_dir=data_dir, max_length=256, epochs=1, device="cpu")
    news = TrainConfig(dataset="ag_news", data_dir=data_dir, epochs=1, device="cpu")
    top = dataclasses.replace(news, trainable_layers=2)
    head = dataclasses.replace(news, trainable_layers=0, epochs=HEAD_EPOCHS, patience=0)
    return [
        Case("20 Newsgroups (256 tokens), all layers", 416, posts, 1.6, (3.4, 2.5)),
        Case("AG News, all layers", 1600, news, 1.15, (2.6, 1.6)),
        Case("AG News, top 2 layers, from the second epoch on", 800, top, 1.6),
        Case(f"AG News, 0 layers, {HEAD_EPOCHS} epochs in all (*)", 1600, head, 15, from_cold=True),
    ]


def our_rate(case: Case, rows: TokenDataset) -> float:
    """Rows a second over all epochs, those of a second epoch where the frozen layers' output is in the cache."""
    classifier, tokenizer = minilm(case.config)
    bf16 = has_bf16("cpu")
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        pass_seconds = 0.0
        if classifier.frozen:
            began = perf_counter()
            cache = Cache(Path(folder) / "cache", limit=10**11)
            table = prefix.compute(classifier, cache, "benchmark", rows.ragged, tokenizer.pad_id, bf16)
            rows = TokenDataset(table, rows.labels)
            pass_seconds = perf_counter() - began
        result = fit(
            classifier,
            NewsDataModule(case.config, {"train": rows, "validation": first(rows, BATCH)}),
            case.config,
            learning_rate=2e-4,
            bf16=bf16,
            logger=False,
            folder=Path(folder),
        )
    seconds = result.train_seconds + (pass_seconds if case.from_cold else 0.0)
    return result.epochs * len(rows) / seconds


def rival_rate(case: Case, rows: TokenDataset, whole: int, bf16: bool = False) -> float:
    """Rows a second of one epoch of the Trainer; whole is the number of rows of the data set they are from."""
    folder = find(case.config.encoder).folder
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=4)
    freeze(model, case.config.trainable_layers)
    assert rows.labels is not None
    starts = rows.ragged.starts()
    examples = [
        {"input_ids": rows.ragged.values[starts[row] : starts[row + 1]].tolist(), "labels": int(label)}
        for row, label in enumerate(rows.labels)
    ]
    with tempfile.TemporaryDirectory() as output:
        trainer = LengthGroups(
            model,
            TrainingArguments(
                output,
                per_device_train_batch_size=BATCH,
                num_train_epochs=1,
                train_sampling_strategy="group_by_length",
                use_cpu=True,
                eval_strategy="no",
                save_strategy="no",
                logging_strategy="no",
                report_to="none",
                disable_tqdm=True,
                dataloader_pin_memory=False,
                bf16=bf16,
            ),
            train_dataset=examples,
            data_collator=DataCollatorWithPadding(minilm(case.config)[1].fast),
        )
        trainer.groups = min(whole // (4 * BATCH), 50)
        with contextlib.redirect_stdout(io.StringIO()):
            return len(rows) / trainer.train().metrics["train_runtime"]


class LengthGroups(Trainer):
    """The Trainer with the size of length group that it chooses for a whole data set, not for a few of its rows."""

    groups: int  # batches

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        data: Any = self.train_dataset
        return _InGroups([len(example["input_ids"]) for example in data], self.groups)


class _InGroups(Sampler[int]):
    def __init__(self, lengths: list[int], groups: int) -> None:
        self.lengths, self.groups = lengths, groups

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        return iter(get_length_grouped_indices(self.lengths, BATCH, self.groups))


def freeze(model: Any, trainable_layers: int | None) -> None:
    """Stop training in all but the top layers (and what stands behind them); None trains all."""
    if trainable_layers is None:
        return
    bert = model.bert
    layers = bert.encoder.layer
    frozen = [bert] if trainable_layers == 0 else [bert.embeddings, *layers[: len(layers) - trainable_layers]]
    for part in frozen:
        part.requires_grad_(False)


def first(rows: TokenDataset, count: int) -> TokenDataset:
    """The first `count` rows."""
    table, labels = rows.ragged, rows.labels
    assert labels is not None
    end = count if table.pooled else table.starts()[count]
    return TokenDataset(
        RaggedRows(table.values[:end], table.lengths[:count], table.pooled), labels[:count], rows.pad_id
    )


def main(data_dir: str, repeats: int, only: str = "") -> None:
    seed_everything(0)
    lines = []
    for case in cases(data_dir):
        if only not in case.name:
            continue
        rows, whole = sampled(case.config, case.rows)
        few = first(rows, WARM_UP_ROWS)
        our_rate(dataclasses.replace(case, config=dataclasses.replace(case.config, epochs=1)), few)
        rival_rate(case, few, whole)
        targets = {"defaults": case.target}
        if has_bf16("cpu") and case.in_bf16:
            targets = dict(zip(("defaults", "bf16=True"), case.in_bf16, strict=True))
        rivals = {name: partial(rival_rate, case, rows, whole, name == "bf16=True") for name in targets}
        rates = medians_in_turn({"ours": partial(our_rate, case, rows), **rivals}, repeats)
        for name, target in targets.items():
            figures = [rates["ours"], rates[name], rates["ours"] / rates[name]]
            shown = [f"{figures[0]:.1f}", name, f"{figures[1]:.1f}", f"{figures[2]:.2f}", f">= {target}"]
            lines.append([case.name, f"{case.rows:,}", f"{rows.ragged.tokens / case.rows:.0f}", *shown])
            print(" | ".join(lines[-1]), flush=True)
    show(
        f"Rows a second, minilm in {'bf16' if has_bf16('cpu') else 'float32'}, batch 32, {choose('cpu').name}",
        ["case", "rows", "tokens a row", "ours", "Trainer", "its rows a second", "times", "target"],
        lines,
    )
    print(
        f"\n(*) ours: the frozen pass with a cold cache and {HEAD_EPOCHS} epochs of the head; "
        f"the Trainer's epochs are all alike, so one was measured and stands for {HEAD_EPOCHS}"
    )
