"""All that training goes on from, on disk after every epoch: cut off anywhere, it ends as if it had not been."""

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO

from newsclf.errors import InputError, disk_full
from newsclf.files import in_one_step
from newsclf.untrusted import check_file

LATEST = "latest.ckpt"


class Latest(Checkpoint):
    """Writes `folder`/latest.ckpt: weights, optimizer, schedule, the other callbacks, the generators' states."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / LATEST
        self.state: dict[str, Any] = {}

    def on_train_epoch_end(self, trainer: lightning.Trainer, _: lightning.LightningModule) -> None:
        self.state = {
            "stopped": trainer.should_stop,
            "val_loss": trainer.callback_metrics["val_loss"].detach().clone(),
            "generator": torch.get_rng_state(),
            "cuda_generators": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        try:
            trainer.save_checkpoint(self.path)
        except OSError as error:
            if not disk_full(error):
                raise
            print(f"warning: no checkpoint of this epoch: {error}", file=sys.stderr, flush=True)

    def state_dict(self) -> dict[str, Any]:
        return self.state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.state = state


def load(folder: Path) -> dict[str, Any] | None:
    """The number of epochs that are done, and what `Latest` has kept; None where the folder has no checkpoint.

    Raises InputError where it cannot be read: nothing but numbers and plain values is, no code.
    """
    path = folder / LATEST
    if not path.is_file():
        return None
    try:
        found = torch.load(check_file(path), map_location="cpu", weights_only=True, mmap=True)
        return {"epochs": found["epoch"] + 1, **found["callbacks"][Latest.__qualname__]}
    except Exception as error:  # torch, zip and pickle each have their own kinds, and advise to trust the file
        raise InputError(
            f"checkpoint {path} is damaged, or holds code, which is not run: train again, without resume"
        ) from error


def restore_generators(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["generator"])
    if state["cuda_generators"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda_generators"])


class StraightToDisk(TorchCheckpointIO):
    """Lightning's own way makes the whole file in memory first."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        try:
            with in_one_step(Path(path)) as unfinished:
                torch.save(checkpoint, unfinished)
        except RuntimeError as error:
            if "inline_container" in str(error):  # torch's writer, of a write that came to less than all
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
            raise
