"""Options of the verbs that make models and measure them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from newsclf.config.options import option
from newsclf.config.shared import DataOptions, RunOptions


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
class ReproduceConfig(RunOptions):
    """Run an earlier run again, from the same code, settings and data, and compare every number."""

    run_id: str = option(dataclasses.MISSING, "the run, which must be FINISHED")
    use_cache: bool = option(
        False, "read the output of frozen layers from the cache instead of computing it again: quicker, proves less"
    )
    output_dir: str = option("", "folder for result.json and the differences; empty: outputs/reproduce/<run id>")
