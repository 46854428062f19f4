"""What a trained classifier goes through before it is tested: joined with a classifier of words, and calibrated."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from newsclf.config import TrainConfig
from newsclf.evaluation.scores import accuracy, log_loss
from newsclf.model.batches import TokenDataset
from newsclf.model.classifier import Classifier
from newsclf.model.fusion import Said, choose_fusion
from newsclf.model.linear import LinearClassifier, NothingToLearn
from newsclf.model.module import class_weights
from newsclf.model.text_classifier import TextClassifier
from newsclf.model.tokenizer import Tokenizer


@dataclass(frozen=True)
class Words:
    """linear: None where none is wanted, or there is nothing to learn; seconds: that it took."""

    linear: LinearClassifier | None
    seconds: float


def fit_words(config: TrainConfig, texts: Sequence[str], train: TokenDataset, classes: Sequence[str]) -> Words:
    """The classifier of words, of the training rows: `texts`, and `train`, which has their labels and weights.

    Rows of a class count as they do for the encoder.
    """
    if config.fusion == "none" and not config.baseline:
        return Words(None, 0.0)
    assert train.labels is not None
    row_weights = train.row_weights.astype(float)
    by_class = class_weights(
        "balanced" if config.sampling == "balanced" else config.class_weights, classes, train.row_labels
    )
    if by_class is not None:
        row_weights *= by_class.numpy()[train.labels]
    began = time.perf_counter()
    try:
        linear = LinearClassifier.fit(texts, train.labels, len(classes), row_weights)
    except NothingToLearn as reason:
        print(f"no linear classifier of words: {reason}", flush=True)
        linear = None
    return Words(linear, time.perf_counter() - began)


def hear(
    classifier: Classifier,
    rows: TokenDataset,
    texts: Sequence[str],
    words: Words,
    members: Sequence[TextClassifier],
    bf16: bool,
) -> Said:
    """What each part says of the texts, each once: `rows`, whose weights count in training alone, and `texts`."""
    once = TokenDataset(rows.ragged, rows.labels, rows.pad_id)
    margins = None if words.linear is None else words.linear.margins(texts)
    return Said(classifier.probabilities(once, bf16), margins, tuple(one.predict_proba(texts) for one in members))


def finish(
    config: TrainConfig,
    classifier: Classifier,
    tokenizer: Tokenizer,
    validation: TokenDataset,
    texts: Sequence[str],
    words: Words,
    bf16: bool,
    members: Sequence[TextClassifier] = (),
) -> tuple[TextClassifier, dict[str, float]]:
    """The model that is tested and logged, and what it does on the validation rows: (labelled) `validation`, `texts`.

    members: of an ensemble, which have not learnt from these rows either. Metrics: final_val_acc, final_val_loss, and
    what it is made of: fusion/encoder, fusion/linear, fusion/member_1 ... (see Fusion).
    """
    labels = validation.labels
    assert labels is not None
    said = hear(classifier, validation, texts, words, members, bf16)
    fusion = choose_fusion(said, labels, config.fusion, config.calibrate)
    linear = words.linear if fusion.linear else None
    model = TextClassifier(classifier, tokenizer, bf16=bf16, fusion=fusion, linear=linear, members=members)
    found = fusion.probabilities(said)
    return model, {
        "final_val_acc": accuracy(labels, found.argmax(axis=1)),
        "final_val_loss": log_loss(labels, found),
        "fusion/encoder": fusion.encoder,
        "fusion/linear": fusion.linear,
        **{f"fusion/member_{number}": weight for number, weight in enumerate(fusion.members, 1)},
        "seconds/baseline": words.seconds,
    }
