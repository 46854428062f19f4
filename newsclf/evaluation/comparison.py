"""Configurations side by side: their scores, and each pair of those that were tested on the same rows."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from newsclf.evaluation.configurations import NONE, Configuration, RunRecord, differing, letters
from newsclf.evaluation.paired_configurations import Estimate, Pair, compare
from newsclf.evaluation.predictions import Predictions
from newsclf.stats.multiple_testing import holm

METRICS = ("accuracy", "macro_f1", "log_loss", "expected_calibration_error")
# What else may be the reason of a difference.
LINEAGE = {
    "data": "newsclf.data_fingerprint",
    "commit": "mlflow.source.git.commit",
    "uncommitted changes": "newsclf.git_dirty",
    "encoder": "newsclf.encoder_sha256",
    "device": "newsclf.device_name",
}
WARNING = "newsclf.data_warning."  # a tag each
# In the words of a report; the rows of a test are known by a fingerprint alone.
NO_PREDICTIONS = "logged no predictions ({}), so nothing is said of its pairs: run evaluate on its model"


@dataclass(frozen=True)
class Comparison:
    """estimates: by configuration, accuracy and macro_f1 with intervals, where its predictions allow them.

    tests: the configurations that were tested on the same rows, by the letter of the test; alpha: false alarms over all
    pairs together; notes: what could not be compared, and why.
    """

    configurations: list[Configuration]
    estimates: dict[str, dict[str, Estimate]]
    pairs: list[Pair]
    tests: dict[str, list[str]]
    alpha: float
    notes: list[str]

    def different(self, pair: Pair) -> bool:
        return pair.corrected_p < self.alpha

    def table(self) -> list[dict[str, Any]]:
        """A row a configuration, best first: names, parameters that differ, scores, run ids."""
        different = differing(self.configurations)
        test_of = {name: test for test, names in self.tests.items() for name in names}
        rows = []
        for place, one in enumerate(self.configurations):
            row: dict[str, Any] = {
                "configuration": one.name,
                "runs": len(one.runs),
                "test": test_of.get(one.name, NONE),
            }
            row |= {name: values[place] for name, values in different.items()}
            for metric in METRICS:
                values = one.values(metric)
                row[metric] = float(np.mean(values)) if values else None
                if estimate := self.estimates.get(one.name, {}).get(metric):
                    row |= {f"{metric}_low": estimate.low, f"{metric}_high": estimate.high}
                elif metric in ("accuracy", "macro_f1"):
                    row |= {f"{metric}_low": None, f"{metric}_high": None}
            values = one.values("accuracy")
            row["accuracy_spread_over_seeds"] = float(np.std(values, ddof=1)) if len(values) > 1 else None
            seconds = one.values("seconds/total")
            row["seconds"] = float(np.mean(seconds)) if seconds else None
            row |= {"seeds": ",".join(one.seeds), "run_ids": ",".join(run.run_id for run in one.runs)}
            rows.append(row)
        return rows

    def pair_table(self) -> list[dict[str, Any]]:
        """A row a pair: first minus second, with intervals, the p-value as it is and corrected for all pairs."""
        rows = []
        for pair in self.pairs:
            row: dict[str, Any] = {"first": pair.first, "second": pair.second}
            for score, estimate in pair.differences.items():
                row |= {f"{score}_difference": estimate.value}
                row |= {f"{score}_difference_low": estimate.low, f"{score}_difference_high": estimate.high}
            row |= {"test": pair.test, "p_value": pair.p_value, "corrected_p_value": pair.corrected_p}
            rows.append(row | {"different": self.different(pair)})
        return rows

    def lineage(self) -> dict[str, list[str]]:
        """What differs besides the parameters: name to the values in each configuration, cut to 12 characters."""
        runs = [run for one in self.configurations for run in one.runs]
        found = {name: tag for name, tag in LINEAGE.items() if len({run.tags.get(tag) for run in runs}) > 1}
        return {name: [_tag(one, tag) for one in self.configurations] for name, tag in found.items()}

    @property
    def sentence(self) -> str:
        """The finding in plain words."""
        best = self.configurations[0]
        if not best.values("accuracy"):
            return "No run has an accuracy."
        count = len(self.configurations)
        what = f"{best.name} has the highest accuracy of {count} configurations, {np.mean(best.values('accuracy')):.4f}"
        if count == 1:
            return f"One configuration, accuracy {np.mean(best.values('accuracy')):.4f}."
        own = [pair for pair in self.pairs if best.name in (pair.first, pair.second)]
        if not own:
            return f"{what}; no other was tested on the same rows, so it may be chance."
        alike = [pair.second if pair.first == best.name else pair.first for pair in own if not self.different(pair)]
        if not alike:
            return f"{what}; it differs from every other that was tested on the same rows ({len(own)})."
        return f"{what}; it cannot be told from {', '.join(alike[:10])}{' ...' if len(alike) > 10 else ''}."


def compared(configurations: list[Configuration], alpha: float, samples: int, seed: int) -> Comparison:
    """Pairs are made within each set of test rows, and corrected for the number of all of them together."""
    groups: dict[str, list[Configuration]] = {}
    notes = []
    for one in configurations:
        if one.test:
            groups.setdefault(one.test, []).append(one)
        elif missing := [run for run in one.runs if run.predictions is None]:
            notes.append(f"{one.name} {NO_PREDICTIONS.format(', '.join(run.run_id for run in missing))}")
        else:
            notes.append(
                f"the seeds of {one.name} were tested on different rows, so nothing is said of its pairs: train with a "
                "test of its own (test_dataset), or compare runs of evaluate"
            )
    if len(groups) > 1:
        said = "; ".join(" ".join(one.name for one in group) for group in groups.values())
        notes.append(f"tested on different rows, so no pair is made across: {said}")
    warned = {(one.name, text): None for one in configurations for run in one.runs for text in warnings_of(run)}
    notes += [f"{name} warns: {text}" for name, text in warned]
    estimates: dict[str, dict[str, Estimate]] = {}
    pairs: list[Pair] = []
    for group in groups.values():
        labels, pools = _aligned(group)
        own, found = compare(labels, pools, samples, seed)
        estimates |= own
        pairs += found
    corrected = holm([pair.p_value for pair in pairs]).tolist()
    pairs = [dataclasses.replace(pair, corrected_p=p) for pair, p in zip(pairs, corrected, strict=True)]
    tests = {letters(place).lower(): [one.name for one in group] for place, group in enumerate(groups.values())}
    return Comparison(configurations, estimates, pairs, tests, alpha, notes)


def warnings_of(run: RunRecord) -> list[str]:
    """What the run has warned of, in the order in which it did."""
    return [run.tags[name] for name in sorted(run.tags) if name.startswith(WARNING)]


def _aligned(group: Sequence[Configuration]) -> tuple[np.ndarray, dict[str, list[np.ndarray]]]:
    """(labels [rows], predictions [rows] of each run by configuration), as indices of the classes of all."""
    classes = sorted({name for one in group for run in one.runs for name in _of(run).classes})
    pools = {one.name: [_of(run).in_order(classes) for run in one.runs] for one in group}
    labels = next(iter(pools.values()))[0].labels
    return labels, {name: [run.predicted for run in runs] for name, runs in pools.items()}


def _tag(one: Configuration, tag: str) -> str:
    return ", ".join(dict.fromkeys(run.tags.get(tag, NONE)[:12] for run in one.runs))


def _of(run: RunRecord) -> Predictions:
    assert run.predictions is not None
    return run.predictions
