"""Options of the verbs that watch texts."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from newsclf.config.fields import alerting, data, described, output, setting, source
from newsclf.config.shared import (
    ComputeOptions,
    DataOptions,
    EmbeddingOption,
    IdentityOptions,
    RunOptions,
    StreamOptions,
    TextOptions,
    VerdictOptions,
)


@dataclass(frozen=True, kw_only=True)
class ProfileConfig(RunOptions, IdentityOptions, ComputeOptions, VerdictOptions, EmbeddingOption, TextOptions):
    """Profile texts, with or without labels, and judge whether they have drifted from a reference."""

    split: str = data(
        "all",
        "rows of a built-in data set that are profiled",
        choices=("train", "validation", "test", "all"),
    )
    reference: str = source(
        "",
        "what is normal: a run id, runs:/..., models:/<name>@<alias>, a folder with a reference, a profile.bin, or a "
        "dataset or table; empty: nothing is compared",
    )
    model: str | None = source(None, "a logged model whose predictions are profiled: runs:/<run id>/model, models:/...")
    embedded_rows: int = setting(
        1000, "rows, drawn evenly, that the embedding map and the model read; all rows are counted", low=50, high=10**6
    )
    write_to: str = output(
        "none", "where profile.bin is sent as well: a path, s3://bucket/key, or whylabs (a platform that you host)"
    )


@dataclass(frozen=True, kw_only=True)
class SimulateConfig(RunOptions, DataOptions):
    """Write a stream of dated batches in which the data changes in a known way, and the truth beside it."""

    kind: str = setting(
        dataclasses.MISSING,
        "what happens: study (seven days), sudden, incremental, nonstationary (comes and goes), covariate, prior, "
        "concept (these three sudden as well), or none",
        choices=("study", "sudden", "incremental", "covariate", "prior", "concept", "nonstationary", "none"),
    )
    mode: str = setting(
        "auto",
        "what is done to the rows; auto: delete in study, else what the kind says, else foreign",
        choices=("auto", "foreign", "garbled", "truncated", "prior", "concept", "delete", "relabel"),
    )
    amount: float | None = setting(
        None,
        "share of a changed batch's rows, or points that its class shares move by, from 0 to 1; in incremental: more "
        "with every batch; auto: 0.1, incremental 0.01",
        low=0,
        high=1,
        none="auto",
    )
    begin: int | None = setting(
        None, "first batch that is changed, from 1; auto: the one after half of them", low=1, none="auto"
    )
    period: int = setting(5, "nonstationary: batches that are changed, and then batches that are not", low=1)
    batches: int | None = setting(None, "batches in the stream; auto: 40, in study 7", low=1, high=100_000, none="auto")
    batch_rows: int | None = setting(
        None, "rows of a batch; auto: 1,000, or half of what the rows allow", low=1, none="auto"
    )
    start_date: str = setting("2026-01-01", "date of the first batch (YYYY-MM-DD); the others follow day by day")
    split: str = data(
        "test",
        "which rows of the dataset the stream is made of; reference/ gets the training rows",
        choices=("validation", "test"),
    )
    foreign_dataset: str = source(
        "auto",
        "where foreign texts come from: a dataset, or held_out (the last class, which then is in no batch); auto: "
        "20newsgroups for ag_news, ag_news for 20newsgroups, else held_out",
    )


@dataclass(frozen=True, kw_only=True)
class MonitorConfig(RunOptions, EmbeddingOption, StreamOptions):
    """Judge a stream batch by batch against a reference, and raise alerts."""

    reference: str = source(
        dataclasses.MISSING,
        "what is normal: a run id, runs:/..., models:/<name>@<alias>, a folder with a reference, or a dataset or table",
    )
    monitors: tuple[dict[str, Any], ...] = alerting(
        (), "what raises an alert: a list in a YAML file (see configs/monitors/); none watches nothing"
    )
    windows: tuple[dict[str, Any], ...] = alerting(
        (), "time spans that are taken as normal: a list of from, to and name in a YAML file"
    )
    fail_on: str = alerting(
        "never",
        "exit with code 3 when a monitor of this severity, or a worse one, is in alert",
        choices=("never", "warning", "critical"),
    )
    notify: str = alerting(
        "NEWSCLF_NOTIFY",
        "name of the environment variable that holds the apprise URLs to notify, separated by spaces; the URLs are "
        "secrets and so are no option",
        variable=True,
    )
    output_dir: str = described(
        RunOptions,
        "output_dir",
        "folder for results and for what is judged already, with which an interrupted or later call goes on; "
        "empty: outputs/monitor/<name of the stream>",
    )
