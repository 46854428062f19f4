"""From the `dataset` option to checked rows in three splits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from newsclf.data.dataset import Dataset, RawData
from newsclf.data.row_checks import check_rows
from newsclf.data.sources import ag_news, newsgroups, sample
from newsclf.data.splits import draw, drop_overlap, hold_out, require_rows
from newsclf.data.tables import table
from newsclf.errors import InputError
from newsclf.messages import did_you_mean, listed, one_line

if TYPE_CHECKING:
    from newsclf.config import DataOptions

Source = Callable[["DataOptions"], RawData]

# The registry: one entry and one file for each built-in source.
SOURCES: dict[str, Source] = {
    "sample": sample.read,
    "20newsgroups": newsgroups.read,
    "ag_news": ag_news.read,
}


def find_source(dataset: str) -> Source:
    """The reader of a built-in source or of a table. Raises InputError with the nearest name."""
    if dataset in SOURCES:
        return SOURCES[dataset]
    if table.is_table(dataset):
        return table.read
    raise InputError(
        f'unknown dataset "{one_line(dataset)}": choose of {listed(SOURCES)}, or a path or s3:// URI '
        f"that ends in {', '.join(table.READERS)}{did_you_mean(dataset, SOURCES)}"
    )


def load(options: DataOptions, weight_column: str = "") -> Dataset:
    """Labelled text as `options` asks for it.

    Rows are checked, training rows whose text also stands in the test split are dropped, then `num_samples`
    rows are drawn, and of these the validation split: train and validation together have `num_samples` rows
    (but for the packaged sample, whose validation split is fixed). The same options and files give the same
    splits, row by row. weight_column: of a table; then train and validation have the column `weight` (int, 1 or more).
    Raises InputError for all bad input.
    """
    read = find_source(options.dataset)
    if options.test_dataset and read is not table.read:
        raise InputError(f"test_dataset goes with your own table; {options.dataset} has its own test split")
    if weight_column and read is not table.read:
        raise InputError(f"weight_column goes with your own table; {options.dataset} has no weights")
    raw = table.read(options, weight_column) if weight_column else read(options)

    train, notes = check_rows(raw.train, "drop" if raw.published else options.bad_rows, raw.source)
    test = raw.test
    if test is not None and not raw.published:
        test, dropped = check_rows(test, options.bad_rows, raw.tags.get("test_source", raw.source))
        notes |= {f"test_{reason}": n for reason, n in dropped.items()}

    classes = raw.classes or tuple(sorted(set(train["label"])))
    if len(classes) < 2:
        raise InputError(f"{raw.source} has one class only ({listed(classes)}); a classifier needs two")
    makes_validation = raw.validation is None and options.val_fraction > 0
    # Rows of each class that are needed before validation is split off.
    least = 2 if makes_validation else 1

    if test is None:
        require_rows(train, classes, least + 1, "to have it in every split")
        train, test = hold_out(train, classes, options.test_fraction, options.seed, "test", keep=least)
    if strangers := sorted(set(test["label"]) - set(classes)):
        raise InputError(f"labels in the test split only: {listed(strangers)}; add training rows or drop these")
    train, notes["train_rows_also_in_test"] = drop_overlap(train, test)
    require_rows(train, classes, least, "for training, without the texts of the test split")

    if options.num_samples is not None:
        train = draw(train, classes, options.num_samples, options.seed, least)
    validation = train.iloc[:0] if raw.validation is None else raw.validation
    if makes_validation:
        train, validation = hold_out(train, classes, options.val_fraction, options.seed, "validation")

    # In a test, each row counts once.
    splits = {"train": train, "validation": validation, "test": test[["text", "label"]]}
    return Dataset(
        name=options.dataset if options.dataset in SOURCES else raw.source,
        classes=classes,
        splits={name: _tidy(split) for name, split in splits.items()},
        source=raw.source,
        notes=notes,
        warnings=raw.warnings,
        tags=raw.tags,
    )


def load_whole(options: DataOptions) -> Dataset:
    """All rows of a table, unsplit, as the one split `all`: for evaluation on rows of their own.

    Classes are the sorted labels; there may be just one. Raises InputError for all bad input.
    """
    if find_source(options.dataset) is not table.read:
        raise InputError(f"split all is for your own table; {options.dataset} has train, validation and test")
    raw = table.read(options)
    rows, notes = check_rows(raw.train, options.bad_rows, raw.source)
    return Dataset(
        name=raw.source,
        classes=tuple(sorted(set(rows["label"]))),
        splits={"all": _tidy(rows)},
        source=raw.source,
        notes=notes,
        warnings=raw.warnings,
        tags=raw.tags,
    )


def _tidy(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[[name for name in ("text", "label", "weight") if name in rows]].reset_index(drop=True)
