"""Covariate drift, P(x): the texts themselves, by their words, columns and directions in the embedding space."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from newsclf.drift import words
from newsclf.drift.batch import HeldOut, TextBatch
from newsclf.drift.evidence import ColumnEffect, Evidence, not_judged
from newsclf.drift.inputs import filled_rows, spaced
from newsclf.drift.sketches import compare_sketches, shift_of_means
from newsclf.drift.words import WordChange
from newsclf.features.terms import document_frequencies
from newsclf.profiling.summary import ColumnSummary
from newsclf.stats.multiple_testing import bonferroni, cauchy_combination
from newsclf.stats.two_sample import binned, compare_bins, hotelling

NAME = "covariate"
RETRAINABLE = True
MIN_SHARE = 0.02  # of the texts, in other bins than before
MAX_TEXTS = 20_000  # of a batch whose words are counted
MIN_SHIFT = 0.1  # standard deviations
DIRECTIONS = "directions"  # the name of all directions together
# Columns of a profile that another one shows better, and with which it would be tested twice.
REDUNDANT_COLUMNS = ("ends_in_punctuation", "words", "tokens")
# Of these, other kinds have a test.
OTHER_KINDS = ("empty", "missing", "confidence", "entropy", "margin", "label_probability", "correct")
COLUMN_LABELS = {
    "characters": "length",
    "ending": "last word",
    "surprise": "choice of words",
    "rarity": "choice of words",
    "distance": "distance to the reference's texts",
    DIRECTIONS: "subject",
}


def judge(batch: TextBatch, reference: HeldOut, shares: np.ndarray | None) -> Evidence:
    """Whether the texts come from another distribution than the reference's, beside what their class shares explain."""
    columns = compare(batch.columns.iloc[batch.judged_rows], reference.columns, reference.weights(shares))
    if reference.terms is None:
        return columns
    filled = filled_rows(batch.texts)
    rows = filled[spaced(len(filled), MAX_TEXTS)]
    here = document_frequencies(batch.texts[row] or "" for row in rows)
    return with_words(columns, words.compare(here, len(rows), reference.terms, reference.class_weights(shares)))


def judge_profiles(
    now: Mapping[str, ColumnSummary], before: Mapping[str, ColumnSummary], shares_moved: bool
) -> Evidence:
    """As `judge`; where class shares moved, what follows from them alone cannot be told apart, and nothing is said."""
    if shares_moved:
        return not_judged(NAME, "The class shares moved; profiles do not show what changed besides.")
    numbers = [name for name, column in before.items() if column.kind == "number" and column.values > 1]
    single, along = _tested(name for name in numbers if name in now)
    found = {name: (*compare_sketches(now[name], before[name]), MIN_SHARE) for name in single}
    if along:
        shift = shift_of_means([now[name] for name in along], [before[name] for name in along])
        found[DIRECTIONS] = (*shift, MIN_SHIFT)
    return evidence(found) if found else not_judged(NAME, "The profiles have no columns in common.")


def compare(current: pd.DataFrame, reference: pd.DataFrame, weights: np.ndarray) -> Evidence:
    """Whether the rows of two tables come from one distribution.

    current, reference: one row a text; columns as in the profile, the directions as `direction_<n>`.
    weights: [reference rows] that give the reference the current class shares, so that a change of them alone is
    no covariate drift.
    Every column is tested by itself in bins of the reference, the directions together by Hotelling's test of their
    mean; their p-values are combined.

    >>> random = np.random.default_rng(0)
    >>> before = pd.DataFrame({"characters": random.normal(200, 40, 1000), "surprise": random.normal(8, 1, 1000)})
    >>> found = compare(before.assign(characters=before["characters"] - 40), before, np.ones(1000))
    >>> found.p_value < 1e-20, found.tested[0].name, found.changed
    (True, 'characters', 'The texts are others: their length moved in 39.3% of the texts (characters).')
    """
    single, along = _tested(map(str, reference))
    found: dict[str, tuple[float, float, float]] = {}
    for name in single:
        bins = binned(current[name].to_numpy(), reference[name].to_numpy(), weights)
        found[name] = (*compare_bins(*bins), MIN_SHARE)
    if along:
        found[DIRECTIONS] = (*hotelling(current[along].to_numpy(), reference[along].to_numpy(), weights), MIN_SHIFT)
    return evidence(found)


def evidence(found: Mapping[str, tuple[float, float, float]]) -> Evidence:
    """One piece of evidence from the columns' (p-value, effect, least effect); an effect below its least is none.

    >>> found = evidence({"characters": (1e-9, 0.01, 0.02), "ending": (0.2, 0.03, 0.02)})
    >>> round(found.p_value, 2)  # the length of the texts is surely another, but by a speck
    0.31
    """
    corrected = bonferroni([p if effect >= least else 1.0 for p, effect, least in found.values()]).tolist()
    # What moved too little, and what could not differ (all values alike), is evidence neither for nor against a drift.
    together = cauchy_combination([p if effect >= least else 0.5 for p, effect, least in found.values() if p < 1])
    columns = (ColumnEffect(name, p, found[name][1]) for name, p in zip(found, corrected, strict=True))
    tested = tuple(sorted(columns, key=lambda one: (one.p_value, -one.effect)))
    first = tested[0]
    return Evidence(
        NAME,
        together if any(effect >= least for _, effect, least in found.values()) else 1.0,
        first.effect,
        unit_of(first.name),
        0.0,
        tested,
        f"The texts are others: {_moved(tested)}.",
        "The texts are like the reference's.",
    )


def _moved(tested: Sequence[ColumnEffect]) -> str:
    """What moved most surely, how far, and what moved with it; the columns stand surest first."""
    first = tested[0]
    size = (
        f"by {first.effect:.2f} {unit_of(first.name)}"
        if first.name == DIRECTIONS
        else f"in {first.effect:.1%} of the texts"
    )
    names = [one.name for one in tested if one.p_value <= words.SURE][:5] or [first.name]
    return f"their {COLUMN_LABELS.get(first.name, first.name)} moved {size} ({', '.join(names)})"


def with_words(columns: Evidence, changes: Sequence[WordChange]) -> Evidence:
    """The evidence of the columns and of the words as one, corrected for being two.

    >>> columns = evidence({"characters": (0.2, 0.03, 0.02)})
    >>> with_words(columns, [WordChange("Reuters", 0.09, 0.0, 1e-9)]).changed
    'The texts have other words: "Reuters" in 0.0% of the texts (9.0% before).'
    """
    assert columns.p_value is not None
    surest = changes[0].p_value if changes else 1.0
    told = dataclasses.replace(columns, p_value=min(1.0, 2 * min(columns.p_value, surest)), words=tuple(changes))
    said = words.sentence(changes)
    if not said:
        return told
    changed = f"The texts have other words: {said}."
    if columns.p_value <= words.SURE:
        changed += f" Besides, {_moved(columns.tested)}."
    if surest > columns.p_value:
        return dataclasses.replace(told, changed=changed)
    effect = abs(changes[0].now - changes[0].before)
    return dataclasses.replace(told, changed=changed, effect=effect, effect_unit="share of texts")


def unit_of(column: str) -> str:
    """What the effect of a column is measured in; the evidence has the unit of the column that moved most surely."""
    return "standard deviations" if column == DIRECTIONS else "share of texts"


def _tested(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """The columns that are tested by themselves, and the directions, which are tested together."""
    texts = [name for name in names if name not in OTHER_KINDS and not name.startswith("distance_to_")]
    along = [name for name in texts if name.startswith("direction_")]
    return [name for name in texts if name not in along and name not in REDUNDANT_COLUMNS], along
