"""What train would do: its rows, its steps, and the time they take, from two steps of the real model on real rows."""

import contextlib
import dataclasses
import io
import tempfile
from collections.abc import Iterator

import numpy as np
import pandas as pd

from newsclf.config import TrainConfig
from newsclf.data import Dataset, load
from newsclf.data.folds import is_cross_validation
from newsclf.fetching import NotFetched
from newsclf.model import weights
from newsclf.model.classifier import Classifier
from newsclf.model.tokenizer import Tokenizer
from newsclf.model.training import seed_everything
from newsclf.model.trial import trial
from newsclf.model.weights import EncoderFiles
from newsclf.plans.reading import described, destination, lines, tracking_store
from newsclf.tracking.registry.versions import check_name
from newsclf.tracking.resume import find_interrupted_run
from newsclf.tuning.cross_validation import check
from newsclf.verbs.train import fitted_to, make_classifier, model_inputs, resolve_auto

TRIED_BATCHES = 8  # batches of rows that the trial draws its own from


def plan(config: TrainConfig) -> Iterator[str]:
    """The lines of a dry run."""
    if config.register:
        check_name(config.register)
    if config.resume:
        with tracking_store():
            found = find_interrupted_run(config)
        config = dataclasses.replace(found.config, resume="")
        yield f"goes on with run {found.run_id}, from {'its last epoch' if found.checkpoints else 'its beginning'}"
    if is_cross_validation(config):
        check(config)
        yield f"folds   {config.folds}, each a run of train with fold=1 ... {config.folds}; of the first one:"
        config = dataclasses.replace(config, fold=1)
    config = resolve_auto(config)
    try:
        dataset = load(config)
        yield from (f"warning: {text}" for text in dataset.warnings)
        yield f"data    {described(dataset)}"
        yield from _steps(fitted_to(config, dataset), dataset, weights.find(config.encoder))
    except NotFetched as missing:
        yield f"first   {missing}; how long the training takes can be told then"
    yield from lines(destination("train", config) | {"model": config.register or "logged, and not registered"})


def _steps(config: TrainConfig, dataset: Dataset, files: EncoderFiles) -> Iterator[str]:
    tokenizer = Tokenizer(files.folder, config.max_length)
    seed_everything(config.seed)
    classifier = make_classifier(config, files, dataset.classes, tokenizer)
    trained = sum(parameter.numel() for parameter in classifier.parameters() if parameter.requires_grad)
    every = sum(parameter.numel() for parameter in classifier.parameters())
    yield f"model   {config.encoder}: {trained:,} of {every:,} parameters are trained"
    rows = {
        name: int(frame["weight"].sum()) if "weight" in frame else len(frame) for name, frame in dataset.splits.items()
    }
    by_epoch = -(-rows["train"] // config.batch_size)
    early = f", fewer where val_loss is no lower for {config.patience} epochs" if config.patience else ""
    yield f"steps   {config.epochs * by_epoch:,}: {config.epochs:,} epochs of {by_epoch:,} steps{early}"
    yield f"time    {_time(config, dataset, files, tokenizer, classifier, rows)}"


def _time(
    config: TrainConfig,
    dataset: Dataset,
    files: EncoderFiles,
    tokenizer: Tokenizer,
    classifier: Classifier,
    rows: dict[str, int],
) -> str:
    """How long the steps take, and the frozen layers before them, on this machine."""
    bf16 = config.precision == "bf16"
    drawn = _drawn(dataset.splits["train"], TRIED_BATCHES * config.batch_size, config.seed)
    few = dataclasses.replace(dataset, splits={"train": drawn})
    # The frozen layers' output on these rows alone, without its progress.
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        inputs, frozen = model_inputs(
            dataclasses.replace(config, cache_dir=folder), few, files, tokenizer, classifier, bf16
        )
        tried = inputs["train"]
        assert config.learning_rate is not None
        found = trial(classifier, tried, config, config.learning_rate, bf16)
        tokens = 1.0 if tried.ragged.pooled else float(tried.lengths.mean())
    training = config.epochs * rows["train"] * tokens * found.training
    validation = config.epochs * rows["validation"] * tokens * found.predicting
    before = frozen / len(drawn) * sum(rows.values())
    parts = [f"training {_duration(training)}", f"validation {_duration(validation)}"]
    if before:
        parts.insert(0, f"frozen layers {_duration(before)}, where the cache has them not")
    return (
        f"about {_duration(before + training + validation)} on this machine ({config.device}, {config.precision}), "
        f"from two steps: {', '.join(parts)}; reading, the test and the logging come on top"
    )


def _drawn(frame: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    chosen = np.random.default_rng(seed).permutation(len(frame))[:count]
    return frame.iloc[np.sort(chosen)].drop(columns="weight", errors="ignore").reset_index(drop=True)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
