"""Options of the verbs that make models and measure them."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from newsclf.config.fields import data, described, machine, output, run, setting, source
from newsclf.config.shared import (
    AlphaOption,
    BootstrapOptions,
    ComputeOptions,
    DataOptions,
    IdentityOptions,
    RunOptions,
    SeedOption,
    WeightedDataOptions,
)


@dataclass(frozen=True, kw_only=True)
class TrainConfig(RunOptions, IdentityOptions, ComputeOptions, WeightedDataOptions):
    """Fine-tune an encoder on labelled news, test it, and log it as a model."""

    encoder: str = source("minilm", "minilm (packaged), a hub id such as bert-base-uncased, or a local folder")
    max_length: int = setting(128, "tokens of a text that are read; what is longer is cut", low=8, high=8192)
    trainable_layers: int | None = setting(
        None, "encoder layers that are trained, from the top; 0 trains the head alone", low=0, high=1000, none="all"
    )
    reinitialised_layers: int = setting(
        0,
        "trained encoder layers, from the top, that begin at random, not as the encoder has them",
        low=0,
        high=1000,
    )
    epochs: int = setting(3, "passes over the training rows", low=1, high=10_000)
    batch_size: int = setting(32, "rows in a training step", low=1, high=65_536)
    learning_rate: float | None = setting(
        None,
        "peak learning rate; auto: 0.0002 where encoder layers are trained, else 0.001",
        low=1e-8,
        high=10,
        none="auto",
    )
    optimizer_name: str = setting("adamw", "optimizer", choices=("adamw", "adam", "sgd"))
    weight_decay: float = setting(0.01, "weight decay; biases and LayerNorms have none", low=0, high=10)
    warmup_fraction: float = setting(0.1, "share of the steps in which the learning rate rises", low=0, high=1)
    gradient_clip: float = setting(1.0, "largest norm of the gradient; 0 clips nothing", low=0, high=1e6)
    dropout: float = setting(0.1, "dropout in the trained encoder layers and before the head", low=0, high=0.9)
    attention_dropout: float = setting(
        0.0, "dropout inside attention; above 0 the fused attention kernel is off on a CPU", low=0, high=0.9
    )
    class_weights: dict[str, float] | str | None = setting(
        None,
        "how much an error on a row of a class costs in training: balanced is the less the more rows a class has; or a "
        "mapping of classes to numbers, in which a class that is left out has 1",
        choices=("balanced",),
        low=1e-6,
        high=1e6,
    )
    sampling: str = setting(
        "shuffled",
        "the rows of an epoch: each once, or as many in all but of every class equally many, drawn by seed",
        choices=("shuffled", "balanced"),
    )
    label_smoothing: float = setting(
        0.0, "share of a row's label that is spread over all classes in the training loss; 0: none", low=0, high=0.5
    )
    layer_decay: float = setting(
        1.0,
        "learning rate of an encoder layer as a multiple of that of the layer above it; 1: the same in all",
        low=0.1,
        high=1,
    )
    ema: float = setting(
        0.0,
        "decay of an average of the weights over the steps, which is validated and kept in their place; 0: none",
        low=0,
        high=0.99999,
    )
    patience: int = setting(
        3, "epochs without a lower val_loss before training stops early; 0: never", low=0, high=10_000
    )
    keep: str = setting(
        "best", "the epoch whose weights are kept: best has the lowest val_loss", choices=("best", "last")
    )
    fusion: str = setting(
        "auto",
        "whether a classifier of words (TF-IDF) is joined with the encoder; auto: where the validation rows become "
        "likelier with it",
        choices=("auto", "none", "linear"),
    )
    ensemble: tuple[str, ...] = source(
        (), "ids of earlier runs of train on the same rows, whose models are joined with this one's, or none"
    )
    calibrate: bool = setting(True, "make probabilities as sure as they are right on the validation rows")
    baseline: bool = setting(True, "fit the classifier of words by itself as well, and say which model is better")
    num_workers: int = machine(
        0,
        "processes that prepare batches; 0 prepares them in the training process, and so does a head alone with cached "
        "layers",
        low=0,
        high=256,
    )
    prefix_cache: bool = setting(True, "compute frozen layers once and keep their output on disk")
    cache_dir: str = machine("", "folder of that cache; empty: $NEWSCLF_CACHE_DIR, else the user's cache folder")
    cache_limit_gb: float = machine(
        20.0, "size limit of that cache; the entries unused for longest go first", low=0, high=1e6
    )
    register: str = output(
        "", "name of the registered model that gets the model as a version, with the alias challenger; empty: none"
    )
    resume: str = run("", "id of a run of train that was cut off: it goes on from its last epoch, with its own options")


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(RunOptions, IdentityOptions, ComputeOptions, BootstrapOptions, DataOptions):
    """Measure a logged model on labelled news, alone or against a baseline."""

    model: str = source(
        dataclasses.MISSING, "the model: runs:/<run id>/model, models:/<name>@<alias>, or a local folder"
    )
    baseline: str | None = source(None, "a second model that is compared on the same rows")
    split: str = data(
        "test",
        "which rows: a split as train makes it, or all rows of a table",
        choices=("train", "validation", "test", "all"),
    )


@dataclass(frozen=True, kw_only=True)
class SweepConfig(RunOptions, SeedOption):
    """Try many settings of train, each in a run of its own, and find the best."""

    strategy: str = setting(
        dataclasses.MISSING,
        "which settings are tried: the runs of a list, every combination of a grid, or trials that are drawn from "
        "ranges: at random, or where earlier trials were good (bayesian)",
        choices=("list", "grid", "random", "bayesian"),
    )
    runs: tuple[dict[str, Any], ...] = setting((), "list: the runs, each a mapping of train's options, in a YAML file")
    published: tuple[dict[str, Any], ...] = output(
        (),
        "list: for each of the runs what has been published of it, by metric or in words; the table has it beside ours",
    )
    space: dict[str, Any] | None = setting(
        None,
        "the other strategies: for each option of train its values ([16, 32]), or of a number its range ({low: 1e-4, "
        "high: 1e-2, log: true}; not in a grid)",
    )
    train: dict[str, Any] | None = setting(None, "options of train that are the same in every trial")
    aim: str = setting("val_acc", "the metric that is to be best; one that is logged by epoch counts at the kept epoch")
    direction: str = setting(
        "auto",
        "what is best; auto: min for a loss, an error, seconds and bytes, else max",
        choices=("auto", "max", "min"),
    )
    trials: int = setting(20, "random, bayesian: how many trials; more than before go on with the same sweep", low=1)
    pruner: str = setting(
        "none",
        "what stops bad trials early: median (worse than the median of earlier trials at the same epoch), halving "
        "(not among the best third after 1, 3, 9 ... epochs)",
        choices=("none", "median", "halving"),
    )
    watch: str = setting("val_loss", "the metric by epoch that the pruner judges by")
    startup_trials: int = setting(
        5, "trials at the start that median never stops, and that bayesian draws at random", low=1, high=10_000
    )
    retries: int = setting(1, "how often a trial that fails is run again", low=0, high=100)
    parallel: int = machine(
        1, "trials that run at the same time; the processor's threads are divided", low=1, high=1000
    )
    seed: int = described(SeedOption, "seed", "seed of the trials that are drawn; train has its own")
    output_dir: str = described(
        RunOptions,
        "output_dir",
        "folder of the sweep's state, table and plots, one for each machine; empty: outputs/sweep/<name>",
    )
    name: str = run(
        "", "name of the sweep; empty: made of what is tried, so that the same settings go on with the same sweep"
    )
    storage: str = run(
        "",
        "database of the sweep (an SQLAlchemy URL), which several machines may share; one with a password goes into "
        "$NEWSCLF_SWEEP_STORAGE instead; empty: that, else study.db in output_dir",
        secrets="$NEWSCLF_SWEEP_STORAGE",
    )


@dataclass(frozen=True, kw_only=True)
class CompareConfig(RunOptions, BootstrapOptions, AlphaOption, SeedOption):
    """Put runs of train and evaluate side by side: what differs in them, and whether that made a difference."""

    runs: str = source(
        dataclasses.MISSING,
        "run ids separated by commas, or a query of the experiment, such as \"params.dataset = 'ag_news' and "
        'metrics.test_accuracy > 0.8"',
    )
    experiment: tuple[str, ...] = source(
        (), "names of the experiments that a query looks into, or all; none: the experiment of this run"
    )
    max_runs: int = source(50, "runs that a query gives at the most, the newest first", low=1, high=1000)
    alpha: float = described(AlphaOption, "alpha", "false-alarm rate over all pairs together")


@dataclass(frozen=True, kw_only=True)
class ReproduceConfig(RunOptions):
    """Run an earlier run again, from the same code, settings and data, and compare every number."""

    run_id: str = source(dataclasses.MISSING, "the run, which must be FINISHED")
    use_cache: bool = setting(
        False, "read the output of frozen layers from the cache instead of computing it again: quicker, proves less"
    )
