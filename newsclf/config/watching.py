"""Options of the verbs that watch texts."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from newsclf.config.options import option
from newsclf.config.shared import DataOptions, RunOptions, TextOptions


@dataclass(frozen=True, kw_only=True)
class ProfileConfig(RunOptions, TextOptions):
    """Profile texts, with or without labels, and judge whether they have drifted from a reference."""

    split: str = option(
        "all",
        "rows of 20newsgroups, ag_news or sample that are profiled",
        choices=("train", "validation", "test", "all"),
    )
    reference: str = option(
        "",
        "what is normal: a run id, runs:/..., models:/<name>@<alias>, a folder with a reference, a profile.bin, or a "
        "dataset or table; empty: nothing is compared",
    )
    model: str | None = option(None, "a logged model whose predictions are profiled: runs:/<run id>/model, models:/...")
    embedding: str = option(
        "tokens",
        "how a reference that is fitted to a data set embeds texts: the mean of the encoder's token vectors, or the "
        "encoder itself, which sees new subjects better and takes some 10 ms a text",
        choices=("tokens", "encoder"),
    )
    embedded_rows: int = option(
        1000, "rows, drawn evenly, that the embedding map and the model read; all rows are counted", low=50, high=10**6
    )
    min_rows: int = option(50, "rows that a verdict needs; with fewer it is: not enough data", low=2)
    alpha: float = option(0.05, "false-alarm rate of the whole verdict", low=1e-6, high=0.5)
    write_to: str = option(
        "none", "where profile.bin is sent as well: a path, s3://bucket/key, or whylabs (a platform that you host)"
    )
    device: str = option(
        "auto", "where the model computes; auto: a GPU if there is one", choices=("auto", "cpu", "cuda", "mps")
    )
    output_dir: str = option("", "folder for profile.bin, report.html and result.json; empty: outputs/profile/<run id>")


@dataclass(frozen=True, kw_only=True)
class SimulateConfig(RunOptions, DataOptions):
    """Write a stream of dated batches in which the data changes in a known way, and the truth beside it."""

    kind: str = option(
        dataclasses.MISSING,
        "what happens: study (seven days), sudden, incremental, nonstationary (comes and goes), covariate, prior, "
        "concept (these three sudden as well), or none",
        choices=("study", "sudden", "incremental", "covariate", "prior", "concept", "nonstationary", "none"),
    )
    mode: str = option(
        "auto",
        "what is done to the rows; auto: delete in study, else what the kind says, else foreign",
        choices=("auto", "foreign", "garbled", "truncated", "prior", "concept", "delete", "relabel"),
    )
    amount: float | None = option(
        None,
        "share of a changed batch's rows, or points that its class shares move by, from 0 to 1; in incremental: more "
        "with every batch; auto: 0.1, incremental 0.01",
        low=0,
        high=1,
        none="auto",
    )
    begin: int | None = option(
        None, "first batch that is changed, from 1; auto: the one after half of them", low=1, none="auto"
    )
    period: int = option(5, "nonstationary: batches that are changed, and then batches that are not", low=1)
    batches: int | None = option(None, "batches in the stream; auto: 40, in study 7", low=1, high=100_000, none="auto")
    batch_rows: int | None = option(
        None, "rows of a batch; auto: 1,000, or half of what the rows allow", low=1, none="auto"
    )
    start_date: str = option("2026-01-01", "date of the first batch (YYYY-MM-DD); the others follow day by day")
    split: str = option(
        "test",
        "which rows of the dataset the stream is made of; reference/ gets the training rows",
        choices=("validation", "test"),
    )
    foreign_dataset: str = option(
        "auto",
        "where foreign texts come from: a dataset, or held_out (the last class, which then is in no batch); auto: "
        "20newsgroups for ag_news, ag_news for 20newsgroups, else held_out",
    )
    output_dir: str = option("", "folder for batches, truth.json and reference/; empty: outputs/simulate/<run id>")


@dataclass(frozen=True, kw_only=True)
class MonitorConfig(RunOptions):
    """Judge a stream batch by batch against a reference, and raise alerts."""

    stream: str = option(
        dataclasses.MISSING,
        "a folder of tables (.csv, .parquet, .jsonl), one table with a date column, or the folder (or s3://.../) of "
        "profiles that a served model writes",
    )
    reference: str = option(
        dataclasses.MISSING,
        "what is normal: a run id, runs:/..., models:/<name>@<alias>, a folder with a reference, or a dataset or table",
    )
    monitors: tuple[dict[str, Any], ...] = option(
        (), "what raises an alert: a list in a YAML file (see configs/monitors/); none watches nothing"
    )
    windows: tuple[dict[str, Any], ...] = option(
        (), "time spans that are taken as normal: a list of from, to and name in a YAML file"
    )
    batch: str = option(
        "auto",
        "what a batch is; auto: a file of a folder, a day of a table, an hour of profiles",
        choices=("auto", "file", "hour", "day", "week", "count"),
    )
    batch_rows: int = option(1000, "rows of a batch where batch is count", low=1)
    min_rows: int = option(50, "rows that a batch needs; a smaller one gets the verdict: not enough data", low=2)
    alpha: float = option(0.05, "false-alarm rate of a batch's whole verdict", low=1e-6, high=0.5)
    embedding: str = option(
        "tokens",
        "how a reference that is fitted to a data set embeds texts: the mean of the encoder's token vectors, or the "
        "encoder itself, which sees new subjects better and takes some 10 ms a text",
        choices=("tokens", "encoder"),
    )
    text_column: str = option("text", "name of the text column")
    label_column: str = option("label", "name of the label column; a stream may have none")
    date_column: str = option("date", "name of the date column (ISO 8601); batches by file may have none")
    fail_on: str = option(
        "never",
        "exit with code 3 when a monitor of this severity, or a worse one, is in alert",
        choices=("never", "warning", "critical"),
    )
    notify: str = option(
        "NEWSCLF_NOTIFY",
        "name of the environment variable that holds the apprise URLs to notify, separated by spaces; the URLs are "
        "secrets and so are no option",
    )
    data_dir: str = option(
        "",
        "root folder of 20newsgroups/ and ag_news/, where one is the reference; empty: as in train",
    )
    seed: int = option(0, "seed of the reference and of what is sampled", low=0, high=2**32 - 1)
    device: str = option(
        "auto",
        "where the reference's model computes, if it has one; auto: a GPU if there is one",
        choices=("auto", "cpu", "cuda", "mps"),
    )
    output_dir: str = option(
        "",
        "folder for results and for what is judged already, with which an interrupted or later call goes on; "
        "empty: outputs/monitor/<name of the stream>",
    )
