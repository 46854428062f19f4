"""The training loop: the Trainer that runs a NewsModule, from a checkpoint on where there is one."""

import contextlib
import logging
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import (
    Callback,
    EarlyStopping,
    LearningRateMonitor,
    ModelCheckpoint,
    TQDMProgressBar,
)
from pytorch_lightning.loggers import Logger
from torch import Tensor

from newsclf.config import TrainConfig
from newsclf.errors import InputError
from newsclf.model import allocator, checkpoint
from newsclf.model.batches import RaggedRows
from newsclf.model.checkpoint import Latest, StraightToDisk
from newsclf.model.classifier import Classifier
from newsclf.model.datamodule import NewsDataModule
from newsclf.model.module import NewsModule, class_weights

LOGGED_STEPS = 200  # training steps a run that are logged, evenly spread


@dataclass(frozen=True)
class Fit:
    """What a finished training tells: seconds are of training steps alone, tokens are real ones.

    losses: (train_loss, val_loss) of each epoch, the former as the mean over its steps; none of a training that goes
    on from a checkpoint of 0.2.0, which has none.
    """

    epochs: int
    kept_epoch: int
    steps: int
    train_seconds: float
    tokens_per_second: float
    rows_per_second: float
    losses: tuple[tuple[float, float], ...] = ()


@allocator.reused()
def fit(
    classifier: Classifier,
    data: NewsDataModule,
    config: TrainConfig,
    *,
    learning_rate: float,
    bf16: bool,
    logger: Logger | bool,
    folder: Path,
) -> Fit:
    """Train `classifier` in place and leave it with the weights of the epoch that config.keep names.

    data: with the splits train and validation, for `classifier`'s classes.
    folder holds the checkpoints of the epoch of lowest val_loss and of the latest one. Where it has one already,
    training goes on from there. Metrics go to `logger`. Raises InputError when training diverges.
    """
    _quiet()
    earlier = checkpoint.load(folder)
    data.first_epoch = earlier["epochs"] if earlier else 0
    data.setup()
    train, steps = data.inputs["train"], config.epochs * data.steps
    weights = class_weights(config.class_weights, classifier.classes, train.row_labels)
    module = NewsModule(classifier, config, learning_rate, steps, weights)
    best = ModelCheckpoint(
        folder, filename="best", monitor="val_loss", save_weights_only=True, enable_version_counter=False
    )
    clock, latest, interactive = _Clock(), Latest(folder), sys.stderr.isatty()
    losses = _Losses(printed=not interactive)
    callbacks: list[Callback] = [clock, losses, *([TQDMProgressBar()] if interactive else [])]
    callbacks += [best] if config.keep == "best" else []
    callbacks += [LearningRateMonitor("step")] if logger else []
    callbacks += [EarlyStopping("val_loss", patience=config.patience)] if config.patience else []
    device = classifier.head.weight.device.type
    trainer = lightning.Trainer(
        accelerator={"cuda": "gpu"}.get(device, device),
        devices=1,
        precision="bf16-mixed" if bf16 else "32-true",
        max_epochs=earlier["epochs"] if earlier and earlier["stopped"] else config.epochs,
        callbacks=[*callbacks, latest],  # behind all others, whose states it keeps
        plugins=StraightToDisk(),
        logger=logger,
        log_every_n_steps=max(1, steps // LOGGED_STEPS),
        num_sanity_val_steps=0,
        enable_progress_bar=interactive,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=folder,
    )
    classifier.train()  # Lightning keeps each module's mode, and a loaded encoder is in eval mode
    if earlier:
        checkpoint.restore_generators(earlier)
    with threads(train.ragged):
        trainer.fit(module, datamodule=data, ckpt_path=latest.path if earlier else None, weights_only=True)
    epochs = trainer.current_epoch
    kept_epoch, loss = epochs - 1, latest.state.get("val_loss")
    classifier.to(device)
    if best.best_model_score is not None:
        state = torch.load(best.best_model_path, map_location=device, weights_only=True)
        module.load_state_dict(state["average"]["weights"] if module.average else state["state_dict"], strict=False)
        kept_epoch, loss = int(state["epoch"]), best.best_model_score
    elif module.average:
        module.load_state_dict(module.average.weights, strict=False)
    if loss is None or not torch.isfinite(loss):
        raise InputError("training diverged: val_loss is not a number; give a lower learning_rate")
    return Fit(
        epochs=epochs,
        kept_epoch=kept_epoch,
        steps=trainer.global_step,
        train_seconds=clock.seconds,
        tokens_per_second=epochs * int(train.lengths.sum()) / clock.seconds,
        rows_per_second=epochs * len(train) / clock.seconds,
        losses=tuple(losses.by_epoch) if len(losses.by_epoch) == epochs else (),
    )


class _Clock(Callback):
    """Seconds spent in training epochs, without validation; of a training that was cut off, in all its parts."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._since = 0.0

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.seconds = state["seconds"]

    def on_train_epoch_start(self, *_: Any) -> None:
        self._since = time.perf_counter()

    def on_validation_start(self, *_: Any) -> None:
        self.seconds += time.perf_counter() - self._since

    def on_validation_end(self, *_: Any) -> None:
        self._since = time.perf_counter()

    def on_train_epoch_end(self, *_: Any) -> None:
        self.seconds += time.perf_counter() - self._since


class _Losses(Callback):
    """train_loss (the mean over an epoch's steps) and val_loss of each epoch, of a training in parts of all of them.

    printed: in one line an epoch, where there is no terminal to draw a bar on.
    """

    def __init__(self, printed: bool) -> None:
        self.by_epoch: list[tuple[float, float]] = []
        self._printed, self._steps = printed, list[Tensor]()

    def state_dict(self) -> dict[str, Any]:
        return {"by_epoch": self.by_epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.by_epoch = [(train, val) for train, val in state["by_epoch"]]

    def on_train_batch_end(self, _: Any, __: Any, outputs: Any, *___: Any) -> None:
        self._steps.append(outputs["loss"].detach())

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        value = {name: float(metric) for name, metric in trainer.callback_metrics.items()}
        train_loss = float(torch.stack(self._steps).mean())
        self._steps.clear()
        self.by_epoch.append((train_loss, value["val_loss"]))
        if self._printed:
            print(
                f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}: train_loss {train_loss:.4f}, "
                f"val_loss {value['val_loss']:.4f}, val_acc {value['val_acc']:.4f}",
                flush=True,
            )


def _quiet() -> None:
    """Silence what Lightning says about choices that are made on purpose."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    for message in (
        ".*does not have many workers.*",  # batches are slices of arrays in memory
        ".*module\\(s\\) in eval mode.*",  # the frozen layers
        ".*Checkpoint directory.*exists and is not empty.*",
        ".*The dirpath has changed.*",
        ".*number of training batches.*smaller than the logging interval.*",
        ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",
    ):
        warnings.filterwarnings("ignore", message)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch."""
    lightning.seed_everything(seed, workers=True, verbose=False)
    np.random.seed(seed)


@contextlib.contextmanager
def threads(rows: RaggedRows) -> Iterator[None]:
    """One thread for a head alone: its products are too small to share, and threads that wait for each other cost more.

    It costs most on a machine that is busy with other work as well.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1 if rows.pooled else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
