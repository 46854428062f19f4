"""A linear classifier over words and pairs of words: it learns in seconds, and often knows what an encoder does not.

TF-IDF (Salton and Buckley 1988, Term-weighting approaches in automatic text retrieval) under linear support vector
machines, one a class against the rest (Fan et al. 2008, LIBLINEAR); both are scikit-learn's. It is kept without pickle:
the terms as text, the numbers as safetensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.svm import LinearSVC

from newsclf.errors import InputError
from newsclf.untrusted import MAX_JSON_BYTES, check_file, tensors

TERMS, NUMBERS = "linear_terms.txt", "linear.safetensors"
# Scripts that put no blanks between words: each of their characters is a term, and each two in a row. Of others, words
# of two letters and more.
UNPARTED = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
TOKEN = rf"[{UNPARTED}]|[^\W{UNPARTED}]{{2,}}"
MAX_TERMS, MAX_WEIGHTS = 500_000, 50_000_000  # weights are of a term and class
MIN_TEXTS = 2  # that a term stands in: what stands in one alone tells nothing of others


class NothingToLearn(InputError):
    """The texts have no term in common, or are all of one class."""


class LinearClassifier:
    """Margins of each class: above 0 where the text is taken to be one of the class.

    terms: each [features] in the order of weights [features, classes]; frequencies: [features], inverse, of documents;
    bias: [classes].
    """

    def __init__(self, terms: Sequence[str], frequencies: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> None:
        self.terms, self.frequencies, self.weights, self.bias = terms, frequencies, weights, bias
        self._counter, self._weigher = _counter(vocabulary=terms), _weigher(frequencies)

    @classmethod
    def fit(
        cls, texts: Sequence[str], labels: np.ndarray, classes: int, row_weights: np.ndarray | None = None
    ) -> LinearClassifier:
        """texts: [rows]; labels: [rows] class indices; row_weights: [rows], how often each counts.

        The same rows give the same bits. Raises NothingToLearn.

        >>> texts = ["oil rises", "oil falls", "team wins", "team loses"]
        >>> found = LinearClassifier.fit(texts, np.array([0, 0, 1, 1]), classes=2)
        >>> found.terms, found.margins(["the oil", "a team"]).argmax(axis=1).tolist()
        (['oil', 'team'], [0, 1])
        """
        counter = _counter(min_df=MIN_TEXTS, max_features=min(MAX_TERMS, MAX_WEIGHTS // classes))
        try:
            counts = counter.fit_transform(texts)
        except ValueError as error:  # an empty vocabulary, or none that is left
            raise NothingToLearn("no word stands in two of the training texts") from error
        if len(np.unique(labels)) < 2:
            raise NothingToLearn("the training rows are of one class")
        # scikit-learn adds 1, so that words of every text count as well; without it they tell classes apart better.
        frequencies = (TfidfTransformer().fit(counts).idf_ - 1).astype(np.float32)
        machine = LinearSVC(random_state=0).fit(_weigher(frequencies).transform(counts), labels, row_weights)
        return cls(counter.get_feature_names_out().tolist(), frequencies, *_by_class(machine, classes))

    def margins(self, texts: Sequence[str]) -> np.ndarray:
        """[texts, classes], float64."""
        if not len(texts):  # which scikit-learn refuses
            return np.zeros((0, len(self.bias)))
        words = self._weigher.transform(self._counter.transform(texts))
        return np.asarray(words @ self.weights, np.float64) + self.bias

    def save(self, folder: Path) -> None:
        """Write linear_terms.txt, a term a line, and linear.safetensors."""
        numbers = {"frequencies": self.frequencies, "weights": self.weights, "bias": self.bias}
        save_file({name: np.ascontiguousarray(value, np.float32) for name, value in numbers.items()}, folder / NUMBERS)
        (folder / TERMS).write_text("".join(f"{term}\n" for term in self.terms), encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, folder: Path, classes: int) -> LinearClassifier:
        """What `save` wrote. Raises ValueError or OSError where it is no classifier of `classes` classes."""
        terms = check_file(folder / TERMS, MAX_JSON_BYTES).read_bytes().decode("utf-8").split("\n")[:-1]
        if not 0 < len(set(terms)) == len(terms) <= MAX_TERMS:
            raise ValueError(f"{TERMS} must hold 1 to {MAX_TERMS:,} different terms")
        found = {name: stored.shape for name, stored in tensors(folder / NUMBERS).items() if stored.dtype == "F32"}
        if found != {"frequencies": (len(terms),), "weights": (len(terms), classes), "bias": (classes,)}:
            raise ValueError(f"{NUMBERS} does not hold the weights of {len(terms):,} terms and {classes} classes")
        numbers = load_file(folder / NUMBERS)
        if not all(np.isfinite(value).all() for value in numbers.values()):
            raise ValueError(f"{NUMBERS} holds NaN or infinite values")
        return cls(terms, numbers["frequencies"], numbers["weights"], numbers["bias"])


def _by_class(machine: LinearSVC, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights [features, classes] and bias [classes], float32; a class without a row has the bias of no text."""
    coefficients, intercepts = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:  # one machine tells them apart
        coefficients, intercepts = np.vstack([-coefficients, coefficients]), np.r_[-intercepts, intercepts]
    weights = np.zeros((coefficients.shape[1], classes), np.float32)
    bias = np.full(classes, -1.0, np.float32)
    weights[:, machine.classes_], bias[machine.classes_] = coefficients.T, intercepts
    return weights, bias


def _counter(**options: Any) -> CountVectorizer:
    return CountVectorizer(token_pattern=TOKEN, ngram_range=(1, 2), dtype=np.float32, **options)


def _weigher(frequencies: np.ndarray) -> TfidfTransformer:
    """1 + log(count) times the inverse document frequency [features], each text at length 1."""
    weigher = TfidfTransformer(sublinear_tf=True)
    weigher.idf_ = frequencies
    return weigher
