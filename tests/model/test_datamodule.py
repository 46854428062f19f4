"""The splits as Lightning has them: fetched, tokenised, drawn and padded, alone or under fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import pytorch_lightning as lightning
import torch

from newsclf.config import TrainConfig
from newsclf.errors import InputError
from newsclf.model.batches import LengthBucketSampler, TokenDataset, loader
from newsclf.model.classifier import Classifier
from newsclf.model.datamodule import NewsDataModule
from newsclf.model.module import NewsModule
from newsclf.model.tokenizer import Tokenizer
from tests.model.conftest import CLASSES

Toy = Callable[..., TokenDataset]


def rows(count: int, weights: list[int] | None = None) -> pd.DataFrame:
    words = ("team season", "company market bank")
    frame = pd.DataFrame(
        {
            "text": [f"{words[row % 2]} win " + "final " * (row % 7) for row in range(count)],
            "label": [CLASSES[row % 2] for row in range(count)],
        }
    )
    return frame if weights is None else frame.assign(weight=weights)


@pytest.fixture
def config(tiny_encoder: Path) -> TrainConfig:
    return TrainConfig(encoder=str(tiny_encoder), max_length=16, batch_size=8, epochs=2)


@pytest.fixture
def data(config: TrainConfig) -> NewsDataModule:
    splits = {"train": rows(30, [1] * 29 + [4]), "validation": rows(9), "test": rows(5)}
    made = NewsDataModule(config, splits, CLASSES)
    made.prepare_data()
    made.setup()
    return made


def test_rows_become_tokens_with_labels_and_weights(data: NewsDataModule, tiny_encoder: Path) -> None:
    tokens = Tokenizer(tiny_encoder, 16)(rows(9)["text"].tolist())
    assert data.inputs["validation"].ragged.values.tolist() == tokens.values.tolist()
    assert data.inputs["validation"].row_labels.tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 0]
    assert {split: len(part) for split, part in data.inputs.items()} == {"train": 33, "validation": 9, "test": 5}
    assert (data.steps, len(data.train_dataloader())) == (5, 5)


def test_each_epoch_is_drawn_anew_and_a_later_one_can_be_the_first(data: NewsDataModule) -> None:
    def labels(batches: Any) -> list[list[int]]:
        return [batch.values[:, 1].tolist() for batch in batches]

    running = data.train_dataloader()
    first, second = labels(running), labels(running)
    assert first != second
    assert sorted(map(len, first)) == [1, 8, 8, 8, 8]
    data.first_epoch = 1
    assert labels(data.train_dataloader()) == second
    train = data.inputs["train"]
    assert labels(loader(train, LengthBucketSampler(train.lengths, 8, seed=0))) == first


def test_what_nothing_is_learnt_from_comes_once_longest_first(data: NewsDataModule) -> None:
    for made, count in ((data.val_dataloader(), 9), (data.test_dataloader(), 5), (data.predict_dataloader(), 5)):
        batches = list(made)
        lengths = np.concatenate([batch.values.shape[1] * np.ones(len(batch.labels)) for batch in batches])
        assert (sum(len(batch.labels) for batch in batches), (np.diff(lengths) <= 0).all()) == (count, True)


@pytest.mark.filterwarnings("ignore:.*module.s. in eval mode", "ignore:.*LeafSpec")
def test_it_goes_with_a_trainer_of_its_own(
    data: NewsDataModule, config: TrainConfig, make_classifier: Callable[..., Classifier]
) -> None:
    classifier = make_classifier(2)
    before = classifier.head.weight.detach().clone()
    trainer = lightning.Trainer(
        max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    trainer.fit(NewsModule(classifier, config, 1e-2, data.steps), datamodule=data)
    assert trainer.global_step == 5
    assert not torch.equal(classifier.head.weight, before)


def test_ready_inputs_need_no_encoder(toy: Toy) -> None:
    ready = toy(20)
    data = NewsDataModule(TrainConfig(encoder="/nowhere"), {"train": ready, "validation": ready})
    data.prepare_data()
    data.setup()
    assert data.inputs["train"] is ready
    with pytest.raises(InputError, match="encoder"):
        NewsDataModule(TrainConfig(encoder="/nowhere"), {"train": rows(4)}, CLASSES).prepare_data()
