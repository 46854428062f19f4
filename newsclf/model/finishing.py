"""What a trained classifier goes through before it is tested: joined with a classifier of words, and calibrated."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from newsclf.config import TrainConfig
from newsclf.model.batches import TokenDataset
from newsclf.model.classifier import Classifier
from newsclf.model.fusion import choose_fusion
from newsclf.model.linear import LinearClassifier, NothingToLearn
from newsclf.model.text_classifier import TextClassifier
from newsclf.model.tokenizer import Tokenizer


@dataclass(frozen=True)
class Words:
    """linear: None where none is wanted, or there is nothing to learn; seconds: that it took."""

    linear: LinearClassifier | None
    seconds: float


def fit_words(
    config: TrainConfig, texts: Sequence[str], labels: np.ndarray, classes: int, row_weights: np.ndarray | None
) -> Words:
    """The classifier of words, of the training rows: arrays [rows] as in LinearClassifier.fit."""
    if config.fusion == "none" and not config.baseline:
        return Words(None, 0.0)
    began = time.perf_counter()
    try:
        linear = LinearClassifier.fit(texts, labels, classes, row_weights)
    except NothingToLearn as reason:
        print(f"no linear classifier of words: {reason}", flush=True)
        linear = None
    return Words(linear, time.perf_counter() - began)


def finish(
    config: TrainConfig,
    classifier: Classifier,
    tokenizer: Tokenizer,
    validation: TokenDataset,
    texts: Sequence[str],
    words: Words,
    bf16: bool,
) -> tuple[TextClassifier, dict[str, float]]:
    """The model that is tested and logged, and what it does on the validation rows: (labelled) `validation`, `texts`.

    Metrics: final_val_acc, final_val_loss, and what it is made of: fusion/encoder, fusion/linear (see Fusion).
    """
    labels = validation.labels
    assert labels is not None
    encoder = classifier.probabilities(validation, bf16)
    margins = None if words.linear is None else words.linear.margins(texts)
    fusion = choose_fusion(encoder, margins, labels, config.fusion, config.calibrate)
    model = TextClassifier(
        classifier, tokenizer, bf16=bf16, fusion=fusion, linear=words.linear if fusion.linear else None
    )
    found = fusion.probabilities(encoder, margins)
    likelihood = np.log(np.maximum(found[np.arange(len(labels)), labels], 1e-15))
    return model, {
        "final_val_acc": float((found.argmax(axis=1) == labels).mean()),
        "final_val_loss": float(-likelihood.mean()),
        "fusion/encoder": fusion.encoder,
        "fusion/linear": fusion.linear,
        "seconds/baseline": words.seconds,
    }
