"""How often `Reference.judge` says drift, and names the right kind, where a change was put in on purpose.

Batches of 1,000 texts against references of 5,000, both drawn from one pool, so that nothing else has changed. Every
reference is used for a few batches and then drawn anew.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from benchmarks.drift_rivals import rivals
from benchmarks.tables import show
from newsclf.config import TrainConfig
from newsclf.data import load
from newsclf.data.simulation import injections
from newsclf.drift import Reference, Verdict, fit_reference

REFERENCE, BATCH = 5000, 1000
REFERENCES = 10  # drawn anew for the repeats of a case
RIVAL_BATCHES = 20  # of a case

Batch = tuple[list[str], list[str] | None]


@dataclass(frozen=True)
class Pool:
    """A data set whose rows are one sample: its texts and labels in random order; foreign texts from another one."""

    name: str
    texts: np.ndarray
    labels: np.ndarray
    foreign: list[str]


@dataclass(frozen=True)
class Case:
    """What is put into a batch; make takes the pool, the rows that are left, and a generator."""

    name: str
    kind: str | None
    labelled: bool
    target: float
    make: Callable[[Pool, np.ndarray, np.random.Generator], Batch]


def pools(data_dir: Path) -> list[Pool]:
    """AG News with posts as foreign texts, 20 Newsgroups (metadata removed) with news as foreign texts."""
    news = _whole(TrainConfig(dataset="ag_news", data_dir=str(data_dir)))
    posts = _whole(TrainConfig(dataset="20newsgroups", data_dir=str(data_dir), categories=("all",)))
    return [_pool("AG News", news, posts), _pool("20 Newsgroups", posts, news)]


def _whole(config: TrainConfig) -> pd.DataFrame:
    return pd.concat(load(config).splits.values(), ignore_index=True).drop_duplicates("text")


def _pool(name: str, own: pd.DataFrame, foreign: pd.DataFrame) -> Pool:
    return Pool(name, own["text"].to_numpy(object), own["label"].to_numpy(object), foreign["text"].tolist())


def _drawn(labels: list[str], shares: dict[str, float], random: np.random.Generator) -> list[int]:
    """BATCH rows with these class shares, to the nearest row by largest remainder, in random order."""
    counts = {name: int(share * BATCH) for name, share in shares.items()}
    by_remainder = sorted(shares, key=lambda name: counts[name] - shares[name] * BATCH)
    for name in by_remainder[: BATCH - sum(counts.values())]:
        counts[name] += 1
    places = np.asarray(labels, dtype=object)
    drawn = [random.choice(np.flatnonzero(places == name), count, replace=False) for name, count in counts.items()]
    return random.permutation(np.concatenate(drawn)).tolist()


def cases() -> list[Case]:
    """The lines of the table, with the share of batches in which drift must be said (nothing: at most)."""

    def plain(pool: Pool, rows: np.ndarray, random: np.random.Generator) -> Batch:
        chosen = random.choice(rows, BATCH, replace=False)
        return pool.texts[chosen].tolist(), pool.labels[chosen].tolist()

    def foreign(share: float) -> Callable[..., Batch]:
        def make(pool: Pool, rows: np.ndarray, random: np.random.Generator) -> Batch:
            texts, labels = plain(pool, rows, random)
            return injections.foreign(texts, pool.foreign, share, random), labels

        return make

    def garbled(pool: Pool, rows: np.ndarray, random: np.random.Generator) -> Batch:
        texts, labels = plain(pool, rows, random)
        return injections.garble(texts, 0.1, random), labels

    def cut(pool: Pool, rows: np.ndarray, random: np.random.Generator) -> Batch:
        texts, labels = plain(pool, rows, random)
        return injections.truncate(texts, 0.1, random), labels

    def shares(pool: Pool, rows: np.ndarray, random: np.random.Generator) -> Batch:
        labels = pool.labels[rows].tolist()
        chosen = rows[_drawn(labels, injections.moved_shares(labels, 0.1, random), random)]
        return pool.texts[chosen].tolist(), pool.labels[chosen].tolist()

    def relabelled(pool: Pool, rows: np.ndarray, random: np.random.Generator) -> Batch:
        texts, labels = plain(pool, rows, random)
        assert labels is not None
        return texts, injections.redraw_labels(labels, sorted(set(pool.labels)), 0.1, random)

    return [
        Case("nothing, labels", None, True, 0.05, plain),
        Case("nothing, no labels", None, False, 0.05, plain),
        Case("5 % foreign texts", "covariate", False, 0.90, foreign(0.05)),
        Case("10 % foreign texts", "covariate", False, 0.99, foreign(0.10)),
        Case("10 % garbled", "covariate", False, 0.95, garbled),
        Case("10 % cut in half", "covariate", False, 0.80, cut),
        Case("class shares by 10 points, labels", "prior", True, 0.95, shares),
        Case("class shares by 10 points, no labels", "prior", False, 0.80, shares),
        Case("10 % of labels at random", "concept", True, 0.95, relabelled),
    ]


def draw_reference(pool: Pool, random: np.random.Generator, seed: int) -> tuple[Reference, np.ndarray, np.ndarray]:
    """A reference of REFERENCE rows, these rows, and the rows that are left."""
    order = random.permutation(len(pool.texts))
    rows, rest = order[:REFERENCE], order[REFERENCE:]
    return fit_reference(pool.texts[rows].tolist(), pool.labels[rows].tolist(), seed=seed), rows, rest


def detection(pool: Pool, repeats: int, seed: int, only: str) -> list[list[str]]:
    """Lines of the table: each case's share of batches with drift, and of these the share with the right kind.

    The rivals, which cannot name a kind, see the same batches, but no more than RIVAL_BATCHES of a case.
    """
    random = np.random.default_rng(seed)
    chosen = [case for case in cases() if only in case.name]
    verdicts: dict[str, list[Verdict]] = defaultdict(list)
    others: dict[tuple[str, str], list[bool]] = defaultdict(list)
    seconds: dict[str, list[float]] = defaultdict(list)
    for number in range(REFERENCES):
        reference, rows, rest = draw_reference(pool, random, number)
        texts, labels = pool.texts[rows].tolist(), pool.labels[rows].tolist()
        fitted = {name: fit(texts, labels) for name, fit in rivals().items()}
        for case in chosen:
            count = (4 if case.kind is None else 1) * repeats // REFERENCES
            for place in range(count):
                batch, marks = case.make(pool, rest, random)
                given = marks if case.labelled else None
                began = time.perf_counter()
                verdicts[case.name].append(reference.judge(batch, given))
                seconds["ours"].append(time.perf_counter() - began)
                for name, says in fitted.items() if place < RIVAL_BATCHES // REFERENCES else ():
                    began = time.perf_counter()
                    others[case.name, name].append(says(batch, given))
                    seconds[name].append(time.perf_counter() - began)
    times = ", ".join(f"{name} {median(taken):.2f}" for name, taken in seconds.items())
    print(f"{pool.name}, median seconds a batch: {times}", flush=True)
    return [
        [*_line(pool, case, verdicts[case.name]), *(f"{np.mean(others[case.name, name]):.0%}" for name in rivals())]
        for case in chosen
    ]


def _line(pool: Pool, case: Case, verdicts: Sequence[Verdict]) -> list[str]:
    said = [verdict for verdict in verdicts if verdict.drifted]
    named = "-"
    if case.kind and said:
        named = f"{np.mean([verdict.kind == case.kind for verdict in said]):.0%} (>= 90%)"
    sign = "<=" if case.kind is None else ">="
    share = f"{len(said) / len(verdicts):.1%} ({sign} {case.target:.0%})"
    return [pool.name, case.name, str(len(verdicts)), share, named]


def main(data_dir: Path, only: str = "", repeats: int = 50) -> None:
    lines = [line for pool in pools(data_dir) for line in detection(pool, repeats, 0, only)]
    show(
        f"Drift verdicts: reference {REFERENCE:,} texts, batches of {BATCH:,} (targets in brackets)",
        ["data", "put in", "batches", "says drift", "names the kind", *rivals()],
        lines,
    )
