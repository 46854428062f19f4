"""What is said about a batch: one finding a kind of drift, and the verdict over all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# In the order in which one explains another: what is left when the former are accounted for.
KINDS = ("quality", "covariate", "prior", "concept", "performance")


@dataclass(frozen=True)
class Moved:
    """A column or direction that moved: its p-value, corrected within its kind, and its effect in the finding's unit."""

    name: str
    p_value: float
    effect: float


@dataclass(frozen=True)
class Finding:
    """One kind of drift.

    drifted: None where it cannot be judged (the sentence says why).
    p_value: in 0..1, corrected over the kind's tests and over the kinds of the verdict.
    effect: the size of the change in `effect_unit`.
    """

    kind: str
    drifted: bool | None
    p_value: float | None
    effect: float | None
    effect_unit: str
    moved: tuple[Moved, ...]
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
            kind: Finding(**{**finding, "moved": tuple(Moved(**moved) for moved in finding["moved"])})
            for kind, finding in values["kinds"].items()
        }
        return cls(**{**values, "kinds": kinds})
