"""Options of the verbs that put models in charge, and of sync."""

from dataclasses import dataclass
from typing import Any

from newsclf.config.fields import alerting, described, run, setting, source
from newsclf.config.shared import (
    AlphaOption,
    BootstrapOptions,
    ComputeOptions,
    IdentityOptions,
    ReadingOptions,
    RunOptions,
    SeedOption,
    StreamOptions,
)


@dataclass(frozen=True, kw_only=True)
class PromoteConfig(RunOptions, ComputeOptions, BootstrapOptions, AlphaOption, ReadingOptions):
    """Make a challenger the champion of a registered model, if labelled data says so; or go back to the one before."""

    name: str = source("newsclf", "the registered model")
    model: str = source(
        "", "the challenger: models:/<name>/<version> or runs:/<run id>/model; empty: the one with the alias challenger"
    )
    old_dataset: str = source(
        "",
        "what the champion was good at: the test rows of a built-in data set, or all rows of a table; "
        "required unless rollback is true",
    )
    new_dataset: str | None = source(
        None, "newly labelled rows, a table, on which it must be better; without it, it must be so on old_dataset"
    )
    rollback: bool = setting(False, "make the champion before the present one champion again; nothing is measured")
    accuracy_margin: float = setting(
        0.01, "how far below 0 the paired interval of the accuracy's change on the old test may reach", low=0, high=1
    )
    recall_margin: float = setting(0.05, "by how much the recall of a class may fall, on either test", low=0, high=1)
    calibration_limit: float = setting(0.1, "largest expected calibration error, on either test", low=0, high=1)
    latency_ratio: float = setting(
        1.5, "how many times as long as the champion's a prediction of one text may take", low=0.01, high=1e6
    )
    latency_rows: int = setting(100, "texts whose predictions are timed, one at a time", low=10, high=100_000)
    alpha: float = described(
        AlphaOption, "alpha", "the paired test's p must be below it where the challenger has to be better"
    )
    fail_on_refusal: bool = alerting(False, "exit with code 3 when the challenger is refused")


@dataclass(frozen=True, kw_only=True)
class RetrainConfig(RunOptions, IdentityOptions, StreamOptions):
    """Watch a stream, and where it has drifted train, test and promote a better model, or say what is missing."""

    champion: str = source(
        "models:/newsclf@champion", "the model to improve: models:/<name>@<alias> or models:/<name>/<version>"
    )
    labelled: str = source(
        "", "a folder of tables, or a table, with newly labelled rows; empty: those of the stream that have a label"
    )
    force: bool = setting(False, "train even though nothing has drifted")
    patience: int = setting(2, "batches in a row that must have drifted", low=1, high=1000)
    sure: float = setting(5e-4, "p-value at which one drifted batch is enough", low=0, high=0.5)
    growth: float = setting(
        2.0, "how many times the labelled rows of the last attempt make another one worth while", low=1.01, high=1e6
    )
    window: int = setting(20, "newest labelled batches that are trained on, at most", low=1, high=100_000)
    replay_share: float = setting(
        1.0,
        "share of the rows that the champion was trained on which are trained on again; 0 forgets them",
        low=0,
        high=1,
    )
    weight: int = setting(4, "how often a new row counts, where an old one counts once", low=1, high=1000)
    test_share: float = setting(
        0.2, "share of the new rows that is held out: the newest, at most 1,000 rows", low=0.05, high=0.9
    )
    test_rows: int = setting(50, "held-out rows that are needed; with fewer, labels are asked for", low=50)
    label_budget: int = setting(100, "texts that to_label.csv may have", low=1, high=1_000_000)
    train: dict[str, Any] | None = setting(None, "options of train that are to differ from the champion's")
    sweep: str = setting(
        "", "config file of a sweep that finds the challenger; empty: one run with the champion's options"
    )
    gate: dict[str, Any] | None = setting(
        None, "options of promote that are to differ from its defaults, such as {accuracy_margin: 0.02}"
    )
    seed: int = described(SeedOption, "seed", "seed of what is drawn; the champion's training keeps its own")
    output_dir: str = described(
        RunOptions,
        "output_dir",
        "folder for reports, tables and what was tried, with which an interrupted or later call goes on; "
        "empty: outputs/retrain/<name of the stream>",
    )


@dataclass(frozen=True, kw_only=True)
class SyncConfig:
    """Send what runs have left in the journal on this machine because their server was away.

    Exit codes: 0 all is sent; 1 a server does not answer, and its runs wait for the next call; 2 a run needs a person:
    its server refuses it, it was deleted there, or its journal was damaged. What can be sent is sent in any case.
    """

    server: str = run("", "URL of the server that gets everything, where the one that the runs were made for has moved")
    send_timeout: float = run(
        600, "seconds that the call takes at the most; what is not sent by then waits for the next one", low=1, high=1e6
    )
    drop: str = run(
        "",
        "id of a run whose journal is removed, sent or not (several: separated by commas); nothing is sent then",
    )
