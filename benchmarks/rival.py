"""Rows a second of `newsclf.model.training.fit` and of transformers' Trainer, in turn, on the same rows.

The Trainer runs with its defaults: dynamic padding, length groups, fused AdamW, the encoder's own dropout (0.1, in
attention too). It needs `pip install accelerate`, which is no dependency of this project.
Neither side's time has tokenisation, loading of weights, or validation in it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, DataCollatorWithPadding, Trainer, TrainingArguments
from transformers.trainer_pt_utils import get_length_grouped_indices

from benchmarks.rows import sampled
from benchmarks.speed import minilm
from benchmarks.tables import medians_in_turn, show
from newsclf.config import TrainConfig
from newsclf.model import prefix
from newsclf.model.cache import Cache
from newsclf.model.tables import Batches, Table
from newsclf.model.tokenizer import Tokenizer
from newsclf.model.training import fit, seed_everything
from newsclf.model.weights import find

BATCH, WARM_UP_ROWS = 32, 96
HEAD_EPOCHS = 20


@dataclass(frozen=True)
class Case:
    """One row of the table. frozen_pass: whether our time has the frozen layers' one pass in it."""

    name: str
    rows: int
    config: TrainConfig
    target: float
    frozen_pass: bool = False


def cases(data_dir: str) -> list[Case]:
    posts = TrainConfig(dataset="20newsgroups", data_dir=data_dir, max_length=256, epochs=1, device="cpu")
    news = TrainConfig(dataset="ag_news", data_dir=data_dir, epochs=1, device="cpu")
    top = dataclasses.replace(news, trainable_layers=2)
    head = dataclasses.replace(news, trainable_layers=0, epochs=HEAD_EPOCHS, patience=0)
    return [
        Case("all layers, 20 Newsgroups, 256 tokens", 416, posts, 1.6),
        Case("all layers, AG News", 800, news, 1.15),
        Case("top 2 layers, AG News, from the second epoch on", 800, top, 1.6),
        Case(f"0 layers, AG News, {HEAD_EPOCHS} epochs in all; Trainer: 1 epoch, counted {HEAD_EPOCHS} times", 1600)
        if False
        else Case(
            f"0 layers, AG News, {HEAD_EPOCHS} epochs in all, cold cache (Trainer: one epoch, scaled)", 1600, head, 15, True
        ),
    ]
