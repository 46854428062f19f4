"""A logged classifier as a function of texts, for judging other texts by it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from newsclf.model import classifier as classifiers
from newsclf.model.batches import TokenDataset
from newsclf.model.device import choose


class ModelPredictor:
    """Texts to probabilities. classes: in the order of the probabilities' columns."""

    def __init__(self, folder: Path, name: str, device: str = "auto") -> None:
        """folder: that of `Classifier.save`. Raises InputError when it cannot be read."""
        self.name = name
        loaded, self._tokenizer = classifiers.load(folder)
        self._classifier = loaded.to(choose(device).type)
        self.classes: tuple[str, ...] = tuple(loaded.classes)

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Probabilities [texts, classes], each row of sum 1."""
        tokens = self._tokenizer(list(texts))
        return self._classifier.probabilities(TokenDataset(tokens, pad_id=self._tokenizer.pad_id))
