"""The gate before the champion's place: a challenger passes if labelled data says that it is better, and not worse."""

from dataclasses import dataclass

import numpy as np

from newsclf.evaluation.paired_configurations import Estimate
from newsclf.evaluation.scores import accuracy, class_scores, expected_calibration_error, macro_f1
from newsclf.stats.calibration import calibrated_log_likelihood
from newsclf.stats.paired import bootstrap, interval, mcnemar_p, paired_t_p

NO_CHAMPION = "there is no champion to compare with"


@dataclass(frozen=True)
class Limits:
    """What is allowed; see PromoteConfig, which has the same names."""

    accuracy_margin: float
    alpha: float
    recall_margin: float
    calibration_limit: float
    latency_ratio: float


@dataclass(frozen=True)
class Measured:
    """Both models on the same rows. name: old or new; labels: [rows] class indices; probabilities: [rows, classes]."""

    name: str
    labels: np.ndarray
    classes: tuple[str, ...]
    challenger: np.ndarray
    champion: np.ndarray | None


@dataclass(frozen=True)
class Check:
    """passed: None where there is no champion to compare with."""

    name: str
    passed: bool | None
    sentence: str


@dataclass(frozen=True)
class Decision:
    """numbers: by the names of their metrics; recalls: by test, of each class (challenger's, champion's or None)."""

    promote: bool
    checks: list[Check]
    numbers: dict[str, float]
    differences: dict[str, Estimate]
    recalls: dict[str, dict[str, tuple[float, float | None]]]

    @property
    def reason(self) -> str:
        """Why, in one sentence."""
        failed = [check.sentence for check in self.checks if check.passed is False]
        if failed:
            return "; ".join(failed)
        better = self.checks[1]
        return f"all checks passed, and {better.sentence}" if better.passed else f"it is calibrated, and {NO_CHAMPION}"


def run_gate(
    old: Measured,
    new: Measured | None,
    milliseconds: tuple[float, float | None],
    limits: Limits,
    samples: int,
    seed: int,
) -> Decision:
    """Hold the challenger against the champion on the old test and, where there is one, on the new.

    milliseconds: of one prediction, the challenger's and the champion's. Without a champion, what needs no comparison
    is judged alone. Without a new test, the challenger has to be better on the old one: what is no better is not worth
    a change.
    """
    tests = [old] if new is None else [old, new]
    numbers: dict[str, float] = {}
    differences: dict[str, Estimate] = {}
    for test in tests:
        differences |= _measure(test, numbers, samples, seed)
    recalls = {test.name: _recalls(test) for test in tests}
    numbers["latency_ms"] = milliseconds[0]
    checks = [_not_worse(differences, limits), _better(tests[-1].name, numbers, limits)]
    checks += [_no_class_falls(test.name, recalls[test.name], numbers, limits) for test in tests]
    checks += [_calibrated(test.name, numbers, limits) for test in tests]
    checks += [_quick(milliseconds, numbers, limits)]
    return Decision(all(check.passed is not False for check in checks), checks, numbers, differences, recalls)


def _measure(test: Measured, numbers: dict[str, float], samples: int, seed: int) -> dict[str, Estimate]:
    """Add the test's scores to `numbers`; the paired difference of accuracy, if there is a champion."""
    name, predicted = test.name, test.challenger.argmax(axis=1)
    numbers[f"{name}/rows"] = len(test.labels)
    numbers[f"{name}/accuracy"] = accuracy(test.labels, predicted)
    numbers[f"{name}/macro_f1"] = macro_f1(test.labels, predicted)
    numbers[f"{name}/expected_calibration_error"] = expected_calibration_error(test.labels, test.challenger)
    if test.champion is None:
        return {}
    other = test.champion.argmax(axis=1)
    draws = bootstrap(test.labels, [predicted, other], samples, seed)["accuracy"]
    numbers[f"{name}/champion_accuracy"] = accuracy(test.labels, other)
    numbers[f"{name}/champion_macro_f1"] = macro_f1(test.labels, other)
    value = numbers[f"{name}/accuracy"] - numbers[f"{name}/champion_accuracy"]
    found = Estimate(value, *interval(draws[0] - draws[1]))
    numbers[f"{name}/accuracy_difference"] = found.value
    numbers[f"{name}/accuracy_difference_low"] = found.low
    numbers[f"{name}/accuracy_difference_high"] = found.high
    ours, theirs = (calibrated_log_likelihood(test.labels, side) for side in (test.challenger, test.champion))
    numbers[f"{name}/tempered_log_loss"] = float(-ours.mean())
    numbers[f"{name}/champion_tempered_log_loss"] = float(-theirs.mean())
    tests = (mcnemar_p(test.labels, predicted, other, "greater"), paired_t_p(ours, theirs, "greater"))
    numbers[f"{name}/better_p"] = min(1.0, 2 * min(tests))  # the smaller of two, corrected
    return {name: found}


def _recalls(test: Measured) -> dict[str, tuple[float, float | None]]:
    """Of each class that has rows."""
    there = np.flatnonzero(np.bincount(test.labels, minlength=len(test.classes)))
    sides = [
        None if side is None else class_scores(test.labels, side.argmax(axis=1), len(test.classes))["recall"]
        for side in (test.challenger, test.champion)
    ]
    assert sides[0] is not None
    return {
        test.classes[place]: (float(sides[0][place]), None if sides[1] is None else float(sides[1][place]))
        for place in there
    }


def _not_worse(differences: dict[str, Estimate], limits: Limits) -> Check:
    name = "not worse on the old test"
    if "old" not in differences:
        return Check(name, None, NO_CHAMPION)
    found = differences["old"]
    said = (
        f"on the old test {found.value:+.4f} accuracy (95 % interval {found.low:+.4f} to {found.high:+.4f}): the lower "
        f"end must not be below {-limits.accuracy_margin:g}"
    )
    return Check(name, found.low >= -limits.accuracy_margin, said)


def _better(test: str, numbers: dict[str, float], limits: Limits) -> Check:
    """Better is more rows right (McNemar's exact test) or a lower log-loss (paired t-test) at no lower accuracy.

    The second sees improvements of which the first would need many times the rows. Each model's loss is at its best
    temperature: with wrong labels, or texts that nobody can tell, the less sure of two models has the lower one,
    whichever knows more; how well it is calibrated is another check.
    """
    name = f"better on the {test} test"
    if f"{test}/better_p" not in numbers:
        return Check(name, None, NO_CHAMPION)
    difference = numbers[f"{test}/accuracy_difference"]
    p = numbers[f"{test}/better_p"]
    loss, before = numbers[f"{test}/tempered_log_loss"], numbers[f"{test}/champion_tempered_log_loss"]
    said = (
        f"on the {test} test {difference:+.4f} accuracy, log-loss at the best temperature {loss:.4f} after "
        f"{before:.4f}, p {p:.3g}: accuracy must not be lower, and p below {limits.alpha:g}"
    )
    return Check(name, difference >= 0 and p < limits.alpha, said)


def _no_class_falls(
    test: str, recalls: dict[str, tuple[float, float | None]], numbers: dict[str, float], limits: Limits
) -> Check:
    name = f"no class falls on the {test} test"
    changes = {label: ours - theirs for label, (ours, theirs) in recalls.items() if theirs is not None}
    if not changes:
        return Check(name, None, NO_CHAMPION)
    worst = min(changes, key=lambda label: changes[label])
    numbers[f"{test}/worst_recall_change"] = changes[worst]
    said = (
        f"on the {test} test the recall of {worst} changes by {changes[worst]:+.4f}, the lowest of all: no class may "
        f"fall by more than {limits.recall_margin:g}"
    )
    return Check(name, changes[worst] >= -limits.recall_margin, said)


def _calibrated(test: str, numbers: dict[str, float], limits: Limits) -> Check:
    error = numbers[f"{test}/expected_calibration_error"]
    said = f"expected calibration error on the {test} test {error:.4f}, at most {limits.calibration_limit:g} is allowed"
    return Check(f"calibrated on the {test} test", error <= limits.calibration_limit, said)


def _quick(milliseconds: tuple[float, float | None], numbers: dict[str, float], limits: Limits) -> Check:
    ours, theirs = milliseconds
    if theirs is None:
        return Check("as quick", None, NO_CHAMPION)
    numbers |= {"champion_latency_ms": theirs, "latency_ratio": ours / theirs}
    said = (
        f"a prediction takes {ours:.1f} ms, the champion's {theirs:.1f} ms: {ours / theirs:.2f} times as long, and "
        f"{limits.latency_ratio:g} times is allowed"
    )
    return Check("as quick", ours / theirs <= limits.latency_ratio, said)
