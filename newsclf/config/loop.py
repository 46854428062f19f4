"""Options of the verbs that put models in charge, and of sync."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from newsclf.config.options import option
from newsclf.config.shared import ReadingOptions, RunOptions


@dataclass(frozen=True, kw_only=True)
class PromoteConfig(RunOptions, ReadingOptions):
    """Make a challenger the champion of a registered model, if labelled data says so; or go back to the one before."""

    name: str = option("newsclf", "the registered model")
    model: str = option(
        "",
        "the challenger: models:/<name>/<version> or runs:/<run id>/model; empty: the one with the alias challenger",
    )
    old_dataset: str = option(
        "",
        "what the champion was good at: the test rows of sample, 20newsgroups or ag_news, or all rows of a table; "
        "required unless rollback is true",
    )
    new_dataset: str | None = option(
        None, "newly labelled rows, a table, on which it must be better; without it, it must be so on old_dataset"
    )
    rollback: bool = option(False, "make the champion before the present one champion again; nothing is measured")
    accuracy_margin: float = option(
        0.01, "how far below 0 the paired interval of the accuracy's change on the old test may reach", low=0, high=1
    )
    alpha: float = option(
        0.05, "the paired test's p must be below it where the challenger has to be better", low=1e-6, high=0.5
    )
    recall_margin: float = option(0.05, "by how much the recall of a class may fall, on either test", low=0, high=1)
    calibration_limit: float = option(0.1, "largest expected calibration error, on either test", low=0, high=1)
    latency_ratio: float = option(
        1.5, "how many times as long as the champion's a prediction of one text may take", low=0.01, high=1e6
    )
    latency_rows: int = option(100, "texts whose predictions are timed, one at a time", low=10, high=100_000)
    fail_on_refusal: bool = option(False, "exit with code 3 when the challenger is refused")
    bootstrap_samples: int = option(2000, "resamples behind the 95 % intervals", low=100, high=100_000)
    device: str = option(
        "auto", "where to compute; auto: a GPU if there is one", choices=("auto", "cpu", "cuda", "mps")
    )
    output_dir: str = option("", "folder for report.html and decision.json; empty: outputs/promote/<run id>")


@dataclass(frozen=True, kw_only=True)
class RetrainConfig(RunOptions):
    """Watch a stream, and where it has drifted train, test and promote a better model, or say what is missing."""

    stream: str = option(
        dataclasses.MISSING,
        "a folder of tables (.csv, .parquet, .jsonl), one table with a date column, or the folder (or s3://.../) of "
        "profiles that a served model writes",
    )
    champion: str = option(
        "models:/newsclf@champion", "the model to improve: models:/<name>@<alias> or models:/<name>/<version>"
    )
    labelled: str = option(
        "", "a folder of tables, or a table, with newly labelled rows; empty: those of the stream that have a label"
    )
    force: bool = option(False, "train even though nothing has drifted")
    patience: int = option(2, "batches in a row that must have drifted", low=1, high=1000)
    sure: float = option(5e-4, "p-value at which one drifted batch is enough", low=0, high=0.5)
    growth: float = option(
        2.0, "how many times the labelled rows of the last attempt make another one worth while", low=1.01, high=1e6
    )
    window: int = option(20, "newest labelled batches that are trained on, at most", low=1, high=100_000)
    replay_share: float = option(
        1.0,
        "share of the rows that the champion was trained on which are trained on again; 0 forgets them",
        low=0,
        high=1,
    )
    weight: int = option(4, "how often a new row counts, where an old one counts once", low=1, high=1000)
    test_share: float = option(
        0.2, "share of the new rows that is held out: the newest, at most 1,000 rows", low=0.05, high=0.9
    )
    test_rows: int = option(50, "held-out rows that are needed; with fewer, labels are asked for", low=50)
    label_budget: int = option(100, "texts that to_label.csv may have", low=1, high=1_000_000)
    train: dict[str, Any] | None = option(None, "options of train that are to differ from the champion's")
    sweep: str = option(
        "", "config file of a sweep that finds the challenger; empty: one run with the champion's options"
    )
    gate: dict[str, Any] | None = option(
        None, "options of promote that are to differ from its defaults, such as {accuracy_margin: 0.02}"
    )
    batch: str = option(
        "auto",
        "what a batch is; auto: a file of a folder, a day of a table, an hour of profiles",
        choices=("auto", "file", "hour", "day", "week", "count"),
    )
    batch_rows: int = option(1000, "rows of a batch where batch is count", low=1)
    min_rows: int = option(50, "rows that a batch needs to be judged", low=2)
    alpha: float = option(0.05, "false-alarm rate of a batch's whole verdict", low=1e-6, high=0.5)
    text_column: str = option("text", "name of the text column")
    label_column: str = option("label", "name of the label column")
    date_column: str = option("date", "name of the date column (ISO 8601); batches by file may have none")
    data_dir: str = option(
        "", "root folder of 20newsgroups/ and ag_news/, where the champion's rows are of these; empty: as in train"
    )
    seed: int = option(0, "seed of what is drawn; the champion's training keeps its own", low=0, high=2**32 - 1)
    device: str = option(
        "auto", "where to compute; auto: a GPU if there is one", choices=("auto", "cpu", "cuda", "mps")
    )
    output_dir: str = option(
        "",
        "folder for reports, tables and what was tried, with which an interrupted or later call goes on; "
        "empty: outputs/retrain/<name of the stream>",
    )


@dataclass(frozen=True, kw_only=True)
class SyncConfig:
    """Send what runs have left in the journal on this machine because their server was away.

    Exit codes: 0 all is sent; 1 a server does not answer, and its runs wait for the next call; 2 one refuses a run.
    """

    server: str = option(
        "", "URL of the server that gets everything, where the one that the runs were made for has moved"
    )
