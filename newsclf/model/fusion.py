"""How a model's parts become one: made as sure as they are right, and joined.

Temperature scaling (Guo et al. 2017, On Calibration of Modern Neural Networks) with more weights than one: the
logarithm of a class's probability is, up to a constant, the sum of the parts' logits, each times its weight. The parts
are the logarithms of the encoder's probabilities, of those of other models (an ensemble), and the margins of a linear
classifier. What is best is told by rows that none of them has learnt from.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from newsclf.evaluation.scores import log_loss
from newsclf.stats.calibration import logits_of

# What a weight is taken to be before a row is seen, with the weight of one row: of few rows that are all right, no
# probability of 1 is concluded. A margin of 1 is worth 3 nats on news; the models of an ensemble share a weight of 1.
PRIOR_LINEAR = 3.0
FOLDS = 5
BOUNDS = (0.02, 50.0)


@dataclass(frozen=True)
class Said:
    """What the parts say of the same rows: probabilities of the encoder and of the members of an ensemble, and margins.

    Each [rows, classes]; margins is None without a linear classifier.
    """

    encoder: np.ndarray
    margins: np.ndarray | None = None
    members: tuple[np.ndarray, ...] = ()

    def of(self, rows: np.ndarray) -> "Said":
        margins = None if self.margins is None else self.margins[rows]
        return Said(self.encoder[rows], margins, tuple(member[rows] for member in self.members))

    def without_margins(self) -> "Said":
        return Said(self.encoder, None, self.members)


@dataclass(frozen=True)
class Fusion:
    """The weights; linear is 0 where no linear classifier takes part."""

    encoder: float = 1.0
    linear: float = 0.0
    members: tuple[float, ...] = ()

    def probabilities(self, said: Said) -> np.ndarray:
        """[rows, classes], float64."""
        if self == ENCODER_ALONE:
            return said.encoder
        logits = self.encoder * logits_of(said.encoder)
        for weight, member in zip(self.members, said.members, strict=True):
            logits = logits + weight * logits_of(member)
        if self.linear:
            assert said.margins is not None
            logits = logits + self.linear * said.margins
        return np.asarray(special.softmax(logits, axis=1), np.float64)


ENCODER_ALONE = Fusion()


def fit_fusion(said: Said, labels: np.ndarray) -> Fusion:
    """The weights at which the log-loss of labels [rows] (class indices) is lowest, on rows that were not learnt from.

    >>> sure = np.array([[0.9, 0.1]] * 400)
    >>> labels = np.repeat([0, 1], [300, 100])  # right in three of four: 0.9 is too much
    >>> round(1 / fit_fusion(Said(sure), labels).encoder, 1)
    2.0
    """
    share = 1 / (1 + len(said.members))
    priors = [share] * (1 + len(said.members)) + ([] if said.margins is None else [PRIOR_LINEAR])
    given = [*map(logits_of, (said.encoder, *said.members)), *([] if said.margins is None else [said.margins])]
    # In float64, as differences of 1e-8 are looked at.
    parts = [prior * part.astype(np.float64) for prior, part in zip(priors, given, strict=True)]
    rows = np.arange(len(labels))

    def loss(logarithms: np.ndarray) -> float:
        logits = sum(np.exp(one) * part for one, part in zip(logarithms, parts, strict=True))
        likelihood = special.log_softmax(logits, axis=1)[rows, labels].sum()
        return float((np.square(logarithms).sum() - likelihood) / len(rows))

    bounds = [tuple(np.log(BOUNDS))] * len(parts)
    factors = np.exp(optimize.minimize(loss, np.zeros(len(parts)), method="L-BFGS-B", bounds=bounds).x)
    encoder, *rest = (float(weight) for weight in factors * priors)
    linear = 0.0 if said.margins is None else rest.pop()
    return Fusion(encoder, linear, tuple(rest))


def held_out_loss(said: Said, labels: np.ndarray) -> float:
    """Mean log-loss (nats) of labels [rows], each row at weights that were fitted to other rows.

    Infinite where there are fewer rows than FOLDS.
    """
    if len(labels) < FOLDS:
        return float("inf")
    fold = np.random.default_rng(0).permutation(len(labels)) % FOLDS
    found = np.empty(said.encoder.shape)
    for number in range(FOLDS):
        inside, outside = fold != number, fold == number
        found[outside] = fit_fusion(said.of(inside), labels[inside]).probabilities(said.of(outside))
    return log_loss(labels, found)


def choose_fusion(said: Said, labels: np.ndarray, wanted: str = "auto", calibrate: bool = True) -> Fusion:
    """The fusion that tells rows best which nothing has learnt from; labels: [rows] class indices.

    wanted: none, linear, or auto, which takes the linear part in where the rows' held-out log-loss is lower with it.
    calibrate: whether an encoder alone gets its temperature.
    """
    alone = said.without_margins()
    words = wanted != "none" and said.margins is not None
    if words and wanted == "auto":
        words = held_out_loss(said, labels) < held_out_loss(alone, labels)
    if words:
        return fit_fusion(said, labels)
    return fit_fusion(alone, labels) if calibrate or said.members else ENCODER_ALONE
