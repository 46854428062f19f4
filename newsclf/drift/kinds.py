"""The kinds of drift, one module each, in the order in which one explains another: what is left of the former."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from newsclf.drift import concept, covariate, performance, prior, quality
from newsclf.drift.batch import HeldOut, TextBatch
from newsclf.drift.evidence import Evidence
from newsclf.profiling.summary import ColumnSummary


class Kind(Protocol):
    """A module of a kind of drift. NAME: as it is logged; RETRAINABLE: whether a new model can help against it."""

    NAME: str
    RETRAINABLE: bool

    def judge(self, batch: TextBatch, reference: HeldOut, shares: np.ndarray | None, /) -> Evidence:
        """From the texts; shares: class shares [classes] of the batch, None where they cannot be told."""
        ...

    def judge_profiles(
        self, now: Mapping[str, ColumnSummary], before: Mapping[str, ColumnSummary], shares_moved: bool, /
    ) -> Evidence:
        """From two profiles alone; shares_moved: whether their labels show that the class shares have moved."""
        ...


KINDS: tuple[Kind, ...] = (quality, covariate, prior, concept, performance)
NAMES = tuple(kind.NAME for kind in KINDS)
RETRAINABLE = tuple(kind.NAME for kind in KINDS if kind.RETRAINABLE)
