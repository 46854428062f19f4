"""A classifier with its tokenizer: from texts to probabilities, and to a folder and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from newsclf.errors import InputError
from newsclf.messages import one_line
from newsclf.model import encoder as encoders
from newsclf.model.batches import TokenDataset
from newsclf.model.classifier import Classifier
from newsclf.model.device import choose
from newsclf.model.tokenizer import Tokenizer


class TextClassifier:
    """Texts to probabilities.

    classes: in the order of the probabilities' columns. name: what it is loaded by again, such as
    runs:/<run id>/model; bf16: whether matrix products are in bf16.
    """

    def __init__(self, classifier: Classifier, tokenizer: Tokenizer, name: str = "", bf16: bool = False) -> None:
        self.classifier, self.tokenizer, self.name, self.bf16 = classifier, tokenizer, name, bf16
        self.classes: tuple[str, ...] = classifier.classes

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Probabilities [texts, classes], float64, each row of sum 1."""
        dataset = TokenDataset(self.tokenizer(texts), pad_id=self.tokenizer.pad_id)
        return self.classifier.probabilities(dataset, self.bf16)

    def save(self, folder: Path) -> None:
        """Write encoder/ (the hub's own layout), head.safetensors and classifier.json; no pickle."""
        # Where layers were computed from the cache, the encoder may still be on another device.
        self.classifier.encoder.transformer.save_pretrained(folder / "encoder", safe_serialization=True)  # type: ignore[operator]
        self.tokenizer.save(folder / "encoder")
        head = self.classifier.head.state_dict()
        save_file({name: tensor.contiguous() for name, tensor in head.items()}, folder / "head.safetensors")
        about = {"classes": self.classes, "max_length": self.tokenizer.max_length}
        (folder / "classifier.json").write_text(json.dumps(about, indent=2, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, device: str = "cpu", name: str = "") -> TextClassifier:
        """What `save` wrote, in eval mode and float32. Raises InputError when it cannot be read.

        device: as of the option `device`.
        """
        try:
            about = json.loads((folder / "classifier.json").read_text(encoding="utf-8"))
            head = load_file(folder / "head.safetensors")
            encoder = encoders.load(folder / "encoder", dropout=0.0, attention_dropout=0.0)
            classifier = Classifier(encoder, about["classes"], dropout=0.0)
            classifier.head.load_state_dict(head)
            max_length = about["max_length"]
        except (OSError, ValueError, KeyError, TypeError, SafetensorError, RuntimeError) as error:
            raise InputError(f"model folder {folder} is no whole classifier ({one_line(error, 200)})") from error
        tokenizer = Tokenizer(folder / "encoder", max_length)
        return cls(classifier.eval().to(choose(device).type), tokenizer, name)
