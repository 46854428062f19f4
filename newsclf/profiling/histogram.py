"""Numbers counted in bins that are fixed for ever: the same in every run, and exact in every merge.

A value is told by the first bits of its float32: all of them while few values differ, fewer where there are more. How
many is decided by the values alone, not by their order, so that parts that are merged give what all rows would.
The idea of bins by exponent and mantissa: Tene, HdrHistogram (2012); Masson, Rim and Lee, DDSketch (VLDB 2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

MAX_BINS = 2048
BITS = 32
SIGN = np.uint32(1 << 31)


class Histogram:
    """Counts by bin, in the memory of MAX_BINS bins; finite values as float32.

    Exact up to MAX_BINS different values; above, a value stands for those whose first bits it shares, rounded down:
    within 1 % of it for columns of a text (a bin has at least 7 bits of mantissa where values span 16 powers of two).
    level: how many bits are not told apart.

    >>> half, other = Histogram(), Histogram()
    >>> half.add(np.array([3.0, 1.0, 1.0]))
    >>> other.add(np.array([2.0]))
    >>> both = half.merge(other)
    >>> both.values.tolist(), both.counts.tolist(), both.quantiles(np.array([0.0, 0.5, 1.0])).tolist()
    ([1.0, 2.0, 3.0], [2, 1, 1], [1.0, 2.0, 3.0])
    """

    def __init__(self) -> None:
        self.level = 0
        self._keys, self.counts = np.zeros(0, np.uint32), np.zeros(0, np.int64)

    def __len__(self) -> int:
        """Values that were counted."""
        return int(self.counts.sum())

    @property
    def values(self) -> np.ndarray:
        """[bins] the smallest value of each bin, ascending, float64."""
        return _value_of(self._keys, self.level)

    @property
    def rank_error(self) -> float:
        """By how much the rank of a quantile is off at the most, in 0..1: 0 while all values are told apart."""
        return float(self.counts.max() / len(self)) if self.level and len(self) else 0.0

    def add(self, values: np.ndarray) -> None:
        """Count finite values [rows]."""
        keys, counts = np.unique(_key_of(values) >> np.uint32(self.level), return_counts=True)
        self._take(keys, counts)

    def merge(self, other: Histogram) -> Histogram:
        """The histogram of the values of both, which stay as they are."""
        level = max(self.level, other.level)
        merged, added = self.at_level(level), other.at_level(level)
        merged._take(added._keys, added.counts)
        return merged

    def at_level(self, level: int) -> Histogram:
        """The same values with at least `level` bits not told apart."""
        coarse = Histogram()
        coarse.level = max(level, self.level)
        coarse._take(self._keys >> np.uint32(coarse.level - self.level), self.counts)
        return coarse

    def quantiles(self, shares: np.ndarray) -> np.ndarray:
        """The value that has this share (0..1) of all values below it, for each of `shares`; NaN without values."""
        if not len(self.counts):
            return np.full(np.shape(shares), np.nan)
        until = np.cumsum(self.counts)
        place = np.minimum(np.floor(np.asarray(shares, np.float64) * until[-1]), until[-1] - 1)
        return self.values[np.searchsorted(until, place, side="right")]

    def cdf(self, points: np.ndarray) -> np.ndarray:
        """The share of values that are in the bin of each of `points` or below it; NaN without values, and for NaN."""
        points = np.asarray(points, np.float64)
        known = ~np.isnan(points) & bool(len(self.counts))
        keys = _key_of(np.where(known, points, 0.0)) >> np.uint32(self.level)
        until = np.concatenate(([0], np.cumsum(self.counts)))
        below = until[np.searchsorted(self._keys, keys, side="right")]
        return np.where(known, below / max(1, until[-1]), np.nan)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, for JSON; the keys as differences, which are short."""
        keys = np.diff(self._keys.astype(np.int64), prepend=0)
        return {"level": self.level, "keys": keys.tolist(), "counts": self.counts.tolist()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Histogram:
        """What `as_dict` gave. Raises ValueError (or KeyError, TypeError) for anything else."""
        histogram = cls()
        histogram.level = int(values["level"])
        steps, counts = (np.array(values[name], np.int64) for name in ("keys", "counts"))
        keys = np.cumsum(steps)
        sound = steps.shape == counts.shape == (len(keys),) and 0 <= histogram.level < BITS
        if not sound or (np.diff(keys, prepend=-1) <= 0).any() or (keys >= 1 << BITS).any() or (counts <= 0).any():
            raise ValueError("not the bins of a histogram")
        histogram._keys, histogram.counts = keys.astype(np.uint32), counts
        return histogram

    def _take(self, keys: np.ndarray, counts: np.ndarray) -> None:
        keys, counts = np.concatenate([self._keys, keys]), np.concatenate([self.counts, counts])
        self._keys, self.counts = _summed(keys, counts)
        while len(self._keys) > MAX_BINS:
            self.level += 1
            self._keys, self.counts = _summed(self._keys >> np.uint32(1), self.counts)


def _summed(keys: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different keys, ascending, and the sum of each one's counts."""
    different, place = np.unique(keys, return_inverse=True)
    sums = np.zeros(len(different), np.int64)
    np.add.at(sums, place, counts)
    return different.astype(np.uint32), sums


def _key_of(values: np.ndarray) -> np.ndarray:
    """The bits of each value as float32, turned so that they are in the order of the values: uint32."""
    with np.errstate(over="ignore"):
        narrow = np.asarray(values, np.float64).astype(np.float32)
    bits = np.ascontiguousarray(narrow + np.float32(0)).view(np.uint32)  # -0 is 0
    return np.where(bits & SIGN, ~bits, bits | SIGN)


def _value_of(keys: np.ndarray, level: int) -> np.ndarray:
    """The smallest value of each bin."""
    turned = keys << np.uint32(level)
    bits = np.where(turned & SIGN, turned & ~SIGN, ~turned)
    return bits.astype(np.uint32).view(np.float32).astype(np.float64)
