"""Texts as the encoder's own embeddings: the mean of its last hidden states, by a forward pass."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from newsclf.model import allocator, encoder
from newsclf.model.batches import TokenDataset, longest_first
from newsclf.model.classifier import mean_pool
from newsclf.model.device import uses_bf16
from newsclf.model.tokenizer import Tokenizer

MAX_LENGTH = 128


class EncoderEmbedder:
    """Texts to [texts, hidden], float32. About 100 news texts a second and core."""

    def __init__(self, folder: Path, device: str = "cpu", precision: str = "auto") -> None:
        """folder: an encoder's files; precision: as of the option. Raises InputError when they cannot be read."""
        loaded = encoder.load(folder, dropout=0.0, attention_dropout=0.0).eval().to(device)
        self._tokenizer = Tokenizer(folder, min(MAX_LENGTH, loaded.max_positions))
        loaded.check_reads(self._tokenizer, "max_length")
        self._device, self._bf16 = torch.device(device), uses_bf16(precision, device)
        self._encoder = encoder.in_bf16(loaded) if self._bf16 else loaded

    @allocator.reused()
    def __call__(self, texts: Sequence[str], _: object = None) -> np.ndarray:
        tokens = self._tokenizer(list(texts))
        result = np.zeros((len(texts), self._encoder.hidden_size), np.float32)
        dataset = TokenDataset(tokens, pad_id=self._tokenizer.pad_id)
        with torch.inference_mode(), torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
            for rows, batch in longest_first(dataset, self._device):
                result[rows] = mean_pool(self._encoder(batch.values, batch.mask), batch.mask).cpu().numpy()
        return result
