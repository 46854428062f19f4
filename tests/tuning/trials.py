"""Sweeps for tests, and how one is worked off."""

from pathlib import Path
from typing import Any

from newsclf.config import SweepConfig
from newsclf.config.options import build
from newsclf.tuning.space import read_space
from newsclf.tuning.study import Trials

LIST: dict[str, Any] = {"strategy": "list", "runs": [{"epochs": 1}, {"epochs": 2}, {"epochs": 3}]}
DRAWN: dict[str, Any] = {
    "runs": [],
    "strategy": "bayesian",
    "startup_trials": 2,
    "trials": 5,
    "space": {"dropout": {"low": 0, "high": 0.5}, "batch_size": [8, 16]},
}


def opened(folder: Path, **options: Any) -> Trials:
    config = build(SweepConfig, {**LIST, **options})
    return Trials(config, read_space(config), "trial-sweep", str(folder / "study.db"))


def work_off(trials: Trials, most: int = 100) -> list[dict[str, str]]:
    """Claim and complete up to `most` trials; their settings. The value is made of the settings."""
    done: list[dict[str, str]] = []
    while len(done) < most and (claimed := trials.claim()):
        value = sum(float(text) for text in claimed.settings.values())
        trials.complete(claimed.trial.number, value)
        done.append(claimed.settings)
    return done
