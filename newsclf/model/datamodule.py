"""Labelled rows as the batches of a training: fetched, tokenised, drawn, padded, and on their device."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytorch_lightning as lightning
import torch
from torch.utils.data import DataLoader

from newsclf.config import TrainConfig
from newsclf.model import weights
from newsclf.model.batches import (
    BalancedSampler,
    LengthBucketSampler,
    LongestFirstSampler,
    RaggedRows,
    TokenBatch,
    TokenDataset,
    loader,
    to_device,
)
from newsclf.model.tokenizer import Tokenizer

EVALUATED_ROWS = 64  # of max_length tokens, in a batch that nothing is learnt from


class NewsDataModule(lightning.LightningDataModule):
    """Lightning's view of the splits `train`, `validation` and `test`.

    It goes with any Trainer and any LightningModule that takes a TokenBatch:

    >>> from newsclf.data import load
    >>> config = TrainConfig(dataset="sample", batch_size=16, max_length=64)
    >>> dataset = load(config)
    >>> data = NewsDataModule(config, dataset.splits, dataset.classes)
    >>> data.prepare_data()
    >>> data.setup()
    >>> {split: len(rows) for split, rows in data.inputs.items()}, len(data.train_dataloader())
    ({'train': 476, 'validation': 68, 'test': 136}, 30)
    >>> batch = next(iter(data.train_dataloader()))
    >>> batch.values.shape[0], batch.values.dtype, batch.labels.shape
    (16, torch.int64, torch.Size([16]))
    """

    def __init__(
        self,
        config: TrainConfig,
        splits: Mapping[str, pd.DataFrame | TokenDataset],
        classes: Sequence[str] = (),
    ) -> None:
        """splits: rows with `text`, `label` and perhaps `weight`, or the model input that has been made of them.

        classes: in the order of their indices, where rows are given.
        """
        super().__init__()
        self.config, self.splits, self.classes = config, dict(splits), tuple(classes)
        self.inputs: dict[str, TokenDataset] = {}
        self.first_epoch = 0  # of a training that goes on from a checkpoint, the epoch that it goes on with

    def prepare_data(self) -> None:
        """Fetch the encoder's files, whose tokenizer is needed, where there are rows."""
        if any(isinstance(rows, pd.DataFrame) for rows in self.splits.values()):
            weights.find(self.config.encoder)

    def setup(self, stage: str = "") -> None:
        """Make model inputs of what are rows still, as token ids. Raises InputError as `weights.find`."""
        tokenizer: Tokenizer | None = None
        for split, rows in self.splits.items():
            if isinstance(rows, pd.DataFrame):
                tokenizer = tokenizer or Tokenizer(weights.find(self.config.encoder).folder, self.config.max_length)
                rows = labelled(tokenizer(rows["text"].tolist()), rows, self.classes, tokenizer.pad_id)
                self.splits[split] = rows
            self.inputs[split] = rows

    @property
    def steps(self) -> int:
        """Training steps of an epoch."""
        return len(training_sampler(self.inputs["train"], self.config))

    def train_dataloader(self) -> DataLoader[TokenBatch]:
        """Batches of like length in random order, by the option sampling; each epoch has its own, by the seed."""
        sampler = training_sampler(self.inputs["train"], self.config)
        sampler.epoch = self.first_epoch
        return loader(self.inputs["train"], sampler, self.config.num_workers)

    def val_dataloader(self) -> DataLoader[TokenBatch]:
        return self._whole("validation")

    def test_dataloader(self) -> DataLoader[TokenBatch]:
        return self._whole("test")

    def predict_dataloader(self) -> DataLoader[TokenBatch]:
        return self._whole("test")

    def transfer_batch_to_device(self, batch: TokenBatch, device: torch.device, _: int) -> TokenBatch:
        return to_device(batch, device)

    def _whole(self, split: str) -> DataLoader[TokenBatch]:
        """Every row once, the longest first."""
        rows = self.inputs[split]
        longest = int(rows.lengths.max(initial=1))
        return loader(rows, LongestFirstSampler(rows.lengths, max(longest, EVALUATED_ROWS * self.config.max_length)))


def labelled(table: RaggedRows, rows: pd.DataFrame, classes: Sequence[str], pad_id: int) -> TokenDataset:
    """Model input with the labels of its rows, and with their weights where they have a column of them."""
    index = {label: number for number, label in enumerate(classes)}
    labels = rows["label"].map(index).to_numpy(np.int64)
    return TokenDataset(table, labels, pad_id, rows["weight"].to_numpy(np.int64) if "weight" in rows else None)


def training_sampler(rows: TokenDataset, config: TrainConfig) -> LengthBucketSampler:
    """The batches of an epoch, as the option sampling wants them."""
    if config.sampling == "balanced":
        return BalancedSampler(rows.lengths, rows.row_labels, config.batch_size, config.seed)
    return LengthBucketSampler(rows.lengths, config.batch_size, config.seed)
