"""What is said about a batch: one finding a kind of drift, and the verdict over all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from newsclf.stats.multiple_testing import holm

# In the order in which one explains another: what is left when the former are accounted for.
KINDS = ("quality", "covariate", "prior", "concept", "performance")


@dataclass(frozen=True)
class Moved:
    """A column or direction: its p-value, corrected within its kind, and how far it moved, in the finding's unit."""

    name: str
    p_value: float
    effect: float


@dataclass(frozen=True)
class Finding:
    """One kind of drift.

    drifted: None where it cannot be judged (the sentence says why).
    p_value: in 0..1, corrected over the kind's tests and over the kinds of the verdict.
    effect: the size of the change in `effect_unit`.
    tested: every column that was tested, surest first; moved: those that moved, none where nothing drifted.
    """

    kind: str
    drifted: bool | None
    p_value: float | None
    effect: float | None
    effect_unit: str
    moved: tuple[Moved, ...]
    tested: tuple[Moved, ...]
    sentence: str


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

    def as_dict(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Verdict:
        """The verdict that `as_dict` gave."""
        kinds = {
            kind: Finding(**{**finding, **{name: _columns(finding[name]) for name in ("moved", "tested")}})
            for kind, finding in values["kinds"].items()
        }
        return cls(**{**values, "kinds": kinds})


@dataclass(frozen=True)
class Evidence:
    """What one kind's test found, before it is corrected over the kinds.

    p_value: over all tests of the kind; None where the kind cannot be judged, and `otherwise` says why.
    least: the effect below which nothing is called a drift, however small the p-value.
    changed, otherwise: the sentence where it drifted, and where it did not.
    """

    kind: str
    p_value: float | None
    effect: float | None
    effect_unit: str
    least: float
    tested: tuple[Moved, ...]
    changed: str
    otherwise: str


def not_judged(kind: str, reason: str) -> Evidence:
    """The test of a kind that the data at hand cannot show."""
    return Evidence(kind, None, None, "", 0.0, (), "", reason)


def decide(evidence: Sequence[Evidence], rows: int, alpha: float) -> Verdict:
    """The verdict of all kinds together, wrong with a probability of at most `alpha` where nothing has changed.

    p-values are corrected over the kinds that can be judged by Holm's method.
    """
    judged = {test.kind: test.p_value for test in evidence if test.p_value is not None}
    corrected = dict(zip(judged, holm([*judged.values()]).tolist(), strict=True))
    found = {test.kind: _finding(test, corrected.get(test.kind), alpha) for test in evidence}
    kinds = {kind: found[kind] for kind in KINDS if kind in found}
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


def not_enough_data(rows: int, least: int, alpha: float) -> Verdict:
    """The verdict on a batch that is too small to say anything about: neither drift nor none."""
    reason = f"not enough data: {rows:,} texts, {least:,} are needed"
    kinds = {kind: Finding(kind, None, None, None, "", (), (), reason) for kind in KINDS}
    return Verdict(None, None, kinds, alpha, rows, f"{reason[0].upper()}{reason[1:]}.")


def too_few_filled(quality: Evidence, filled: int, least: int, rows: int, alpha: float) -> Verdict:
    """The verdict on `rows` texts of which only `filled` are not empty: a drift of quality, or not enough data."""
    reason = f"not enough data: {filled:,} texts that are not empty, {least:,} are needed"
    others = (not_judged(kind, reason) for kind in KINDS if kind != quality.kind)
    verdict = decide([quality, *others], rows, alpha)
    if verdict.drifted:
        return verdict
    return dataclasses.replace(verdict, drifted=None, sentence=f"{reason[0].upper()}{reason[1:]}.")


def _finding(test: Evidence, corrected: float | None, alpha: float) -> Finding:
    if corrected is None or test.effect is None:
        return Finding(test.kind, None, None, None, "", (), (), test.otherwise)
    drifted = corrected <= alpha and abs(test.effect) >= test.least
    sentence = test.changed if drifted else test.otherwise
    moved = tuple(one for one in test.tested if one.p_value <= alpha) if drifted else ()
    return Finding(test.kind, drifted, corrected, test.effect, test.effect_unit, moved, test.tested, sentence)


def _columns(values: Sequence[Mapping[str, Any]]) -> tuple[Moved, ...]:
    return tuple(Moved(**value) for value in values)
