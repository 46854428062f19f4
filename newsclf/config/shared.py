"""Options that several verbs have, each described once."""

import dataclasses
from dataclasses import dataclass

from newsclf.config.fields import batching, data, machine, option, output, run, setting, source

STUDY_GROUPS = ("alt.atheism", "talk.religion.misc", "comp.graphics", "sci.space")
NEWSGROUP_PARTS = ("headers", "footers", "quotes")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Where the run's files go, and how it is tracked."""

    output_dir: str = output("", "folder for result.json and what else is written; empty: outputs/<verb>/<run id>")
    tracking: str = run(
        "auto",
        "where the run is written to; auto: the tracking store, by way of a journal on this machine where that is a "
        "server; offline: the journal alone, until sync",
        choices=("auto", "offline"),
    )
    send_timeout: float = run(
        60,
        "seconds that a run waits at its end for what its server has not got; the rest is left to sync",
        low=0,
        high=1e6,
    )
    log_diff: bool = run(
        True, "log what git has not committed, which `reproduce` needs; lines that look like secrets are masked"
    )


@dataclass(frozen=True, kw_only=True)
class ComputeOptions:
    """Where models compute, and in which arithmetic."""

    device: str = machine(
        "auto", "where to compute; auto: a GPU if there is one", choices=("auto", "cpu", "cuda", "mps")
    )
    precision: str = setting(
        "auto",
        "arithmetic; auto: bf16 on a GPU or a processor that has instructions for it, else fp32",
        choices=("auto", "fp32", "bf16"),
    )


@dataclass(frozen=True, kw_only=True)
class BootstrapOptions:
    """How intervals are estimated."""

    bootstrap_samples: int = setting(2000, "resamples behind the 95 % intervals", low=100, high=100_000)


@dataclass(frozen=True, kw_only=True)
class AlphaOption:
    """How often chance alone may look like a finding."""

    alpha: float = setting(0.05, "false-alarm rate of the whole verdict", low=1e-6, high=0.5)


@dataclass(frozen=True, kw_only=True)
class VerdictOptions(AlphaOption):
    """What it takes to say that texts have drifted."""

    min_rows: int = setting(50, "rows that a verdict needs; with fewer it is: not enough data", low=2)


@dataclass(frozen=True, kw_only=True)
class EmbeddingOption:
    """How texts become points."""

    embedding: str = setting(
        "tokens",
        "how a reference that is fitted to a data set embeds texts: the mean of the encoder's token vectors, or the "
        "encoder itself, which sees new subjects better and takes some 10 ms a text",
        choices=("tokens", "encoder"),
    )


@dataclass(frozen=True, kw_only=True)
class SeedOption:
    """What is drawn by chance."""

    seed: int = option(0, "seed of everything that is drawn by chance", role="seed", low=0, high=2**32 - 1)


@dataclass(frozen=True, kw_only=True)
class DataFolderOption:
    """Where built-in data sets lie."""

    data_dir: str = machine(
        "", "root folder of downloaded data sets; empty: $NEWSCLF_DATA_DIR, else the user's cache folder"
    )


@dataclass(frozen=True, kw_only=True)
class ColumnOptions:
    """Where texts and labels stand in a table."""

    text_column: str = data("text", "name of the text column in a table")
    label_column: str = data("label", "name of the label column in a table; a stream may have none")
    separator: str = data(
        "auto",
        "what stands between the fields of a .csv without commas: a character, or semicolon, tab, pipe; auto: a comma",
    )


@dataclass(frozen=True, kw_only=True)
class IdentityOptions:
    """How rows are told apart in what is left behind."""

    id_column: str = output(
        "",
        "name of a table's column that tells its rows apart, in predictions and tables of texts; empty: file and line",
    )
    keep_columns: tuple[str, ...] = output((), "names of further columns of a table that go with a row there")


@dataclass(frozen=True, kw_only=True)
class BatchOptions(VerdictOptions, ColumnOptions):
    """How a stream is cut in batches, and what a verdict on one needs."""

    batch: str = batching(
        "auto",
        "what a batch is; auto: a file of a folder, a day of a table, an hour of profiles",
        choices=("auto", "file", "hour", "day", "week", "count"),
    )
    batch_rows: int = batching(1000, "rows of a batch where batch is count", low=1)
    date_column: str = batching("date", "name of the date column (ISO 8601); batches by file may have none")


@dataclass(frozen=True, kw_only=True)
class StreamOptions(BatchOptions, ComputeOptions, DataFolderOption, SeedOption):
    """Which stream, and how its batches are made, read and judged."""

    stream: str = source(
        dataclasses.MISSING,
        "a folder, glob or s3://.../ of tables, one table with a date column, or the folder (or s3://.../) of profiles "
        "that a served model writes",
    )


@dataclass(frozen=True, kw_only=True)
class DatasetOption:
    """Which data set; a base of its own, so that it comes first."""

    dataset: str = source(
        "sample",
        "a built-in data set (sample is packaged; README has the others), or a path or s3:// URI: a .csv, .tsv, "
        ".parquet, .jsonl, .ndjson or .json, or a folder, a glob or an s3://.../ of them",
    )


@dataclass(frozen=True, kw_only=True)
class ReadingOptions(SeedOption, DataFolderOption, ColumnOptions):
    """How texts are found and read."""

    categories: tuple[str, ...] = data(STUDY_GROUPS, "20newsgroups: the groups to tell apart, or all")
    remove: tuple[str, ...] = data(
        NEWSGROUP_PARTS, "20newsgroups: parts of a post that are removed", choices=NEWSGROUP_PARTS
    )
    ag_news_reader: str = data(
        "csv", "ag_news: how its files are read (both give the same rows)", choices=("csv", "torchtext")
    )


@dataclass(frozen=True, kw_only=True)
class TextOptions(ReadingOptions, DatasetOption):
    """Which texts."""


@dataclass(frozen=True, kw_only=True)
class DataOptions(TextOptions):
    """Which labelled texts, and how they are split."""

    test_dataset: str | None = source(
        None, "a second table that is the test split (for a table given as dataset); without it one is split off"
    )
    num_samples: int | None = data(
        None, "rows drawn from the training rows, by seed and in proportion to the classes", low=2, none="all"
    )
    val_fraction: float = data(0.1, "share of the training rows kept for validation", low=0.01, high=0.5)
    test_fraction: float = data(0.2, "share of a table that is split off as test rows", low=0.01, high=0.5)
    bad_rows: str = data(
        "error", "rows of a table that cannot be used: end with an error, or drop and count", choices=("error", "drop")
    )


@dataclass(frozen=True, kw_only=True)
class WeightedDataOptions(DataOptions):
    """Which labelled texts to learn from, and what each is left out for."""

    weight_column: str = data(
        "", "name of a table's column of whole numbers: how often a row counts in training; empty: each once"
    )
    folds: int = data(
        1,
        "2 or more: cross-validation over the training and validation rows, a run of its own for each part that is "
        "left out and measured on; the test rows stay out of it",
        low=1,
        high=100,
    )
    fold: int | None = data(None, "of the folds the one that is left out: that run alone", low=1, high=100, none="each")
