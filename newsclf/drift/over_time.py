"""Drift over a sequence of batches: when it began, whether it came at once or by and by, whether it comes and goes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from newsclf.drift.verdict import Verdict

# Evidence of a batch is -log10 of its p-value: 0 to 1 where nothing changed, seldom above 1.3 (p = 0.05).
ALLOWANCE = 0.5  # evidence that a batch may have without counting
THRESHOLD = 4.0  # sum of evidence that is a change: one batch of p < 0.00003, or some in a row of p < 0.05
MOST = 8.0  # evidence of one batch: a single broken batch must not outweigh all that follow
CALM = 3  # batches in a row without evidence that end a change


@dataclass(frozen=True)
class Change:
    """A stretch of batches (counted from 0) that are not as the reference.

    kind: "sudden", "incremental" (growing), or "recurring" (there was one before, and it had ended).
    begin: the first batch of it, as estimated; detected: the batch at which it could be told.
    end: the first batch that is as the reference again, None where it goes on.
    """

    kind: str
    begin: int
    detected: int
    end: int | None

    def describe(self, names: Sequence[str]) -> str:
        """The change in words. names: of all batches, in their order."""
        how = {"sudden": "all at once", "incremental": "and has grown", "recurring": "once more, after a calm"}
        end = "and goes on" if self.end is None else f"and ended with {names[self.end - 1]}"
        return f"A change began at {names[self.begin]}, {how[self.kind]}, {end}; seen at {names[self.detected]}."


def find_changes(verdicts: Sequence[Verdict]) -> list[Change]:
    """The changes in a sequence of verdicts, by the smallest p-value of each; one on too little data is passed over."""
    smallest = [min(p_values_of(verdict), default=None) for verdict in verdicts]
    return changes_in(smallest)


def p_values_of(verdict: Verdict) -> list[float]:
    """The corrected p-values of the kinds that could be judged."""
    return [finding.p_value for finding in verdict.kinds.values() if finding.p_value is not None]


def changes_in(p_values: Sequence[float | None]) -> list[Change]:
    """The changes in a sequence of batches by a p-value of each, in their order.

    A batch that was not judged (None or NaN) is passed over: it is neither calm nor evidence.
    A p-value stands for all that was tested on its batch, so it is a corrected one. The evidence above ALLOWANCE is
    summed up, never below 0, and a sum above THRESHOLD is a change that began where the sum last left 0 (CUSUM: Page
    1954, Continuous inspection schemes). Like any detector in time it looks at no later batch: with more batches, the
    changes found so far stay, but for an `end` and for the kind of the last one.
    """
    judged = [(place, p) for place, p in enumerate(p_values) if p is not None and not math.isnan(p)]
    places = [place for place, _ in judged]
    return [
        replace(
            change,
            begin=places[change.begin],
            detected=places[change.detected],
            end=None if change.end is None else places[change.end],
        )
        for change in _changes([min(MOST, -math.log10(max(p, 1e-300))) for _, p in judged])
    ]


def _changes(evidence: Sequence[float]) -> list[Change]:
    changes: list[Change] = []
    total, begin, calm = 0.0, 0, 0
    for batch, amount in enumerate(evidence):
        going_on = bool(changes) and changes[-1].end is None
        if going_on:
            calm = calm + 1 if amount < ALLOWANCE else 0
            if calm == CALM:
                changes[-1] = replace(changes[-1], end=batch - CALM + 1)
                total, calm = 0.0, 0
            continue
        if total == 0:
            begin = batch
        total = max(0.0, total + amount - ALLOWANCE)
        if total > THRESHOLD:
            changes.append(Change("recurring" if changes else "sudden", begin, batch, None))
            total, calm = 0.0, 0
    return [_with_kind(change, evidence) for change in changes]


def _with_kind(change: Change, evidence: Sequence[float]) -> Change:
    """A change grew if its first third shows less than half of what its last third shows."""
    shown = evidence[change.begin : change.end]
    third = len(shown) // 3
    if change.kind == "recurring" or third == 0:
        return change
    grew = sum(shown[:third]) < sum(shown[-third:]) / 2
    return replace(change, kind="incremental") if grew else change
