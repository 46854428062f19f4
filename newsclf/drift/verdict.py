"""What is said about a batch: one finding a kind of drift, and the verdict over all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from newsclf.drift.evidence import ColumnEffect, Evidence, not_judged
from newsclf.drift.kinds import NAMES
from newsclf.drift.words import WordChange
from newsclf.stats.multiple_testing import holm

MAX_WORDS = 50  # of a finding
SAVED_NAMES = {"significant": "moved"}  # of a finding's fields, in files


@dataclass(frozen=True)
class Finding:
    """One kind of drift.

    drifted: None where it cannot be judged (the sentence says why).
    p_value: in 0..1, corrected over the kind's tests and over the kinds of the verdict.
    effect: the size of the change in `effect_unit`.
    tested: every column that was tested, surest first; significant: those that moved, none where nothing drifted.
    words: terms in another share of the texts than before, the surest first; none where nothing drifted.
    """

    kind: str
    drifted: bool | None
    p_value: float | None
    effect: float | None
    effect_unit: str
    significant: tuple[ColumnEffect, ...]
    tested: tuple[ColumnEffect, ...]
    sentence: str
    words: tuple[WordChange, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The whole statement about a batch of `rows` texts, with a false-alarm rate of at most `alpha`.

    drifted: None where there is not enough data to say anything.
    kind: the kind that explains the drift, None without one.
    """

    drifted: bool | None
    kind: str | None
    kinds: Mapping[str, Finding]
    alpha: float
    rows: int
    sentence: str

    @property
    def numbers(self) -> dict[str, float]:
        """drifted (0 or 1), and each kind's drifted, p_value and effect, without what cannot be judged."""
        numbers = {} if self.drifted is None else {"drifted": float(self.drifted)}
        for kind, finding in self.kinds.items():
            parts = {"drifted": finding.drifted, "p_value": finding.p_value, "effect": finding.effect}
            numbers |= {f"{kind}/{part}": float(value) for part, value in parts.items() if value is not None}
        return numbers

    @property
    def smallest_p_value(self) -> float | None:
        """Of the kinds that could be judged; None where none could be."""
        return min((kind.p_value for kind in self.kinds.values() if kind.p_value is not None), default=None)

    def as_dict(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers, for JSON."""
        values = dataclasses.asdict(self)
        for kind, finding in values["kinds"].items():
            values["kinds"][kind] = {SAVED_NAMES.get(name, name): value for name, value in finding.items()}
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Verdict:
        """The verdict that `as_dict` gave."""
        return cls(**{**values, "kinds": {kind: _of_dict(finding) for kind, finding in values["kinds"].items()}})


def combine_evidence(evidence: Sequence[Evidence], rows: int, alpha: float) -> Verdict:
    """The verdict of all kinds together, wrong with a probability of at most `alpha` where nothing has changed.

    p-values are corrected over the kinds that can be judged by Holm's method.

    >>> texts = Evidence("covariate", 0.001, 0.3, "share of texts", 0.02, (), "Other texts.", "As before.")
    >>> verdict = combine_evidence([texts, not_judged("prior", "No labels.")], rows=200, alpha=0.05)
    >>> verdict.kind, verdict.sentence
    ('covariate', 'Drift (covariate): Other texts.')
    """
    judged = {test.kind: test.p_value for test in evidence if test.p_value is not None}
    corrected = dict(zip(judged, holm([*judged.values()]).tolist(), strict=True))
    found = {test.kind: _finding(test, corrected.get(test.kind), alpha) for test in evidence}
    kinds = {kind: found[kind] for kind in NAMES if kind in found}
    drifted = [finding for finding in kinds.values() if finding.drifted]
    if not judged:
        sentence = "Nothing can be judged: " + "; ".join(finding.sentence for finding in kinds.values())
        return Verdict(None, None, kinds, alpha, rows, sentence)
    if not drifted:
        names = ", ".join(kind for kind, finding in kinds.items() if finding.drifted is not None)
        sentence = f"No drift in {rows:,} texts ({names} judged, at most {alpha:.0%} false alarms)."
        return Verdict(False, None, kinds, alpha, rows, sentence)
    first = drifted[0]
    others = [finding.kind for finding in drifted[1:]]
    sentence = f"Drift ({first.kind}): {first.sentence}" + (f" Changed with it: {', '.join(others)}." if others else "")
    return Verdict(True, first.kind, kinds, alpha, rows, sentence)


def not_enough_data(rows: int, min_rows: int, alpha: float) -> Verdict:
    """The verdict on a batch that is too small to say anything about: neither drift nor none.

    >>> not_enough_data(3, 50, 0.05).sentence
    'Not enough data: 3 texts, 50 are needed.'
    """
    reason = f"not enough data: {rows:,} texts, {min_rows:,} are needed"
    kinds = {kind: Finding(kind, None, None, None, "", (), (), reason) for kind in NAMES}
    return Verdict(None, None, kinds, alpha, rows, f"{reason[0].upper()}{reason[1:]}.")


def too_few_filled(quality: Evidence, filled: int, min_rows: int, rows: int, alpha: float) -> Verdict:
    """The verdict on `rows` texts of which only `filled` are not empty: a drift of quality, or not enough data."""
    reason = f"not enough data: {filled:,} texts that are not empty, {min_rows:,} are needed"
    others = (not_judged(kind, reason) for kind in NAMES if kind != quality.kind)
    verdict = combine_evidence([quality, *others], rows, alpha)
    if verdict.drifted:
        return verdict
    return dataclasses.replace(verdict, drifted=None, sentence=f"{reason[0].upper()}{reason[1:]}.")


def _finding(test: Evidence, corrected: float | None, alpha: float) -> Finding:
    if corrected is None or test.effect is None:
        return Finding(test.kind, None, None, None, "", (), (), test.otherwise)
    drifted = corrected <= alpha and abs(test.effect) >= test.min_effect
    sentence = test.changed if drifted else test.otherwise
    significant = tuple(one for one in test.tested if one.p_value <= alpha) if drifted else ()
    words = test.words[:MAX_WORDS] if drifted else ()
    return Finding(
        test.kind, drifted, corrected, test.effect, test.effect_unit, significant, test.tested, sentence, words
    )


def _of_dict(finding: Mapping[str, Any]) -> Finding:
    names = {saved: name for name, saved in SAVED_NAMES.items()}
    values = {names.get(name, name): value for name, value in finding.items()}
    columns = {name: tuple(ColumnEffect(**one) for one in values[name]) for name in ("significant", "tested")}
    words = tuple(WordChange(**one) for one in values.get("words", ()))  # until 0.3.0 there were none
    return Finding(**{**values, **columns, "words": words})
