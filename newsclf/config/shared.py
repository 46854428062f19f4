"""Options that several verbs have."""

from __future__ import annotations

from dataclasses import dataclass

from newsclf.config.options import option

STUDY_GROUPS = ("alt.atheism", "talk.religion.misc", "comp.graphics", "sci.space")
NEWSGROUP_PARTS = ("headers", "footers", "quotes")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How the run is tracked."""

    tracking: str = option(
        "auto",
        "where the run is written to; auto: the tracking store, by way of a journal on this machine where that is a "
        "server; offline: the journal alone, until sync",
        choices=("auto", "offline"),
    )
    send_timeout: float = option(
        60,
        "seconds that a run waits at its end for what its server has not got; the rest is left to sync",
        low=0,
        high=1e6,
    )


@dataclass(frozen=True, kw_only=True)
class DatasetOption:
    """Which data set; a base of its own, so that it comes first."""

    dataset: str = option(
        "sample", "sample, 20newsgroups, ag_news, or a path or s3:// URI ending in .csv, .parquet or .jsonl"
    )


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """How texts are found and read."""

    data_dir: str = option(
        "",
        "root folder of 20newsgroups/ and ag_news/; empty: $NEWSCLF_DATA_DIR, else the user's cache folder",
    )
    text_column: str = option("text", "name of the text column in a table")
    label_column: str = option("label", "name of the label column in a table")
    categories: tuple[str, ...] = option(STUDY_GROUPS, "20newsgroups: the groups to tell apart, or all")
    remove: tuple[str, ...] = option(
        NEWSGROUP_PARTS, "20newsgroups: parts of a post that are removed", choices=NEWSGROUP_PARTS
    )
    ag_news_reader: str = option(
        "csv", "ag_news: how its files are read (both give the same rows)", choices=("csv", "torchtext")
    )
    seed: int = option(0, "seed of everything that is drawn by chance", low=0, high=2**32 - 1)


@dataclass(frozen=True, kw_only=True)
class TextOptions(ReadingOptions, DatasetOption):
    """Which texts."""


@dataclass(frozen=True, kw_only=True)
class DataOptions(TextOptions):
    """Which labelled texts, and how they are split."""

    test_dataset: str | None = option(
        None,
        "a second table that is the test split (for a table given as dataset); without it one is split off",
    )
    num_samples: int | None = option(
        None, "rows drawn from the training rows, by seed and in proportion to the classes", low=2, none="all"
    )
    val_fraction: float = option(0.1, "share of the training rows kept for validation", low=0.01, high=0.5)
    test_fraction: float = option(0.2, "share of a table that is split off as test rows", low=0.01, high=0.5)
    bad_rows: str = option(
        "error",
        "rows of a table that cannot be used: end with an error, or drop and count",
        choices=("error", "drop"),
    )
