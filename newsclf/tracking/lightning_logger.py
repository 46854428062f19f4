"""Lightning's metrics into the run of train, many at a time.

Lightning's own MLFlowLogger sends each step by itself and ends the run when training ends, before
the test metrics and the model are logged.
"""

import re
import sys
import time
from typing import Any

from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from pytorch_lightning.loggers import Logger

from newsclf.errors import disk_full
from newsclf.tracking.metrics import send_points
from newsclf.tracking.run import Run

BATCH = 500
OTHER_GROUP = re.compile(r"/pg\d+$")


class RunLogger(Logger):
    """Collects metrics and sends them at the end of each epoch or when BATCH of them are waiting."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run
        self.waiting: list[Metric] = []

    @property
    def name(self) -> str:
        return "mlflow"

    @property
    def version(self) -> str:
        return self.run.id

    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        """The options were logged when the run was opened."""

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        now = int(time.time() * 1000)
        # "epoch" is Lightning's own addition to every call; the learning rate comes once for each parameter group,
        # of which the first is the head's: with layer_decay the others have less.
        metrics = {
            name.removesuffix("/pg1"): value
            for name, value in metrics.items()
            if name != "epoch" and (name.endswith("/pg1") or not OTHER_GROUP.search(name))
        }
        self.waiting += [
            Metric(name, float(value), now, step or 0)
            for name, value in metrics.items()
            if (name, step or 0) not in self.run.points
        ]
        if len(self.waiting) >= BATCH or "val_loss" in metrics:
            self.save()

    def save(self) -> None:
        """Send what waits. Where the disk is full it goes on waiting, until there is room or training is over."""
        try:
            while self.waiting:
                send_points(self.run.client, self.run.id, self.waiting[:BATCH])
                del self.waiting[:BATCH]
        except MlflowException as error:
            if not disk_full(error):
                raise
            print(f"warning: metrics wait for room on the disk: {disk_full(error)}", file=sys.stderr, flush=True)

    def finalize(self, status: str) -> None:
        self.save()
