"""The files of an attempt: what the challenger is trained on, and the tests that it has to pass."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from newsclf.config import TrainConfig
from newsclf.data import load
from newsclf.errors import InputError
from newsclf.files import in_one_step
from newsclf.retraining.training_rows import MixOptions, TrainingRows, make_rows, usable, with_later


@dataclass(frozen=True)
class ChampionRows:
    """What the champion was trained on: train and test rows (text, label)."""

    train: pd.DataFrame
    test: pd.DataFrame


@dataclass(frozen=True)
class Attempt:
    """folder: the same for the same attempt; kind: the drift's; later: whether rows that came later test it, too."""

    folder: Path
    kind: str
    later: bool = False

    @property
    def holds(self) -> bool:
        """Whether the champion's rows and test are still right: not where texts are labelled in another way."""
        return self.kind != "concept"

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
        """What the challenger, once it is champion, must not become worse at, and what is not trained on: not the rows
        of later_test, which the next attempt is to learn from."""
        return self.folder / "all_tests.parquet"

    @property
    def later_test(self) -> Path:
        """new_test and the labelled rows that have come since."""
        return self.folder / "later_test.parquet"

    @property
    def tests(self) -> dict[str, Path]:
        """The options of promote: where the old test is not right any more, the new one decides alone."""
        new = self.later_test if self.later else self.new_test
        return {"old_dataset": self.old_test, "new_dataset": new} if self.holds else {"old_dataset": new}

    def judges(self) -> list[pd.DataFrame]:
        """The tests that decide, as rows."""
        return [pd.read_parquet(test) for test in self.tests.values()]


def champion_rows(options: TrainConfig, fingerprint: str, tests: str) -> ChampionRows:
    """Read the champion's rows anew.

    options, fingerprint: of its run of train; tests: its file `all_tests`, where a retraining has made it, else "".
    Raises InputError where the rows are not those that it was trained on.
    """
    dataset = load(options)
    if fingerprint and dataset.fingerprint != fingerprint:
        raise InputError(
            f"dataset {options.dataset} is not what the champion was trained on (its fingerprint is another): bring "
            "back the rows of that run, or train a champion on those of today"
        )
    kept = Path(tests) if tests else None
    test = pd.read_parquet(kept) if kept and kept.is_file() else usable(dataset.splits["test"])
    train = pd.concat([dataset.splits["train"], dataset.splits["validation"]], ignore_index=True)
    return ChampionRows(train[["text", "label"]], test)


def make_attempt(
    folder: Path, past: ChampionRows, batches: Sequence[pd.DataFrame], mix: MixOptions, kind: str, settings: str
) -> tuple[Attempt, TrainingRows]:
    """Write the tables into a folder below `folder`, named by all that the challenger depends on.

    batches: labelled rows (text, label) in the order of time; kind: the drift's; settings: of the training, as text.
    """
    attempt = Attempt(folder, kind)
    rows = make_rows(past.train, past.test, batches, mix, replay=attempt.holds)
    parts = [str(pd.util.hash_pandas_object(part, index=False).sum()) for part in (rows.train, rows.test, past.test)]
    name = hashlib.sha256(" ".join([settings, *parts]).encode()).hexdigest()[:16]
    attempt = Attempt(folder / name, kind)
    attempt.folder.mkdir(parents=True, exist_ok=True)
    _write(attempt.train, rows.train)
    _write(attempt.new_test, rows.test)
    _write(attempt.old_test, past.test)
    all_tests = pd.concat([past.test, rows.test], ignore_index=True) if attempt.holds else rows.test
    _write(attempt.all_tests, usable(all_tests))
    return attempt, rows


def tested_later(folder: Path, kind: str, batches: Sequence[pd.DataFrame]) -> Attempt:
    """An earlier attempt, tested by what it held out and by labelled rows that came since."""
    attempt = Attempt(folder, kind, later=True)
    train, test = pd.read_parquet(attempt.train), pd.read_parquet(attempt.new_test)
    _write(attempt.later_test, with_later(test, train, batches))
    return attempt


def _write(path: Path, table: pd.DataFrame) -> None:
    with in_one_step(path) as unfinished:
        table.to_parquet(unfinished, index=False)
