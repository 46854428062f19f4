"""What the test of one kind of drift found, before it is corrected over the kinds."""

from dataclasses import dataclass

from newsclf.drift.words import WordChange


@dataclass(frozen=True)
class ColumnEffect:
    """A column or direction: its p-value, corrected within its kind, and how far it moved, in the evidence's unit."""

    name: str
    p_value: float
    effect: float


@dataclass(frozen=True)
class Evidence:
    """What one kind's test found.

    p_value: over all tests of the kind; None where the kind cannot be judged, and `otherwise` says why.
    min_effect: below which nothing is called a drift, however small the p-value.
    tested: every column that was tested, surest first.
    words: terms in another share of the texts, surest first.
    changed, otherwise: the sentence where it drifted, and where it did not.
    """

    kind: str
    p_value: float | None
    effect: float | None
    effect_unit: str
    min_effect: float
    tested: tuple[ColumnEffect, ...]
    changed: str
    otherwise: str
    words: tuple[WordChange, ...] = ()


def not_judged(kind: str, reason: str) -> Evidence:
    """The test of a kind that the data at hand cannot show.

    >>> not_judged("prior", "The reference has no labels.").p_value is None
    True
    """
    return Evidence(kind, None, None, "", 0.0, (), "", reason)
