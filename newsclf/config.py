"""The options of every verb: names, types, defaults, limits, help. The one place that describes them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from newsclf.options import option

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


@dataclass(frozen=True, kw_only=True)
class TrainConfig(RunOptions, DataOptions):
    """Fine-tune an encoder on labelled news, test it, and log it as a model."""

    weight_column: str = option(
        "", "name of a table's column of whole numbers: how often a row counts in training; empty: each once"
    )
    encoder: str = option("minilm", "minilm (packaged), a hub id such as bert-base-uncased, or a local folder")
    max_length: int = option(128, "tokens of a text that are read; what is longer is cut", low=8, high=8192)
    trainable_layers: int | None = option(
        None,
        "encoder layers that are trained, from the top; 0 trains the head alone",
        low=0,
        high=1000,
        none="all",
    )
    epochs: int = option(3, "passes over the training rows", low=1, high=10_000)
    batch_size: int = option(32, "rows in a training step", low=1, high=65_536)
    learning_rate: float | None = option(
        None,
        "peak learning rate; auto: 0.0002 where encoder layers are trained, else 0.001",
        low=1e-8,
        high=10,
        none="auto",
    )
    optimizer_name: str = option("adamw", "optimizer", choices=("adamw", "adam", "sgd"))
    weight_decay: float = option(0.01, "weight decay; biases and LayerNorms have none", low=0, high=10)
    warmup_fraction: float = option(0.1, "share of the steps in which the learning rate rises", low=0, high=1)
    gradient_clip: float = option(1.0, "largest norm of the gradient; 0 clips nothing", low=0, high=1e6)
    dropout: float = option(0.1, "dropout in the trained encoder layers and before the head", low=0, high=0.9)
    attention_dropout: float = option(
        0.0, "dropout inside attention; above 0 the fused attention kernel is off on a CPU", low=0, high=0.9
    )
    patience: int = option(
        3, "epochs without a lower val_loss before training stops early; 0: never", low=0, high=10_000
    )
    keep: str = option(
        "best", "the epoch whose weights are kept: best has the lowest val_loss", choices=("best", "last")
    )
    precision: str = option(
        "auto", "arithmetic; auto: bf16 on a GPU that has it, else fp32", choices=("auto", "fp32", "bf16")
    )
    device: str = option(
        "auto", "where to compute; auto: a GPU if there is one", choices=("auto", "cpu", "cuda", "mps")
    )
    num_workers: int = option(
        0, "processes that prepare batches; 0 prepares them in the training process", low=0, high=256
    )
    prefix_cache: bool = option(True, "compute frozen layers once and keep their output on disk")
    cache_dir: str = option("", "folder of that cache; empty: $NEWSCLF_CACHE_DIR, else the user's cache folder")
    cache_limit_gb: float = option(
        20.0, "size limit of that cache; the entries unused for longest go first", low=0, high=1e6
    )
    register: str = option(
        "", "name of the registered model that gets the model as a version, with the alias challenger; empty: none"
    )
    output_dir: str = option("", "folder for result.json and plots; empty: outputs/train/<run id>")
    resume: str = option(
        "", "id of a run of train that was cut off: it goes on from its last epoch, with its own options"
    )


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(RunOptions, DataOptions):
    """Measure a logged model on labelled news, alone or against a baseline."""

    model: str = option(
        dataclasses.MISSING, "the model: runs:/<run id>/model, models:/<name>@<alias>, or a local folder"
    )
    baseline: str | None = option(None, "a second model that is compared on the same rows")
    split: str = option(
        "test",
        "which rows: a split as train makes it, or all rows of a table",
        choices=("train", "validation", "test", "all"),
    )
    bootstrap_samples: int = option(2000, "resamples behind the 95 % intervals", low=100, high=100_000)
    device: str = option(
        "auto", "where to compute; auto: a GPU if there is one", choices=("auto", "cpu", "cuda", "mps")
    )
    output_dir: str = option("", "folder for result.json and plots; empty: outputs/evaluate/<run id>")


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


@dataclass(frozen=True, kw_only=True)
class SweepConfig(RunOptions):
    """Try many settings of train, each in a run of its own, and find the best."""

    strategy: str = option(
        dataclasses.MISSING,
        "which settings are tried: the runs of a list, every combination of a grid, or trials that are drawn from "
        "ranges: at random, or where earlier trials were good (bayesian)",
        choices=("list", "grid", "random", "bayesian"),
    )
    runs: tuple[dict[str, Any], ...] = option((), "list: the runs, each a mapping of train's options, in a YAML file")
    space: dict[str, Any] | None = option(
        None,
        "the other strategies: for each option of train its values ([16, 32]), or of a number its range ({low: 1e-4, "
        "high: 1e-2, log: true}; not in a grid)",
    )
    train: dict[str, Any] | None = option(None, "options of train that are the same in every trial")
    aim: str = option("val_acc", "the metric that is to be best; one that is logged by epoch counts at the kept epoch")
    direction: str = option(
        "auto",
        "what is best; auto: min for a loss, an error, seconds and bytes, else max",
        choices=("auto", "max", "min"),
    )
    trials: int = option(20, "random, bayesian: how many trials; more than before go on with the same sweep", low=1)
    pruner: str = option(
        "none",
        "what stops bad trials early: median (worse than the median of earlier trials at the same epoch), halving "
        "(not among the best third after 1, 3, 9 ... epochs)",
        choices=("none", "median", "halving"),
    )
    watch: str = option("val_loss", "the metric by epoch that the pruner judges by")
    startup_trials: int = option(
        5, "trials at the start that median never stops, and that bayesian draws at random", low=1, high=10_000
    )
    retries: int = option(1, "how often a trial that fails is run again", low=0, high=100)
    parallel: int = option(1, "trials that run at the same time; the processor's threads are divided", low=1, high=1000)
    seed: int = option(0, "seed of the trials that are drawn; train has its own", low=0, high=2**32 - 1)
    name: str = option(
        "", "name of the sweep; empty: made of what is tried, so that the same settings go on with the same sweep"
    )
    storage: str = option(
        "",
        "database of the sweep (an SQLAlchemy URL), which several machines may share; one with a password goes into "
        "$NEWSCLF_SWEEP_STORAGE instead; empty: that, else study.db in output_dir",
    )
    output_dir: str = option(
        "", "folder of the sweep's state, table and plots, one for each machine; empty: outputs/sweep/<name>"
    )


@dataclass(frozen=True, kw_only=True)
class ReproduceConfig(RunOptions):
    """Run an earlier run again, from the same code, settings and data, and compare every number."""

    run_id: str = option(dataclasses.MISSING, "the run, which must be FINISHED")
    use_cache: bool = option(
        False, "read the output of frozen layers from the cache instead of computing it again: quicker, proves less"
    )
    output_dir: str = option("", "folder for result.json and the differences; empty: outputs/reproduce/<run id>")


@dataclass(frozen=True, kw_only=True)
class CompareConfig(RunOptions):
    """Put runs of train and evaluate side by side: what differs in them, and whether that made a difference."""

    runs: str = option(
        dataclasses.MISSING,
        "run ids separated by commas, or a query of the experiment, such as \"params.dataset = 'ag_news' and "
        'metrics.avg_test_acc > 0.8"',
    )
    experiment: tuple[str, ...] = option(
        (), "names of the experiments that a query looks into, or all; none: the experiment of this run"
    )
    max_runs: int = option(50, "runs that a query gives at the most, the newest first", low=1, high=1000)
    alpha: float = option(0.05, "false-alarm rate over all pairs together", low=1e-6, high=0.5)
    bootstrap_samples: int = option(2000, "resamples behind the 95 % intervals", low=100, high=100_000)
    seed: int = option(0, "seed of the resamples", low=0, high=2**32 - 1)
    output_dir: str = option("", "folder for report.html, tables and plots; empty: outputs/compare/<run id>")


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
