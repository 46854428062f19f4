"""The files of an attempt: what the challenger is trained on, and the tests that it has to pass."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from newsclf.config import TrainConfig
from newsclf.data import load
from newsclf.errors import InputError
from newsclf.retraining.rows import Mix, Rows, make_rows, usable


@dataclass(frozen=True)
class Past:
    """What the champion was trained on: train and test rows (text, label)."""

    train: pd.DataFrame
    test: pd.DataFrame


@dataclass(frozen=True)
class Attempt:
    """folder: the same for the same attempt. holds: whether the champion's test is still right.

    judges: the tests that decide, as rows.
    """

    folder: Path
    rows: Rows
    holds: bool
    judges: tuple[pd.DataFrame, ...]

    @property
    def train(self) -> Path:
        return self.folder / "train.parquet"

    @property
    def new_test(self) -> Path:
        """The newest labelled rows, which become the reference's idea of what is normal."""
        return self.folder / "new_test.parquet"

    @property
    def old_test(self) -> Path:
        return self.folder / "old_test.parquet"

    @property
    def all_tests(self) -> Path:
        """What the challenger, once it is champion, must not become worse at."""
        return self.folder / "all_tests.parquet"

    @property
    def tests(self) -> dict[str, Path]:
        """The options of promote: where the old test is not right any more, the new one decides alone."""
        if not self.holds:
            return {"old_dataset": self.new_test}
        return {"old_dataset": self.old_test, "new_dataset": self.new_test}


def read_past(options: TrainConfig, fingerprint: str, tests: str) -> Past:
    """Read the champion's rows anew.

    options, fingerprint: of its run of train; tests: its file `all_tests`, where a retraining has made it, else "".
    Raises InputError where the rows are not those that it was trained on.
    """
    dataset = load(options, options.weight_column)
    if fingerprint and dataset.fingerprint != fingerprint:
        raise InputError(
            f"dataset {options.dataset} is not what the champion was trained on (its fingerprint is another): bring "
            "back the rows of that run, or train a champion on those of today"
        )
    kept = Path(tests) if tests else None
    test = pd.read_parquet(kept) if kept and kept.is_file() else usable(dataset.splits["test"])
    train = pd.concat([dataset.splits["train"], dataset.splits["validation"]], ignore_index=True)
    return Past(train[["text", "label"]], test)


def make_attempt(
    folder: Path, past: Past, batches: Sequence[pd.DataFrame], mix: Mix, kind: str, settings: str
) -> Attempt:
    """Write the tables into a folder below `folder`, named by all that the challenger depends on.

    batches: labelled rows (text, label) in the order of time; kind: the drift's; settings: of the training, as text.
    """
    # Where texts are labelled in another way than before, neither old rows nor the old test are right any more.
    holds = kind != "concept"
    rows = make_rows(past.train, past.test, batches, mix, replay=holds)
    parts = [str(pd.util.hash_pandas_object(part, index=False).sum()) for part in (rows.train, rows.test, past.test)]
    name = hashlib.sha256(" ".join([settings, *parts]).encode()).hexdigest()[:16]
    attempt = Attempt(folder / name, rows, holds, (past.test, rows.test) if holds else (rows.test,))
    attempt.folder.mkdir(parents=True, exist_ok=True)
    all_tests = pd.concat([past.test, rows.test], ignore_index=True) if holds else rows.test
    tables = [(attempt.train, rows.train), (attempt.new_test, rows.test), (attempt.old_test, past.test)]
    for path, table in [*tables, (attempt.all_tests, usable(all_tests))]:
        unfinished = path.with_name(f".{path.name}.unfinished")
        table.to_parquet(unfinished, index=False)
        unfinished.replace(path)
    return attempt
