"""Whether configurations differ on the same test rows, each of them trained with one seed or several."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from newsclf.evaluation.scores import accuracy, macro_f1
from newsclf.stats.paired import LEVEL, bootstrap, interval, mcnemar_p

SCORES = {"accuracy": accuracy, "macro_f1": macro_f1}
MCNEMAR, WELCH = "McNemar", "bootstrap t"


@dataclass(frozen=True)
class Estimate:
    """A score, or a difference of two, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Pair:
    """first minus second. test: where the p-value comes from; corrected_p: for the number of pairs, by Holm."""

    first: str
    second: str
    differences: dict[str, Estimate]
    test: str
    p_value: float
    corrected_p: float = math.nan


def compare(
    labels: np.ndarray, pools: Mapping[str, Sequence[np.ndarray]], samples: int, seed: int
) -> tuple[dict[str, dict[str, Estimate]], list[Pair]]:
    """The scores of each pool (accuracy, macro_f1), and each pair of pools; p-values are not corrected yet.

    labels: [rows] class indices; pools: by name, the predictions [rows] of each seed of a configuration.

    Every resample draws rows, the same for all, and of every pool of n seeds n - 1 seeds: rows and seeds are both
    drawn, as in Owen, The pigeonhole bootstrap (Annals of Applied Statistics, 2007); of n, n - 1 are drawn, so that the
    variance between few seeds is not understated (Rao and Wu, JASA, 1988). What a seed does to single rows is counted
    more than once, which errs on the careful side (Owen). Two single runs: the percentile interval
    and McNemar's exact test. Where there are several seeds: Student's t with the bootstrap's standard error and
    Satterthwaite's degrees of freedom. A single run says nothing of how it would have gone with another seed.
    """
    draws = bootstrap(labels, [predicted for pool in pools.values() for predicted in pool], samples, seed)
    random = np.random.default_rng([seed, 1])
    weights = {name: _seed_weights(len(pool), samples, random) for name, pool in pools.items()}
    ends = np.cumsum([len(pool) for pool in pools.values()])
    places = {name: slice(end - len(pool), end) for (name, pool), end in zip(pools.items(), ends, strict=True)}
    means: dict[str, dict[str, _Pooled]] = {name: {} for name in pools}
    for score, function in SCORES.items():
        for name, pool in pools.items():
            observed = np.array([function(labels, predicted) for predicted in pool])
            drawn = (draws[score][places[name]] * weights[name].T).sum(axis=0)
            means[name][score] = _Pooled(observed, drawn)
    scores = {name: {score: _within(_estimate(pooled)) for score, pooled in own.items()} for name, own in means.items()}
    pairs = []
    for first, second in itertools.combinations(pools, 2):
        differences = {score: _estimate(means[first][score], means[second][score]) for score in SCORES}
        if len(pools[first]) == len(pools[second]) == 1:
            test, p = MCNEMAR, mcnemar_p(labels, pools[first][0], pools[second][0])
        else:
            test, p = WELCH, _t_test(means[first]["accuracy"], means[second]["accuracy"])[2]
        pairs.append(Pair(first, second, differences, test, p))
    return scores, pairs


@dataclass(frozen=True)
class _Pooled:
    """observed: [seeds]; drawn: [samples], the mean over the seeds of a resample."""

    observed: np.ndarray
    drawn: np.ndarray

    @property
    def between_seeds(self) -> float:
        """The variance of the mean that comes from the seeds; 0 for one seed, of which it is not known."""
        return float(self.observed.var(ddof=1) / len(self.observed)) if len(self.observed) > 1 else 0.0


def _seed_weights(seeds: int, samples: int, random: np.random.Generator) -> np.ndarray:
    """[samples, seeds]; each row's sum is 1."""
    draws = max(1, seeds - 1)
    return random.multinomial(draws, np.full(seeds, 1 / seeds), size=samples) / draws


def _estimate(first: _Pooled, second: _Pooled | None = None) -> Estimate:
    value = float(first.observed.mean() - (second.observed.mean() if second else 0.0))
    if len(first.observed) == 1 and (second is None or len(second.observed) == 1):
        return Estimate(value, *interval(first.drawn - (second.drawn if second else 0.0)))
    error, quantile, _ = _t_test(first, second)
    return Estimate(value, value - quantile * error, value + quantile * error)


def _within(score: Estimate) -> Estimate:
    return Estimate(score.value, max(0.0, score.low), min(1.0, score.high))


def _t_test(first: _Pooled, second: _Pooled | None = None) -> tuple[float, float, float]:
    """(standard error, t's quantile for the interval, p-value of the hypothesis that there is no difference)."""
    sides = [first] if second is None else [first, second]
    drawn = first.drawn - (second.drawn if second else 0.0)
    value = first.observed.mean() - (second.observed.mean() if second else 0.0)
    variance = float(drawn.var(ddof=1))
    # Satterthwaite: rows are many, so that their part has no limit to its degrees of freedom.
    uncertain = sum(side.between_seeds**2 / (len(side.observed) - 1) for side in sides if len(side.observed) > 1)
    freedom = variance**2 / uncertain if uncertain > 0 else math.inf
    if variance == 0:
        return 0.0, 0.0, 1.0 if value == 0 else 0.0
    error = math.sqrt(variance)
    return error, float(t.ppf((1 + LEVEL) / 2, freedom)), float(2 * t.sf(abs(value) / error, freedom))
