"""How an encoder's probabilities become a model's: made as sure as they are right, and joined with a linear classifier.

Temperature scaling (Guo et al. 2017, On Calibration of Modern Neural Networks) with a second weight: the logarithm of
a class's probability is, up to a constant, `encoder` times that of the encoder plus `linear` times the linear margin.
What is best is told by rows that neither has learnt from.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from newsclf.stats.calibration import logits_of

# What a weight is taken to be before a row is seen, with the weight of one row: of few rows that are all right, no
# probability of 1 is concluded. A margin of 1 is worth 3 nats on news.
PRIOR_ENCODER, PRIOR_LINEAR = 1.0, 3.0
FOLDS = 5
BOUNDS = (0.02, 50.0)


@dataclass(frozen=True)
class Fusion:
    """The two weights; linear is 0 of an encoder alone."""

    encoder: float = 1.0
    linear: float = 0.0

    def probabilities(self, encoder: np.ndarray, margins: np.ndarray | None) -> np.ndarray:
        """[rows, classes], float64, of the encoder's probabilities and the margins, both [rows, classes]."""
        if self == ENCODER_ALONE:
            return encoder
        logits = self.encoder * logits_of(encoder)
        if self.linear:
            assert margins is not None
            logits = logits + self.linear * margins
        return np.asarray(special.softmax(logits, axis=1), np.float64)


ENCODER_ALONE = Fusion()


def fit_fusion(encoder: np.ndarray, margins: np.ndarray | None, labels: np.ndarray) -> Fusion:
    """The weights at which the log-loss of labels [rows] (class indices) is lowest, on rows that were not learnt from.

    encoder, margins: [rows, classes] each; margins None is the encoder alone, and so its temperature.

    >>> sure = np.array([[0.9, 0.1]] * 400)
    >>> labels = np.repeat([0, 1], [300, 100])  # right in three of four: 0.9 is too much
    >>> round(1 / fit_fusion(sure, None, labels).encoder, 1)
    2.0
    """
    parts = [PRIOR_ENCODER * logits_of(encoder)] + ([] if margins is None else [PRIOR_LINEAR * margins])
    parts = [part.astype(np.float64) for part in parts]  # differences of 1e-8 are looked at
    rows = np.arange(len(labels))

    def loss(logarithms: np.ndarray) -> float:
        logits = sum(np.exp(one) * part for one, part in zip(logarithms, parts, strict=True))
        likelihood = special.log_softmax(logits, axis=1)[rows, labels].sum()
        return float((np.square(logarithms).sum() - likelihood) / len(rows))

    bounds = [tuple(np.log(BOUNDS))] * len(parts)
    factors = np.exp(optimize.minimize(loss, np.zeros(len(parts)), method="L-BFGS-B", bounds=bounds).x)
    return Fusion(PRIOR_ENCODER * float(factors[0]), 0.0 if margins is None else PRIOR_LINEAR * float(factors[1]))


def held_out_loss(encoder: np.ndarray, margins: np.ndarray | None, labels: np.ndarray) -> float:
    """Mean log-loss (nats) of the rows, each at weights that were fitted to other rows; arrays as in `fit_fusion`.

    Infinite where there are fewer rows than FOLDS.
    """
    if len(labels) < FOLDS:
        return float("inf")
    fold = np.random.default_rng(0).permutation(len(labels)) % FOLDS
    losses = []
    for number in range(FOLDS):
        inside, outside = fold != number, fold == number
        fusion = fit_fusion(encoder[inside], None if margins is None else margins[inside], labels[inside])
        found = fusion.probabilities(encoder[outside], None if margins is None else margins[outside])
        losses.append(-np.log(np.maximum(found[np.arange(len(found)), labels[outside]], 1e-15)))
    return float(np.concatenate(losses).mean())


def choose_fusion(
    encoder: np.ndarray, margins: np.ndarray | None, labels: np.ndarray, wanted: str = "auto", calibrate: bool = True
) -> Fusion:
    """The fusion that tells rows best which nothing has learnt from; arrays as in `fit_fusion`.

    wanted: none, linear, or auto, which takes the linear part in where the rows' held-out log-loss is lower with it.
    calibrate: whether an encoder alone gets its temperature.
    """
    alone = wanted == "none" or margins is None
    if wanted == "auto" and not alone:
        alone = held_out_loss(encoder, margins, labels) >= held_out_loss(encoder, None, labels)
    if not alone:
        return fit_fusion(encoder, margins, labels)
    return fit_fusion(encoder, None, labels) if calibrate else ENCODER_ALONE
