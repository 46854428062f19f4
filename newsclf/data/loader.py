"""From the `dataset` option to rows: checked and in three splits, whole, or as they come."""

from collections.abc import Callable, Iterator

import pandas as pd

from newsclf.config import DataOptions, TextOptions, WeightedDataOptions
from newsclf.config.shared import ColumnOptions
from newsclf.data.dataset import SPLITS, Dataset, RawData
from newsclf.data.folds import fold_of_rows, is_cross_validation
from newsclf.data.identity import identity_columns, identity_of
from newsclf.data.row_checks import check_rows
from newsclf.data.sources import ag_news, newsgroups, sample
from newsclf.data.splits import draw, drop_overlap, hold_out, require_rows
from newsclf.data.tables.formats import FORMATS, separator_of
from newsclf.data.tables.location import public_name
from newsclf.data.tables.opening import open_files, open_table
from newsclf.data.tables.row_stream import RowStream, place_names
from newsclf.data.tables.rows import Row
from newsclf.data.tables.table_files import Found, is_table
from newsclf.errors import InputError
from newsclf.messages import did_you_mean, listed, one_line

Source = Callable[[TextOptions], RawData]

# The registry: one entry and one file for each built-in source.
SOURCES: dict[str, Source] = {
    "sample": sample.read,
    "20newsgroups": newsgroups.read,
    "ag_news": ag_news.read,
}


def find_source(dataset: str) -> Source | None:
    """The reader of a built-in source, None for a table. Raises InputError with the nearest name."""
    if dataset not in SOURCES and not is_table(dataset):
        raise InputError(
            f'unknown dataset "{one_line(dataset)}": choose of {listed(SOURCES)}, or a path or s3:// URI '
            f"that ends in {', '.join(FORMATS)}, or a folder of such files{did_you_mean(dataset, SOURCES)}"
        )
    return SOURCES.get(dataset)


def own_split(dataset: str, published: str) -> str:
    """The split that holds the rows of somebody's own table, "all", or of a built-in data set the split `published`.

    Raises InputError for a data set that is neither.

    >>> own_split("news.csv", "test"), own_split("ag_news", "test")
    ('all', 'test')
    """
    return "all" if find_source(dataset) is None else published


def load(options: DataOptions) -> Dataset:
    """Labelled text as `options` asks for it.

    Rows are checked, training rows whose text also stands in the test split are dropped, then `num_samples`
    rows are drawn, and of these the validation split: train and validation together have `num_samples` rows
    (but for the packaged sample, whose validation split is fixed). The same options and files give the same
    splits, row by row. With a `weight_column`, train and validation have the column `weight` (int, 1 or more).
    Raises InputError for all bad input.
    """
    raw = _read(options)
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
    if isinstance(options, WeightedDataOptions) and options.folds > 1 and not is_cross_validation(options):
        pooled = pd.concat([train, validation])
        left_out = fold_of_rows(pooled, classes, options.folds, options.seed) == options.fold
        train, test, makes_validation = pooled[~left_out], pooled[left_out], True
    if makes_validation:
        train, validation = hold_out(train, classes, options.val_fraction, options.seed, "validation")

    # In a test, each row counts once.
    splits = {"train": train, "validation": validation, "test": test.drop(columns="weight", errors="ignore")}
    return _dataset(options, raw, classes, splits, notes)


def load_split(options: DataOptions, split: str) -> Dataset:
    """A data set that has `split`: the splits as `load` makes them, or "all" rows of a table, unsplit.

    Of these, classes are the sorted labels; there may be just one. Raises InputError for all bad input.
    """
    if split != "all":
        return load(options)
    if find_source(options.dataset):
        raise InputError(f"split all is for your own table; {options.dataset} has train, validation and test")
    raw = _read(options)
    rows, notes = check_rows(raw.train, options.bad_rows, raw.source)
    return _dataset(options, raw, tuple(sorted(set(rows["label"]))), {"all": rows}, notes)


def open_stream(options: TextOptions, split: str = "all", date_column: str = "", needs_date: bool = True) -> RowStream:
    """The rows of `options.dataset`, as they are.

    split: of a built-in source, the published train, validation or test rows, or all of them in this order. A table
        has no splits: all.
    date_column: a column of a table with dates (ISO 8601, or of a date type); "" for none. needs_date: False leaves
        it out where the table has none.
    A table without a column "label" has no labels; another `label_column` has to be there.
    Raises InputError for all bad input that can be seen before the rows are read.
    """
    if split not in (*SPLITS, "all"):
        raise InputError(f'split "{one_line(split)}" is unknown: choose of {listed((*SPLITS, "all"))}')
    if source := find_source(options.dataset):
        if date_column and needs_date:
            raise InputError(f'{options.dataset} has no column "{one_line(date_column)}": it has text, label')
        _refuse_identity(options)
        return _published(source(options), options.dataset, split)
    if split != "all":
        raise InputError(f"a table is read whole: split is {split}, but all is the only one that it has")
    columns, optional = _columns(options, date_column, needs_date)
    return open_table(options.dataset, columns, optional, separator=separator_of(options.separator))


def open_batch(
    found: Found, source: str, options: ColumnOptions, date_column: str, one_file: bool, needs_date: bool = False
) -> RowStream:
    """The rows of some files of a stream, as they are; see `open_stream`. source: what messages call them."""
    columns, optional = _columns(options, date_column, needs_date)
    return open_files(found, source, columns, optional, False, separator_of(options.separator), one_file)


def _columns(options: ColumnOptions, date_column: str, needs_date: bool) -> tuple[dict[str, str], list[str]]:
    columns = {"text": options.text_column, "label": options.label_column, **identity_columns(options)}
    columns |= {"date": date_column} if date_column else {}
    return columns, ["label"] * (options.label_column == "label") + ["date"] * (not needs_date)


def _refuse_identity(options: TextOptions) -> None:
    if identity_columns(options):
        raise InputError(
            f"id_column and keep_columns go with your own table; the rows of {options.dataset} are told by their number"
        )


def _published(raw: RawData, dataset: str, split: str) -> RowStream:
    there = {"train": raw.train, "validation": raw.validation, "test": raw.test}
    frames = [frame for name, frame in there.items() if frame is not None and split in (name, "all")]
    if not frames:
        raise InputError(f"{dataset} has no {split} split of its own: choose train, test or all")

    def rows() -> Iterator[Row]:
        for frame in frames:
            for place, text, label in zip(frame.index, frame["text"], frame["label"], strict=True):
                yield place, (text, label)

    return RowStream(dataset, raw.source, ("text", "label"), str(raw.train.index.name), rows)


def _read(options: DataOptions) -> RawData:
    """The rows of a built-in source, or of a table and, where it is given, of `test_dataset` as its test split."""
    weight_column = options.weight_column if isinstance(options, WeightedDataOptions) else ""
    test = options.test_dataset
    if source := find_source(options.dataset):
        if test:
            raise InputError(f"test_dataset goes with your own table; {options.dataset} has its own test split")
        if weight_column:
            raise InputError(f"weight_column goes with your own table; {options.dataset} has no weights")
        _refuse_identity(options)
        return source(options)
    columns = {"text": options.text_column, "label": options.label_column, **identity_columns(options)}
    separator = separator_of(options.separator)
    train = open_table(
        options.dataset, columns | ({"weight": weight_column} if weight_column else {}), (), True, separator
    )
    rows = _all_rows(train)
    other = open_table(test, columns, (), True, separator) if test else None
    return RawData(
        source=public_name(options.dataset),
        train=rows,
        test=_all_rows(other) if other else None,
        tags={"test_source": public_name(test)} if test else {},
        warnings=(*train.remarks, *(other.remarks if other else ())),
    )


def _all_rows(stream: RowStream) -> pd.DataFrame:
    rows = stream.read()
    return rows.assign(text=rows["text"].fillna(""), place=place_names(rows, stream.source))


def _dataset(
    options: DataOptions, raw: RawData, classes: tuple[str, ...], splits: dict[str, pd.DataFrame], notes: dict[str, int]
) -> Dataset:
    kept = {
        name: rows[[column for column in ("text", "label", "weight") if column in rows]].reset_index(drop=True)
        for name, rows in splits.items()
    }
    return Dataset(
        name=options.dataset if options.dataset in SOURCES else raw.source,
        classes=classes,
        splits=kept,
        source=raw.source,
        notes=notes,
        warnings=raw.warnings,
        tags=raw.tags,
        identity={name: identity_of(rows) for name, rows in splits.items()},
    )
