"""The streams of `benchmarks.retrain`: a data set, cut into training, test and stream rows, that changes.

The batches are made by the code behind `simulate`; but for "new topics" and "two classes swapped", which it does not
know, and which are two of its calm streams behind one another.
"""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from newsclf.config import TrainConfig
from newsclf.data import load
from newsclf.data.simulation.drifting_stream import DriftingStream, amounts

TRAIN, TEST, BATCH, BATCHES, BEGIN, CALM = 4000, 1000, 250, 30, 7, 100
MOST_ROWS = 25_000  # so many that a text comes but once in a stream, where the data set has them
# Kind and mode as simulate has them, and the amount.
CHANGES = {
    "garbled, half of the rows": ("sudden", "garbled", 0.5),
    "garbled, 5 % more a batch": ("incremental", "garbled", 0.05),
    "garbled, 5 batches of 10": ("nonstationary", "garbled", 0.5),
    "second halves lost": ("covariate", "truncated", 1.0),
    "foreign texts, 30 %": ("covariate", "foreign", 0.3),
    "class shares by 40 points": ("prior", "prior", 0.4),
    "labels at random, 30 %": ("concept", "concept", 0.3),
}


@dataclass(frozen=True)
class World:
    """train, test, batches: frames with text and label; begin: the first changed batch, from 0; spare: more rows like
    train, on which a promoted model is compared with the one before; old_rows_hold: whether their labels stay right."""

    name: str
    train: pd.DataFrame
    test: pd.DataFrame
    batches: list[pd.DataFrame]
    begin: int
    spare: pd.DataFrame
    old_rows_hold: bool = True


def worlds(data_dir: Path, repeats: int, only: str) -> Iterator[World]:
    """All streams whose name holds `only`, those without a change `repeats` times."""
    news = _rows(TrainConfig(dataset="ag_news", data_dir=str(data_dir)))
    posts = _rows(TrainConfig(dataset="20newsgroups", data_dir=str(data_dir), categories=("all",)))
    makers: dict[str, Callable[[str], World]] = {}
    for data, rows, others in (("AG News", news, posts), ("20 Newsgroups", posts, news)):
        foreign = others["text"].tolist()[:5000]
        for name, (kind, mode, amount) in CHANGES.items():
            changed = amounts(kind, BATCHES, BEGIN, amount, 5)
            makers[f"{data}: {name}"] = partial(_world, rows, mode, changed, 0, foreign)
        makers[f"{data}: two classes swapped"] = partial(_swapped, rows)
        for seed in range(repeats):
            makers[f"{data}: nothing, {CALM} batches, {seed}"] = partial(_world, rows, "none", [0.0] * CALM, seed, [])
    makers["20 Newsgroups: new topics"] = partial(_new_topics, posts)
    for name, make in makers.items():
        if only in name:
            yield make(name)


def _rows(config: TrainConfig) -> pd.DataFrame:
    whole = pd.concat(load(config).splits.values(), ignore_index=True).drop_duplicates("text")
    return whole.sample(frac=1, random_state=0).iloc[:MOST_ROWS].reset_index(drop=True)


def _world(rows: pd.DataFrame, mode: str, changed: list[float], seed: int, foreign: list[str], name: str) -> World:
    train, test, rest = _parts(rows, seed)
    stream = DriftingStream(rest, _classes(rows), mode, max(changed), BATCH, seed, foreign)
    batches = [stream.batch(number, amount) for number, amount in enumerate(changed, start=1)]
    begin = next((place for place, amount in enumerate(changed) if amount), len(changed))
    return World(name, train, test, batches, begin, rest)


def _swapped(rows: pd.DataFrame, name: str) -> World:
    first, second = _classes(rows)[:2]
    calm = _world(rows, "none", [0.0] * BATCHES, 0, [], name)
    swapped = {first: second, second: first}
    changed = [batch.assign(label=batch["label"].replace(swapped)) for batch in calm.batches[BEGIN - 1 :]]
    return dataclasses.replace(calm, batches=calm.batches[: BEGIN - 1] + changed, begin=BEGIN - 1, old_rows_hold=False)


def _new_topics(rows: pd.DataFrame, name: str) -> World:
    """Classes are the groups' first words; every other group of a class comes up in the stream alone."""
    desks = rows["label"].str.partition(".")[0]
    groups = rows.groupby(desks)["label"].unique().map(sorted)
    groups = groups[groups.map(len) > 1]
    late = {group for names in groups for group in names[1::2]}
    kept = rows.assign(late=rows["label"].isin(late), label=desks)[desks.isin(groups.index).to_numpy()]
    known = kept.loc[~kept["late"], ["text", "label"]].reset_index(drop=True)
    new = kept.loc[kept["late"], ["text", "label"]].reset_index(drop=True)
    train, test, rest = _cut(known, np.arange(len(known)), TRAIN)
    calm, changed = (DriftingStream(part, _classes(part), "none", 0.0, BATCH, 0) for part in (rest, new))
    batches = [(calm if number < BEGIN else changed).batch(number, 0.0) for number in range(1, BATCHES + 1)]
    return World(name, train, test, batches, BEGIN - 1, rest)


def _parts(rows: pd.DataFrame, seed: int) -> list[pd.DataFrame]:
    order = np.random.default_rng([seed, 9]).permutation(len(rows))
    return _cut(rows, order, TRAIN)


def _cut(rows: pd.DataFrame, order: np.ndarray, size: int) -> list[pd.DataFrame]:
    """`size` rows, TEST rows, the rest."""
    return [rows.iloc[part].reset_index(drop=True) for part in np.split(order, [size, size + TEST])]


def _classes(rows: pd.DataFrame) -> tuple[str, ...]:
    return tuple(sorted(set(rows["label"])))
