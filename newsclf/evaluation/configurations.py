"""Runs that differ in nothing but their seed are one configuration."""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from newsclf.evaluation.predictions import Predictions

NONE = "-"


@dataclass(frozen=True)
class RunRecord:
    """What is known of a run.

    parameters: those that make its configuration, as they were logged, without the seed; predictions: None of a run
    that has kept none.
    """

    run_id: str
    name: str
    parameters: Mapping[str, str]
    seed: str
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    predictions: Predictions | None

    @cached_property
    def test(self) -> str:
        """Of which test rows its predictions are; empty without any."""
        return self.predictions.test if self.predictions is not None else ""


@dataclass(frozen=True)
class Configuration:
    """Runs with the same parameters, one for each seed. name: a letter."""

    name: str
    runs: tuple[RunRecord, ...]

    @property
    def parameters(self) -> dict[str, str]:
        return settings(self.runs[0])

    @property
    def seeds(self) -> list[str]:
        return [run.seed for run in self.runs]

    def values(self, metric: str) -> list[float]:
        """The metric of each run that has it."""
        found = (scores_of(run).get(metric) for run in self.runs)
        return [value for value in found if value is not None]

    @property
    def test(self) -> str:
        """Of which test rows all of its predictions are; empty where they are not of the same rows, or not there."""
        tests = {run.test for run in self.runs}
        return tests.pop() if len(tests) == 1 else ""


def configurations(runs: Sequence[RunRecord]) -> tuple[list[Configuration], list[str]]:
    """(the configurations, best mean accuracy first; ids of runs left out, which repeat a seed of their configuration).

    Of runs with the same seed, the first of `runs` stays.
    """
    found: dict[tuple[tuple[str, str], ...], dict[str, RunRecord]] = {}
    repeated = []
    for run in runs:
        seeds = found.setdefault(tuple(sorted(settings(run).items())), {})
        if run.seed in seeds:
            repeated.append(run.run_id)
        else:
            seeds[run.seed] = run
    groups = [tuple(sorted(seeds.values(), key=lambda run: run.seed)) for seeds in found.values()]
    groups.sort(key=lambda group: -_mean_accuracy(group))
    return [Configuration(letters(place), group) for place, group in enumerate(groups)], repeated


def differing(configurations: Sequence[Configuration]) -> dict[str, list[str]]:
    """The parameters that are not the same in all configurations: name to the value in each, or -."""
    every = [configuration.parameters for configuration in configurations]
    names = dict.fromkeys(name for parameters in every for name in parameters)
    table = {name: [parameters.get(name, NONE) for parameters in every] for name in names}
    return {name: values for name, values in sorted(table.items()) if len(set(values)) > 1}


def settings(run: RunRecord) -> dict[str, str]:
    """The run's parameters, numbers in one notation."""
    return {name: canonical(value) for name, value in run.parameters.items()}


def scores_of(run: RunRecord) -> dict[str, float]:
    """The run's metrics by the names that evaluate has for them: train's begin with `test_`."""
    return {name.removeprefix("test_"): value for name, value in run.metrics.items() if np.isfinite(value)}


def canonical(text: str) -> str:
    """One notation for a number: "1e-3" and "0.001" are the same setting."""
    try:
        return repr(float(text)).removesuffix(".0") if "_" not in text else text
    except ValueError:
        return text


def letters(place: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    name = ""
    while place >= 0:
        name = string.ascii_uppercase[place % 26] + name
        place = place // 26 - 1
    return name


def _mean_accuracy(runs: Sequence[RunRecord]) -> float:
    values = [scores_of(run).get("accuracy", -1.0) for run in runs]
    return float(np.mean(values))
