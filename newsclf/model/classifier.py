"""The classifier itself: encoder, mean pooling over real tokens, dropout, linear head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from newsclf.model import allocator
from newsclf.model.batches import TokenBatch, TokenDataset, longest_first
from newsclf.model.encoder import Dropout, Encoder


class Classifier(nn.Module):
    """Logits of each class for a batch.

    A batch may enter at three places: as token ids, as the hidden states after the first `frozen`
    layers (see `newsclf.model.prefix`), or as pooled vectors.
    """

    def __init__(self, encoder: Encoder, classes: Sequence[str], dropout: float, frozen: int = 0) -> None:
        """frozen: the number of layers that are not trained; len(encoder.layers) trains the head alone.

        With frozen > 0 the embeddings are not trained either.
        """
        super().__init__()
        self.encoder, self.classes, self.frozen = encoder, tuple(classes), frozen
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(encoder.hidden_size, len(self.classes))
        encoder.freeze_below(frozen)

    def train(self, mode: bool = True) -> Classifier:
        super().train(mode)
        self.encoder.freeze_below(self.frozen)  # a frozen layer has no dropout, in training either
        return self

    def forward(self, batch: TokenBatch) -> Tensor:
        """Logits [rows, classes], in float32 under autocast as well."""
        pooled = self.pool(batch)
        with torch.autocast(pooled.device.type, enabled=False):
            return self.head(self.dropout(pooled))

    def pool(self, batch: TokenBatch) -> Tensor:
        """Mean of the last hidden states over the real tokens: [rows, hidden]."""
        if batch.pooled:
            return batch.values
        hidden = batch.values
        if hidden.ndim == 2:
            with torch.set_grad_enabled(torch.is_grad_enabled() and self.frozen == 0):
                hidden = self.prefix(hidden, batch.mask)
        hidden = self.encoder.run(hidden, batch.mask, self.frozen, len(self.encoder.layers))
        return mean_pool(hidden, batch.mask)

    def prefix(self, ids: Tensor, mask: Tensor | None) -> Tensor:
        """Hidden states [rows, length, hidden] behind the frozen layers, of token ids [rows, length]."""
        return self.encoder.run(self.encoder.embed(ids), mask, 0, self.frozen)

    @allocator.reused()
    def probabilities(self, dataset: TokenDataset, autocast: bool = False) -> np.ndarray:
        """Class probabilities [rows, classes] of every row, float64, in the data set's order."""
        device = self.head.weight.device
        result = np.empty((len(dataset), len(self.classes)))
        was_training = self.training
        self.eval()
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=autocast):
            for rows, batch in longest_first(dataset, device):
                result[rows] = torch.softmax(self(batch).double(), dim=1).cpu().numpy()
        self.train(was_training)
        return result


def mean_pool(hidden: Tensor, mask: Tensor | None) -> Tensor:
    """Mean over the real tokens: hidden [rows, length, hidden] and mask [rows, length] to float32 [rows, hidden]."""
    with torch.autocast(hidden.device.type, enabled=False):
        hidden = hidden.float()
        if mask is None:
            return hidden.mean(dim=1)
        weights = mask.to(hidden.dtype)
        return torch.bmm(weights[:, None, :], hidden)[:, 0] / weights.sum(dim=1, keepdim=True)
