"""What is minimised, and how: the loss of a batch, the optimizer, the learning rate of each step."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from torch import Tensor, nn

from newsclf.config import TrainConfig
from newsclf.model.averaging import WeightAverage
from newsclf.model.batches import TokenBatch
from newsclf.model.classifier import Classifier

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "sgd": lambda groups, **rest: torch.optim.SGD(groups, momentum=0.9, **rest),
}


class NewsModule(lightning.LightningModule):
    """Cross-entropy on batches of a Classifier, with warm-up and linear decay of the learning rate."""

    def __init__(
        self,
        classifier: Classifier,
        config: TrainConfig,
        learning_rate: float,
        steps: int,
        class_weights: Tensor | None = None,
    ) -> None:
        """class_weights: [classes], what a row's loss is multiplied by in training; see the function."""
        super().__init__()
        self.strict_loading = False  # a checkpoint has what is trained, see below
        self.classifier, self.config, self.rate, self.steps = classifier, config, learning_rate, steps
        self.class_weights: Tensor | None
        self.register_buffer("class_weights", class_weights, persistent=False)
        self.average = WeightAverage(config.ema) if config.ema else None

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The training loss of a batch: logits [rows, classes], labels [rows]."""
        smoothing = self.config.label_smoothing
        if self.class_weights is None:
            return nn.functional.cross_entropy(logits, labels, label_smoothing=smoothing)
        each = nn.functional.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
        return (each * self.class_weights[labels]).mean()

    def training_step(self, batch: TokenBatch, _: int) -> Tensor:
        assert batch.labels is not None
        loss = self.loss(self.classifier(batch), batch.labels)
        self.log("train_loss", loss, batch_size=len(batch.labels))
        return loss

    def validation_step(self, batch: TokenBatch, _: int) -> None:
        """Rows as they are: no option of the training loss bears on what runs are compared by."""
        logits, labels = self.classifier(batch), batch.labels
        assert labels is not None
        loss = nn.functional.cross_entropy(logits.float(), labels)
        accuracy = (logits.argmax(dim=1) == labels).float().mean()
        self.log_dict({"val_loss": loss, "val_acc": accuracy}, batch_size=len(labels))

    def configure_optimizers(self) -> Any:
        groups = []
        for scale, trained in self._by_rate():  # vectors are biases and LayerNorm weights
            matrices, vectors = ([p for p in trained if (p.ndim >= 2) == wanted] for wanted in (True, False))
            rate = self.rate * scale
            groups.append({"params": matrices, "weight_decay": self.config.weight_decay, "lr": rate})
            groups.append({"params": vectors, "weight_decay": 0.0, "lr": rate})
        optimizer = OPTIMIZERS[self.config.optimizer_name](groups, lr=self.rate, fused=True)
        warmup = round(self.config.warmup_fraction * self.steps)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, warmup, self.steps))
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step", "name": "learning_rate"},
        }

    def _by_rate(self) -> list[tuple[float, list[nn.Parameter]]]:
        """(multiple of the learning rate, trained parameters with it), the head's first.

        Layer-wise decay (Howard and Ruder 2018; Sun et al. 2019, How to Fine-Tune BERT): the top layer has layer_decay
        times the head's, each one below as much less, the embeddings the least.
        """
        every = {p for p in self.parameters() if p.requires_grad}
        if self.config.layer_decay == 1:
            return [(1.0, [p for p in self.parameters() if p in every])]
        layers = [*reversed(self.classifier.encoder.layers)]
        found, above = [(1.0, [*self.classifier.head.parameters()])], {*self.classifier.head.parameters()}
        for depth, layer in enumerate(layers, 1):
            found.append((self.config.layer_decay**depth, [p for p in layer.parameters() if p in every]))
            above |= {*layer.parameters()}
        rest = [p for p in self.parameters() if p in every - above]
        found.append((self.config.layer_decay ** (len(layers) + 1), rest))
        return [(scale, trained) for scale, trained in found if trained]

    def configure_gradient_clipping(self, optimizer: torch.optim.Optimizer, *_: Any, **__: Any) -> None:
        """Clip the norm of all gradients together: the fused step divides by `grad_scale` as it reads them.

        Lightning's own clipping refuses a fused optimizer under bf16.
        """
        if self.config.gradient_clip:
            trained = (parameter for group in optimizer.param_groups for parameter in group["params"])
            norm = nn.utils.get_total_norm([parameter.grad for parameter in trained if parameter.grad is not None])
            optimizer.grad_scale = (norm / self.config.gradient_clip).clamp(min=1.0)  # type: ignore[attr-defined]

    def on_train_batch_end(self, *_: Any) -> None:
        if self.average:
            self.average.update(self.trained())

    def on_validation_epoch_start(self) -> None:
        if self.average:
            self.average.swap(self.trained())

    def on_validation_epoch_end(self) -> None:
        if self.average:
            self.average.swap(self.trained())

    def trained(self) -> dict[str, Tensor]:
        """The weights that are trained, by name."""
        return {name: parameter.detach() for name, parameter in self.named_parameters() if parameter.requires_grad}

    def on_save_checkpoint(self, state: dict[str, Any]) -> None:
        state["state_dict"] = self.trained()
        if self.average:
            state["average"] = self.average.state()

    def on_load_checkpoint(self, state: dict[str, Any]) -> None:
        if self.average and "average" in state:
            self.average.restore(state["average"], self.trained())


def class_weights(wanted: dict[str, float] | str | None, classes: Sequence[str], labels: np.ndarray) -> Tensor | None:
    """What a row of each class counts in the loss, [classes]; None where all count the same.

    wanted: the option class_weights, its names as in `classes`; labels: [rows] class indices of the training rows. The
    mean over these rows is 1, so that the learning rate means what it does without: balanced is rows / (classes * rows
    of the class).
    """
    if not wanted:
        return None
    rows = np.bincount(labels, minlength=len(classes))
    if isinstance(wanted, str):
        weights = 1 / np.maximum(rows, 1)
    else:
        weights = np.array([wanted.get(name, 1.0) for name in classes])
    return torch.tensor(weights * rows.sum() / (weights @ rows), dtype=torch.float32)


def _rate(step: int, warmup: int, steps: int) -> float:
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return max(0.0, (steps - step) / max(1, steps - warmup))
