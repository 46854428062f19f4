"""Seeded, class-stratified draws: a smaller training set, a held-out split; and no text on both sides."""

import numpy as np
import pandas as pd

from newsclf.errors import InputError
from newsclf.messages import listed

# Each kind of draw has its own stream of random numbers, so that none moves when another is left out.
STREAMS = {"test": 1, "num_samples": 2, "validation": 3}


def allocate(total: int, available: np.ndarray, least: int, most: np.ndarray) -> np.ndarray:
    """`total` rows shared among classes in proportion to `available`, by largest remainders.

    available, most: rows of each class there are, and that may be taken; shape (classes,).
    Each class gets `least` to `most` rows; needs least * classes <= total <= sum(most).

    >>> allocate(10, np.array([70, 25, 5]), 1, np.array([70, 25, 5])).tolist()
    [7, 2, 1]
    """
    quota = total * available / available.sum()
    counts = np.clip(np.floor(quota).astype(int), least, most)
    while counts.sum() < total:
        counts[np.argmax(np.where(counts < most, quota - counts, -np.inf))] += 1
    while counts.sum() > total:
        counts[np.argmin(np.where(counts > least, quota - counts, np.inf))] -= 1
    return counts


def draw(rows: pd.DataFrame, classes: tuple[str, ...], num_samples: int, seed: int, least: int) -> pd.DataFrame:
    """Exactly `num_samples` of `rows`, stratified by class, in their order.

    least: rows that each class gets at the least.
    Raises InputError outside the range 2 * classes to len(rows).
    """
    lowest = 2 * len(classes)
    if not lowest <= num_samples <= len(rows):
        raise InputError(
            f"num_samples={num_samples} is out of range: choose {lowest} (2 rows for each of {len(classes)} "
            f"classes) to {len(rows)} (all training rows)"
        )
    available = class_counts(rows, classes)
    counts = allocate(num_samples, available, least, available)
    return rows[_chosen(rows, classes, counts, seed, "num_samples")]


def hold_out(
    rows: pd.DataFrame,
    classes: tuple[str, ...],
    fraction: float,
    seed: int,
    stream: str,
    keep: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`rows` parted into (rest, held out), stratified by class, both in their order.

    fraction: share of the rows that is held out, in (0, 1).
    stream: one of STREAMS.
    keep: rows of each class that stay in the rest at the least; one more is held out at the least, so each
        class needs keep + 1 (see `require_rows`).
    """
    available = class_counts(rows, classes)
    most = available - keep
    total = int(np.clip(round(len(rows) * fraction), len(classes), most.sum()))
    held = _chosen(rows, classes, allocate(total, available, 1, most), seed, stream)
    return rows[~held], rows[held]


def require_rows(rows: pd.DataFrame, classes: tuple[str, ...], least: int, why: str) -> None:
    """Raises InputError that names the classes with fewer than `least` rows."""
    counts = class_counts(rows, classes)
    if small := [f'"{name}" ({n})' for name, n in zip(classes, counts, strict=True) if n < least]:
        raise InputError(
            f"too few rows in class {listed(small)}: {least} {'are' if least > 1 else 'is'} needed {why}; "
            "add rows or leave the class out"
        )


def drop_overlap(train: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """`train` without the texts that also stand in `test`, and how many rows that took.

    Texts that differ in white space only count as the same.
    """
    both = fold(train["text"]).isin(set(fold(test["text"]))).to_numpy()
    return train[~both], int(both.sum())


def fold(texts: pd.Series) -> pd.Series:
    """`texts` with each run of white space as one space."""
    return pd.Series([" ".join(text.split()) for text in texts], dtype=object)


def class_counts(rows: pd.DataFrame, classes: tuple[str, ...]) -> np.ndarray:
    """Rows of each class, in the order of `classes`; shape (classes,)."""
    return rows["label"].value_counts().reindex(list(classes), fill_value=0).to_numpy()


def _chosen(rows: pd.DataFrame, classes: tuple[str, ...], counts: np.ndarray, seed: int, stream: str) -> np.ndarray:
    """A mask over `rows` with `counts` random rows of each class."""
    random = np.random.default_rng([seed, STREAMS[stream]])
    labels = rows["label"].to_numpy()
    chosen = np.zeros(len(rows), dtype=bool)
    for name, count in zip(classes, counts, strict=True):
        chosen[random.permutation(np.flatnonzero(labels == name))[:count]] = True
    return chosen
