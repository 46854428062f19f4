"""Words that are new, gone, more or less frequent: the part of covariate drift that says itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from newsclf.features.terms import document_frequencies, terms_of
from newsclf.messages import quoted
from newsclf.stats.proportions import exact_p_values

MIN_TEXTS = 3  # of the reference that a term stands in: what is in fewer is not kept, be it a name or a number
MAX_TERMS, MAX_COUNTS = 100_000, 4_000_000  # that are kept; counts are of a term and class
MIN_CHANGE = 0.005  # of the texts
NAMED = 5
ALONE = 0.8  # of a pair's change: where one of its words has so much of it, the word alone is named
SURE = 0.01  # corrected p-value of a term that is named


@dataclass(frozen=True)
class WordChange:
    """A term in another share of the texts than before, both in 0..1; p_value: corrected over all terms.

    before: of a term that the reference has not kept, the most that it can have been.
    """

    term: str
    before: float
    now: float
    p_value: float

    def __str__(self) -> str:
        """For people.

        >>> print(WordChange("Reuters", 0.087, 0.0, 1e-20))
        "Reuters" in 0.0% of the texts (8.7% before)
        """
        return f'"{quoted(self.term, 40)}" in {self.now:.1%} of the texts ({self.before:.1%} before)'


@dataclass(frozen=True)
class KnownTerms:
    """In how many texts of each class a term stood. No text is kept, and no term of fewer than MIN_TEXTS texts.

    terms: [terms]; texts: [terms, classes] counts; rows: [classes] texts of each class (of all, without classes).
    """

    terms: tuple[str, ...]
    texts: np.ndarray
    rows: np.ndarray

    @classmethod
    def fit(cls, texts: Sequence[str], labels: np.ndarray | None, classes: int) -> KnownTerms:
        """labels: [texts] class indices; None without classes."""
        kinds = np.zeros(len(texts), np.int64) if labels is None else labels
        count = 1 if labels is None else classes
        total = document_frequencies(texts)
        most = min(MAX_TERMS, MAX_COUNTS // count)
        kept = [term for term, found in total.most_common(most) if found >= MIN_TEXTS]
        place = {term: number for number, term in enumerate(kept)}
        counts = np.zeros((len(kept), count), np.int32)
        for text, kind in zip(texts, kinds, strict=True):
            counts[[place[term] for term in terms_of(text) if term in place], kind] += 1
        return cls(tuple(kept), counts, np.bincount(kinds, minlength=count))

    def shares(self, class_weights: np.ndarray | None) -> tuple[np.ndarray, float, float]:
        """(share of the texts [terms], the share of a term that is not kept at most, texts they are worth).

        class_weights: [classes] of one text of each class, above 0; None counts all alike.
        """
        weights = np.ones(len(self.rows)) if class_weights is None or len(self.rows) == 1 else class_weights
        whole = float(weights @ self.rows)
        worth = whole**2 / float(weights**2 @ self.rows)
        return self.texts @ weights / whole, (MIN_TEXTS - 1) * float(weights.max()) / whole, worth


def compare(now: Mapping[str, int], rows: int, known: KnownTerms, class_weights: np.ndarray | None) -> list[WordChange]:
    """Every term whose share is surely another, the surest first: of the kept ones, and of those that are here.

    now: in how many of `rows` texts each term stands; class_weights: as in `KnownTerms.shares`.

    >>> known = KnownTerms.fit(["oil rises"] * 50 + ["oil falls"] * 50, None, 1)
    >>> change = compare(document_frequencies(["gas rises"] * 50 + ["gas falls"] * 50), 100, known, None)
    >>> [(one.term, one.before, one.now) for one in change if " " not in one.term]
    [('oil', 1.0, 0.0), ('gas', 0.02, 1.0)]
    """
    shares, unknown, worth = known.shares(class_weights)
    new = [term for term in now.keys() - set(known.terms) if now[term] >= MIN_TEXTS]
    terms = [*known.terms, *sorted(new)]
    here = np.array([now.get(term, 0) for term in terms], np.int64)
    before = np.concatenate([shares, np.full(len(new), unknown)])
    p_values = exact_p_values(here, rows, before * worth, worth)
    change = np.abs(here / rows - before)
    found = np.flatnonzero((p_values < 1) & (change >= MIN_CHANGE))
    order = found[np.lexsort((-change[found], p_values[found]))]
    return [
        WordChange(terms[place], float(before[place]), float(here[place] / rows), float(p_values[place]))
        for place in order
    ]


def telling(changes: Sequence[WordChange], count: int = NAMED) -> list[WordChange]:
    """The surest changes, at most `count`, without pairs that say what one of their words has said."""
    chosen: list[WordChange] = []
    sure = {change.term: change for change in changes if change.p_value <= SURE}
    for change in sure.values():
        pieces = change.term.split(" ")
        if len(chosen) == count:
            break
        if any(set(pieces) & set(one.term.split(" ")) for one in chosen):
            continue
        words = [sure[piece] for piece in pieces if piece in sure and piece.isalnum()]
        alone = [one for one in words if abs(one.now - one.before) >= ALONE * abs(change.now - change.before)]
        chosen.append(alone[0] if alone else change)
    return chosen


def sentence(changes: Sequence[WordChange]) -> str:
    """What stands in the texts now and did not, or the other way; empty where no change is sure."""
    return ", ".join(map(str, telling(changes)))
