"""What predicts labels for a reference: a model of the user's, or a light one on the reference's own embeddings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import softmax


class Predictor(Protocol):
    """A text classifier; `newsclf.model.text_classifier.TextClassifier` is one."""

    @property
    def name(self) -> str:
        """What it is loaded by again, such as runs:/<run id>/model."""
        ...

    @property
    def classes(self) -> tuple[str, ...]: ...

    def predict_proba(self, texts: Sequence[str], /) -> np.ndarray:
        """Probabilities [texts, classes], each row of sum 1."""
        ...


@dataclass(frozen=True)
class LightPredictor:
    """Logistic regression: weights [hidden, classes] and bias [classes] on embeddings [rows, hidden]."""

    weights: np.ndarray
    bias: np.ndarray

    def __call__(self, embedded: np.ndarray) -> np.ndarray:
        """Probabilities [rows, classes], before calibration."""
        return softmax((embedded @ self.weights + self.bias).astype(np.float64), axis=1)


def fit_light(embedded: np.ndarray, labels: np.ndarray, classes: int) -> LightPredictor:
    """The predictor of class indices [rows] by embeddings [rows, hidden]; every class occurs."""
    from sklearn.linear_model import LogisticRegression

    # In units of their spread, embeddings of a few thousand news texts want a strong penalty: of C = 0.001 ... 0.1
    # this has the best accuracy on held-out texts of AG News and of 20 Newsgroups alike.
    scale = embedded.std(axis=0) + 1e-9
    model = LogisticRegression(C=0.003, max_iter=300).fit(embedded / scale, labels)
    weights, bias = model.coef_.T / scale[:, None], model.intercept_
    if classes == 2:  # scikit-learn has one column for two classes
        weights, bias = np.column_stack([-weights, weights]) / 2, np.array([-bias[0], bias[0]]) / 2
    return LightPredictor(weights.astype(np.float32), bias.astype(np.float32))


class KnownPredictor:
    """A predictor that computes nothing anew: the probabilities of texts that have been predicted before.

    name, classes: as of a `Predictor`. predict: texts to [texts, classes], for texts that are not known; without it
    they are a KeyError.

    >>> known = KnownPredictor("runs:/1/model", ("Business", "World"))
    >>> known.set(["oil", "vote"], np.array([[0.9, 0.1], [0.2, 0.8]]))
    >>> known.predict_proba(["vote", "oil", "vote"]).tolist()
    [[0.2, 0.8], [0.9, 0.1], [0.2, 0.8]]
    """

    def __init__(
        self, name: str, classes: tuple[str, ...], predict: Callable[[list[str]], np.ndarray] | None = None
    ) -> None:
        self.name, self.classes = name, classes
        self._predict = predict
        self._by_text: dict[str, np.ndarray] = {}

    def set(self, texts: Sequence[str], probabilities: np.ndarray) -> None:
        """Know these texts, and forget all others. probabilities: [texts, classes]."""
        self._by_text = dict(zip(texts, probabilities, strict=True))

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Probabilities [texts, classes]."""
        new = [text for text in dict.fromkeys(texts) if text not in self._by_text]
        if new and self._predict is not None:
            self._by_text |= dict(zip(new, self._predict(new), strict=True))
        return np.stack([self._by_text[text] for text in texts])
