"""Batches of a stream that changes in a known way: how much in which batch, and which rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from newsclf.data.simulation import injections
from newsclf.errors import InputError
from newsclf.messages import listed, one_line

BATCH_ROWS = 1000
# The study's seven days: one to start from, then deletion or random labels in 0, 10 ... 50 % of the rows.
STUDY = (0.0, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
TEXT_MODES = ("foreign", "garbled", "truncated")
# What each kind may do to the rows; the first is what "auto" means.
MODES = {
    "study": ("delete", "relabel"),
    "sudden": (*TEXT_MODES, "prior", "concept"),
    "incremental": (*TEXT_MODES, "prior", "concept"),
    "nonstationary": (*TEXT_MODES, "prior", "concept"),
    "covariate": TEXT_MODES,
    "prior": ("prior",),
    "concept": ("concept",),
    "none": ("none",),
}
# What a mode does with the amount `{amount}`, for people.
SENTENCES = {
    "foreign": "a share of the rows has texts on foreign topics",
    "garbled": "in a share of the rows three letters in ten are others",
    "truncated": "a share of the rows has lost the second half of its text",
    "prior": "the class shares have moved, by their total variation",
    "concept": "a share of the rows has labels drawn at random",
    "delete": "a share of the rows is deleted",
    "relabel": "a share of the rows has labels drawn at random",
    "none": "nothing changes",
}


def mode_of(kind: str, mode: str) -> str:
    """What is done to the rows. Raises InputError where `mode` does not go with `kind`."""
    allowed = MODES[kind]
    if mode == "auto":
        return allowed[0]
    if mode not in allowed:
        raise InputError(f"option mode is {mode}: kind {kind} goes with {listed(allowed)}")
    return mode


def amounts(kind: str, batches: int, begin: int, amount: float, period: int) -> list[float]:
    """How much of each batch is changed, in 0..1; 0 is an unchanged batch.

    begin: the first changed batch, from 1. incremental adds `amount` with every batch and stays at 1 once there;
    nonstationary changes `period` batches, leaves `period` as they are, and so on.

    >>> amounts("nonstationary", batches=6, begin=2, amount=0.1, period=2)
    [0.0, 0.1, 0.1, 0.0, 0.0, 0.1]
    """
    if kind == "study":
        return list(STUDY)
    since = [number - begin for number in range(1, batches + 1)]
    if kind == "none":
        return [0.0] * batches
    if kind == "incremental":
        return [round(min(1.0, amount * (age + 1)), 9) if age >= 0 else 0.0 for age in since]
    if kind == "nonstationary":
        return [amount if age >= 0 and age // period % 2 == 0 else 0.0 for age in since]
    return [amount if age >= 0 else 0.0 for age in since]


def spans(changed: Sequence[float]) -> list[tuple[int, int]]:
    """(first, last) of each run of changed batches, counted from 1.

    >>> spans([0, 0.1, 0.1, 0, 0.1])
    [(2, 3), (5, 5)]
    """
    found: list[tuple[int, int]] = []
    for number, amount in enumerate(changed, start=1):
        if not amount:
            continue
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


class StratifiedSampler:
    """Rows drawn by class without replacement, each once before any comes back. No sample holds a row twice.

    >>> sampler = StratifiedSampler(["a", "a", "b"], np.random.default_rng(0))
    >>> [sampler.draw({"a": 1, "b": 1}) for _ in range(3)]
    [[0, 2], [1, 2], [2, 1]]
    """

    def __init__(self, labels: Sequence[str], rng: np.random.Generator) -> None:
        names = np.asarray(labels, dtype=object)
        self.rows = {name: np.flatnonzero(names == name) for name in injections.class_shares(labels)}
        self.left = {name: rng.permutation(rows) for name, rows in self.rows.items()}
        self.rng = rng

    def draw(self, counts: Mapping[str, int]) -> list[int]:
        """`counts` rows of each class, in random order. Raises InputError where a class has fewer."""
        sample: list[int] = []
        for name, count in counts.items():
            if count > len(self.rows[name]):
                raise InputError(
                    f'class "{one_line(name)}" has {len(self.rows[name])} rows and {count} are wanted in one batch: '
                    "lower batch_rows, or the amount where the class shares move"
                )
            taken, self.left[name] = self.left[name][:count], self.left[name][count:]
            if len(taken) < count:
                # A new round, of which this sample gets none of the rows that it holds already.
                again = self.rng.permutation(np.setdiff1d(self.rows[name], taken))
                more, others = again[: count - len(taken)], again[count - len(taken) :]
                self.left[name] = self.rng.permutation(np.concatenate([others, taken]))
                taken = np.concatenate([taken, more])
            sample += taken.tolist()
        return self.rng.permutation(sample).tolist()


@dataclass
class DriftingStream:
    """The batches, made one at a time in their order.

    rows: columns `text` and `label`; foreign_texts: for the mode foreign; most: the largest amount of any batch;
    batch_rows: None is BATCH_ROWS, or as many as leave each class twice the rows that a batch needs.
    A batch's class counts are drawn (multinomial), so that they vary as in any stream.
    """

    rows: pd.DataFrame
    classes: tuple[str, ...]
    mode: str
    most: float
    batch_rows: int | None
    seed: int
    foreign_texts: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.texts: list[str] = self.rows["text"].tolist()
        self.labels: list[str] = self.rows["label"].tolist()
        self.shares = injections.class_shares(self.labels)
        self.sampler = StratifiedSampler(self.labels, np.random.default_rng([self.seed, 0]))
        self.moved = self.shares
        if self.mode == "prior" and self.most:
            self.moved = injections.moved_shares(self.labels, self.most, np.random.default_rng([self.seed, 1]))
        enough = min(len(rows) / max(self.shares[name], self.moved[name]) for name, rows in self.sampler.rows.items())
        self.size = self.batch_rows or max(1, min(BATCH_ROWS, int(enough / 2)))

    def batch(self, number: int, amount: float) -> pd.DataFrame:
        """Batch `number` with `amount` of it changed: columns `text`, `label`."""
        rng = np.random.default_rng([self.seed, 2, number])
        # Part of the way to where the shares are at the most, so that it is the same class that grows.
        way = amount / self.most if self.mode == "prior" and self.most else 0.0
        shares = {name: share + way * (self.moved[name] - share) for name, share in self.shares.items()}
        total = sum(shares.values())
        counts = rng.multinomial(self.size, [share / total for share in shares.values()]).tolist()
        rows = self.sampler.draw(dict(zip(shares, counts, strict=True)))
        texts, labels = [self.texts[row] for row in rows], [self.labels[row] for row in rows]
        if amount:
            texts, labels = self._changed(texts, labels, amount, rng)
        return pd.DataFrame({"text": texts, "label": labels}, dtype=object)

    def _changed(
        self, texts: list[str], labels: list[str], amount: float, rng: np.random.Generator
    ) -> tuple[list[str], list[str]]:
        if self.mode == "foreign":
            return injections.foreign(texts, self.foreign_texts, amount, rng), labels
        if self.mode == "garbled":
            return injections.garble(texts, amount, rng), labels
        if self.mode == "truncated":
            return injections.truncate(texts, amount, rng), labels
        if self.mode in ("concept", "relabel"):
            return texts, injections.redraw_labels(labels, self.classes, amount, rng)
        if self.mode == "delete":
            return injections.delete(texts, labels, amount, rng)
        return texts, labels  # prior: the rows were drawn by other shares
