"""The rows that a challenger is trained on, and those that it is tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from newsclf.config import RetrainConfig
from newsclf.data.splits import drop_overlap, fold

MIN_ROWS_OF_A_CLASS = 3  # training, validation, and one to spare
MAX_TEST_ROWS = 1000  # more rows tell little more of which model is better, and are missed in training


@dataclass(frozen=True)
class MixOptions:
    """The options of the same names, see RetrainConfig."""

    replay_share: float
    weight: int
    test_share: float
    seed: int

    @classmethod
    def of(cls, config: RetrainConfig) -> MixOptions:
        return cls(config.replay_share, config.weight, config.test_share, config.seed)


@dataclass(frozen=True)
class TrainingRows:
    """train: columns text, label, weight; test: the newest labelled rows, text and label.

    old_rows, new_rows: how many of `train` are of the champion's training rows, which count once, and of the stream,
    which count by the mix's weight; rare: classes of which there were too few rows, which were left out.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    old_rows: int
    new_rows: int
    rare: tuple[str, ...]


def usable(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows (text, label) that have both, each text once: with its newest label."""
    labelled = rows[rows["label"].notna() & rows["text"].notna()]
    labelled = labelled[labelled["text"].str.strip() != ""]
    labelled = labelled.assign(label=labelled["label"].astype(str))
    newest = ~fold(labelled["text"]).duplicated(keep="last").to_numpy()
    return labelled[newest][["text", "label"]].reset_index(drop=True)


def unknown(test: pd.DataFrame, trained: pd.DataFrame) -> pd.DataFrame:
    """The test rows that the champion, who was trained on `trained`, does not know by heart, with that very label."""
    pairs = [set(zip(fold(rows["text"]), rows["label"], strict=True)) for rows in (test, trained)]
    known = pairs[0] & pairs[1]
    new = [pair not in known for pair in zip(fold(test["text"]), test["label"], strict=True)]
    return test[np.array(new, dtype=bool)]


def make_rows(
    old: pd.DataFrame, tests: pd.DataFrame, batches: Sequence[pd.DataFrame], mix: MixOptions, replay: bool
) -> TrainingRows:
    """Mix the champion's training rows with the batches' labelled rows, and hold out the newest of these.

    old: text, label; tests: the rows (text, label) by which the champion is judged, which must not be trained on;
    batches: text, label, in the order of time. Of the batch that is held out in part, the rows are drawn by the seed:
    inside a batch no order is known. replay: False leaves the old rows out, where their labels are not true any more.
    """
    random = np.random.default_rng(mix.seed)
    shuffled = [batch.iloc[random.permutation(len(batch))] for batch in batches]
    new = usable(pd.concat(shuffled, ignore_index=True))
    held = min(round(mix.test_share * len(new)), MAX_TEST_ROWS)
    test = unknown(new.iloc[len(new) - held :], old).reset_index(drop=True)
    new, _ = drop_overlap(new.iloc[: len(new) - held], tests)
    old, _ = drop_overlap(old[["text", "label"]], pd.concat([tests, test, new], ignore_index=True))
    count = round(mix.replay_share * len(old)) if replay else 0
    old = old.iloc[np.sort(random.permutation(len(old))[:count])]
    kept = pd.concat([old, new])["label"].value_counts()
    common = set(kept.index[kept >= MIN_ROWS_OF_A_CLASS])
    rare = sorted((set(new["label"]) | set(test["label"])) - common)
    old, new, test = (part[part["label"].isin(common)] for part in (old, new, test))
    train = pd.concat([old.assign(weight=1), new.assign(weight=mix.weight)], ignore_index=True)
    return TrainingRows(train, test.reset_index(drop=True), len(old), len(new), tuple(rare))


def with_later(test: pd.DataFrame, train: pd.DataFrame, batches: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """A model's test rows and those of later batches that it does not know, of classes that it knows.

    train: what it was trained on, the champion's rows among it.
    """
    later, _ = drop_overlap(usable(pd.concat(batches, ignore_index=True)), train)
    return usable(pd.concat([test, later[later["label"].isin(set(train["label"]))]], ignore_index=True))
