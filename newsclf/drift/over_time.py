"""Drift over a sequence of batches: when it began, whether it came at once or by and by, whether it comes and goes."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

CHANGES = ("sudden", "incremental", "recurring")
# Evidence of a batch is -log10 of its p-value: 0 to 1 where nothing changed, seldom above 1.3 (p = 0.05).
ALLOWANCE = 0.5  # evidence that a batch may have without counting
THRESHOLD = 4.0  # sum of evidence that is a change: one batch of p < 0.00003, or some in a row of p < 0.05
MAX_EVIDENCE = 8.0  # evidence of one batch: a single broken batch must not outweigh all that follow
CALM = 3  # batches in a row without evidence that end a change


@dataclass(frozen=True)
class Change:
    """A stretch of batches (counted from 0) that are not as the reference.

    kind: of CHANGES: "sudden", "incremental" (growing), or "recurring" (there was one before, and it had ended).
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


class ChangeDetector:
    """Takes in a stream batch by batch; what a batch costs does not grow with the stream.

    Evidence above ALLOWANCE is summed up, never below 0, and a sum above THRESHOLD is a change that began where the
    sum last left 0 (CUSUM: Page 1954, Continuous Inspection Schemes).

    >>> detector = ChangeDetector()
    >>> [detector.update(p) for p in (0.4, 0.7, 1e-3)]
    [None, None, None]
    >>> detector.update(1e-3)
    Change(kind='sudden', begin=2, detected=3, end=None)
    """

    def __init__(self) -> None:
        self._batches = 0
        self._judged: list[int] = []  # the batches that there is evidence of, by number
        self._evidence: list[float] = []  # of these
        self._found: list[Change] = []  # by their place among the judged
        self._total, self._begin, self._calm = 0.0, 0, 0

    def update(self, p_value: float | None) -> Change | None:
        """Take in the next batch; the change that is detected at it, if one is. p_value: see `changes_in`."""
        self._batches += 1
        if p_value is None or math.isnan(p_value):
            return None
        amount = min(MAX_EVIDENCE, -math.log10(max(p_value, 1e-300)))
        self._judged.append(self._batches - 1)
        self._evidence.append(amount)
        batch = len(self._evidence) - 1
        if self._found and self._found[-1].end is None:
            self._calm = self._calm + 1 if amount < ALLOWANCE else 0
            if self._calm == CALM:
                self._found[-1] = replace(self._found[-1], end=batch - CALM + 1)
                self._total, self._calm = 0.0, 0
            return None
        if self._total == 0:
            self._begin = batch
        self._total = max(0.0, self._total + amount - ALLOWANCE)
        if self._total <= THRESHOLD:
            return None
        self._found.append(Change("recurring" if self._found else "sudden", self._begin, batch, None))
        self._total, self._calm = 0.0, 0
        return self._shown(self._found[-1])

    @property
    def changes(self) -> list[Change]:
        """All changes so far."""
        return [self._shown(change) for change in self._found]

    def _shown(self, change: Change) -> Change:
        """The change by the numbers of all batches, and of the kind that it has by now."""
        begin, detected = self._judged[change.begin], self._judged[change.detected]
        end = None if change.end is None else self._judged[change.end]
        return replace(_with_kind(change, self._evidence), begin=begin, detected=detected, end=end)


def changes_in(p_values: Iterable[float | None]) -> list[Change]:
    """The changes in a sequence of batches by a p-value of each, in their order.

    A batch that was not judged (None or NaN) is passed over: it is neither calm nor evidence.
    A p-value stands for all that was tested on its batch, so it is a corrected one. Like any detector in time it looks
    at no later batch: with more batches, the changes found so far stay, but for an `end` and for the kind of the last.

    >>> changes_in([0.4, 1e-9, 1e-9, 0.9, 0.8, 0.9])
    [Change(kind='sudden', begin=1, detected=1, end=3)]
    """
    detector = ChangeDetector()
    for p_value in p_values:
        detector.update(p_value)
    return detector.changes


def _with_kind(change: Change, evidence: Sequence[float]) -> Change:
    """A change grew if its first third shows less than half of what its last third shows."""
    shown = evidence[change.begin : change.end]
    third = len(shown) // 3
    if change.kind == "recurring" or third == 0:
        return change
    grew = sum(shown[:third]) < sum(shown[-third:]) / 2
    return replace(change, kind="incremental") if grew else change
