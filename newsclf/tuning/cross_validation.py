"""Cross-validation: a run of train for each fold, nested under one that has their mean and interval, and no model."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from newsclf.config import TrainConfig
from newsclf.config.fields import names_of
from newsclf.config.options import as_text
from newsclf.data import load
from newsclf.data.folds import fold_of_rows
from newsclf.errors import InputError
from newsclf.locks import held
from newsclf.stats.cross_validation import fold_interval
from newsclf.tracking.children.runs import ensure_ended, run_to_end, runs_tagged
from newsclf.tracking.lineage import log_dataset
from newsclf.tracking.run import Run, open_run
from newsclf.tracking.runs import LoggedRun

PARENT_TAG, FOLD_TAG = "newsclf.folds_of", "newsclf.fold"
SCORES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "log_loss": "log-loss",
    "average_precision": "average precision",
}
OWN = ("register", *names_of(TrainConfig, "run"), "output_dir", "fold")  # not handed on to the folds


def check(config: TrainConfig) -> None:
    """Raises InputError for options that go with one model alone."""
    if config.register:
        raise InputError(
            "option register is given: a cross-validation has no model of its own; train one without folds"
        )
    if config.tracking == "offline":
        raise InputError("option tracking is offline: the folds' scores are read from the tracking store")


def cross_validate(config: TrainConfig, resumed: str = "") -> dict[str, float]:
    """Train and measure on every fold; the logged metrics by name.

    resumed: id of the run of a cross-validation that was cut off, whose finished folds stay. Raises InputError where a
    fold fails.
    """
    check(config)
    with open_run("train", config, resumed) as run, held(run.folder) as lock:
        dataset = load(config)
        run.warn(dataset.warnings)
        pooled = pd.concat([dataset.splits["train"], dataset.splits["validation"]])
        fold_of_rows(pooled, dataset.classes, config.folds, config.seed)  # before any of them is trained
        log_dataset(run, dataset, "train", ("train", "validation"))
        done = _finished(run)
        for fold in range(1, config.folds + 1):
            name = f"fold {fold} of {config.folds}"
            if fold not in done:
                folder = run.folder.resolve() / f"fold_{fold}"
                tags = {PARENT_TAG: run.id, FOLD_TAG: str(fold)}
                done[fold] = run_to_end(
                    run, "train", name, fold_options(config, fold, folder), folder.with_suffix(".log"), tags, (lock,)
                )
            scores = _scores(done[fold])
            print(f"{name}: {_listed(scores)} (run {done[fold].info.run_id})", flush=True)
            run.log_metrics({f"fold/{score}": value for score, value in scores.items()}, step=fold)
        return _report(run, done)


def fold_options(config: TrainConfig, fold: int, folder: Path) -> dict[str, str]:
    """Of the run of a fold: what is not a default, but for what is the parent's own."""
    words, plain = as_text(config), as_text(TrainConfig())
    given = {name: text for name, text in words.items() if name not in OWN and text != plain[name]}
    return given | {"fold": str(fold), "output_dir": str(folder), "send_timeout": words["send_timeout"]}


def _finished(run: Run) -> dict[int, LoggedRun]:
    """The folds that have come to their end already; of those that have not, none stays RUNNING."""
    found = {}
    for child in runs_tagged(run.experiment_id, PARENT_TAG, run.id):
        ended = ensure_ended(child.info.run_id, "KILLED", "stopped along with the cross-validation")
        if ended.info.status == "FINISHED":
            found[int(ended.data.tags[FOLD_TAG])] = ended
    return found


def _scores(fold: LoggedRun) -> dict[str, float]:
    return {name: float(fold.data.metrics[f"test_{name}"]) for name in SCORES}


def _report(run: Run, folds: Mapping[int, LoggedRun]) -> dict[str, float]:
    """folds.csv, mean, standard deviation and interval; the metrics."""
    rows = [
        {"fold": fold, "run_id": child.info.run_id, "rows": int(child.data.metrics["rows/test"]), **_scores(child)}
        for fold, child in sorted(folds.items())
    ]
    table = pd.DataFrame(rows)
    file = run.folder / "folds.csv"
    table.to_csv(file, index=False)
    run.log_file(file)
    metrics: dict[str, float] = {}
    said = []
    for name, words in SCORES.items():
        values = table[name].to_numpy(float)
        low, high = fold_interval(values)
        found = {"": values.mean(), "_std": values.std(ddof=1), "_low": low, "_high": high}
        metrics |= {f"cv_{name}{end}": float(value) for end, value in found.items()}
        said.append(f"{words} {values.mean():.4f} (95 % interval {low:.4f} to {high:.4f})")
    run.log_metrics(metrics)
    run.finish(metrics, table=str(file))
    run.show(table=str(file.resolve()))
    print(f"mean over {len(rows)} folds: {'; '.join(said)}")
    print("a cross-validation has no model of its own: train one with the same options, without folds")
    return metrics


def _listed(scores: Mapping[str, float]) -> str:
    return ", ".join(f"{SCORES[name]} {value:.4f}" for name, value in scores.items() if np.isfinite(value))
