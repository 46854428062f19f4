"""The verdict from two stored profiles alone, without any text, for what profiles can show."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy import stats

from newsclf.drift import covariate, performance, prior, quality
from newsclf.drift.concept import LEAST as LEAST_AGREEMENT
from newsclf.drift.verdict import Evidence, Moved, Verdict, decide, not_enough_data, not_judged, too_few_filled
from newsclf.errors import InputError
from newsclf.profiling.profile import TEXT, TextProfile
from newsclf.profiling.summary import ColumnSummary, duplicate_share, summarise
from newsclf.stats.two_sample import LEVELS, compare_bins

LEAST_ROWS = 50
# Of these, each has a test of its own.
NOT_COVARIATE = ("empty", "missing", "confidence", "entropy", "margin", "label_probability", "correct")


def judge_profiles(
    reference_profile: TextProfile | Path | str,
    current_profile: TextProfile | Path | str,
    alpha: float = 0.05,
    least_rows: int = LEAST_ROWS,
) -> Verdict:
    """Whether the rows of one profile have drifted from those of the other, by kind.

    The profiles come from one reference (its own `profile`, and `Reference.columns` of the other rows) or, both, from
    none. Sketches are off by a little: that counts as if there were fewer rows. Where labels show that class shares
    moved, the texts are not judged: what follows from the shares alone cannot be told apart.
    With fewer than `least_rows` rows, or texts that are not empty, the verdict is as that of `Reference.judge`.
    Raises InputError for profiles of different references and for files that cannot be read.
    """
    before, now = _read(reference_profile), _read(current_profile)
    for key, what in (("reference", "references"), ("encoder_sha256", "encoders")):
        one, other = getattr(before, key), getattr(now, key)
        if one != other:
            raise InputError(
                f"profiles of different {what} cannot be compared ({one or 'none'}, {other or 'none'}): "
                "profile both with the same reference"
            )
    if now.rows < least_rows:
        return not_enough_data(now.rows, least_rows, alpha)
    old, new = summarise(before), summarise(now)
    bad_rows = _quality(before, now, old, new)
    empty = round(new["empty"].mean * new["empty"].values) if "empty" in new else 0
    if now.rows - empty < least_rows:
        return too_few_filled(bad_rows, now.rows - empty, least_rows, now.rows, alpha)
    shares = _prior(old, new, "label")
    moved = shares.p_value is not None and shares.p_value * 5 <= alpha and (shares.effect or 0) >= shares.least
    texts = _covariate(old, new)
    if moved:
        texts = not_judged("covariate", "The class shares moved; profiles do not show what changed besides.")
    if shares.p_value is None:
        shares = _prior(old, new, "predicted_label")
    evidence = [bad_rows, texts, shares, _concept(old, new), _performance(old, new)]
    return decide(evidence, now.rows, alpha)


def _read(profile: TextProfile | Path | str) -> TextProfile:
    return profile if isinstance(profile, TextProfile) else TextProfile.read(profile)


def _quality(
    before: TextProfile, now: TextProfile, old: Mapping[str, ColumnSummary], new: Mapping[str, ColumnSummary]
) -> Evidence:
    def counts(profile: TextProfile, columns: Mapping[str, ColumnSummary]) -> dict[str, int]:
        shares = {name: columns[name] for name in ("empty", "missing") if name in columns}
        found = {name: round(column.mean * column.values) for name, column in shares.items()}
        repeated = duplicate_share(profile)
        return found if np.isnan(repeated) else found | {"duplicate": round(repeated * columns[TEXT].values)}

    current, reference = counts(now, new), counts(before, old)
    if "label" in new and "label" in old:
        known = set(old["label"].items)
        current["unknown_class"] = sum(rows for name, rows in new["label"].items.items() if name not in known)
        reference["unknown_class"] = 0
    if not set(current) & set(reference):
        return not_judged("quality", "The profiles do not count bad rows.")
    return quality.judge(current, now.rows, reference, before.rows)


def _covariate(old: Mapping[str, ColumnSummary], new: Mapping[str, ColumnSummary]) -> Evidence:
    numbers = [name for name, column in old.items() if column.kind == "number" and name in new and column.values > 1]
    along = [name for name in numbers if name.startswith("direction_")]
    single = [name for name in numbers if name not in along and name not in NOT_COVARIATE]
    single = [name for name in single if name not in covariate.SAID_BY_OTHERS]
    single = [name for name in single if not name.startswith("distance_to_")]
    found = {name: (*_compare(new[name], old[name]), covariate.LEAST_SHARE) for name in single}
    if along:
        found[covariate.DIRECTIONS] = (*_shift([new[n] for n in along], [old[n] for n in along]), covariate.LEAST_SHIFT)
    return covariate.evidence(found) if found else not_judged("covariate", "The profiles have no columns in common.")


def _prior(old: Mapping[str, ColumnSummary], new: Mapping[str, ColumnSummary], column: str) -> Evidence:
    if column not in old or column not in new or not new[column].values:
        return not_judged("prior", "The profiles have neither labels nor predicted labels.")
    classes = list(old[column].items)
    current = np.array([new[column].items.get(name, 0) for name in classes])
    if len(classes) < 2 or not current.sum():
        return not_judged("prior", "The profiles have fewer than two classes in common.")
    return prior.judge(current, np.array([old[column].items[name] for name in classes]), classes)


def _concept(old: Mapping[str, ColumnSummary], new: Mapping[str, ColumnSummary]) -> Evidence:
    column = "label_probability"
    if column not in old or column not in new or new[column].values < 2:
        return not_judged("concept", "It takes labels and predictions on both sides to see it.")
    p_value, _ = _compare(new[column], old[column])
    now, before = new["correct"].mean, old["correct"].mean
    changed = f"Labels agree with the predictor in {now:.1%} of the rows, {before:.1%} before."
    moved = (Moved(column, p_value, now - before),)
    otherwise = "Labels mean what they meant in the reference."
    return Evidence("concept", p_value, now - before, "agreement", LEAST_AGREEMENT, moved, changed, otherwise)


def _performance(old: Mapping[str, ColumnSummary], new: Mapping[str, ColumnSummary]) -> Evidence:
    for column, how in (("correct", ""), ("confidence", "estimated ")):
        if column in old and column in new and min(new[column].values, old[column].values) > 1:
            now, before = new[column], old[column]
            fall = stats.ttest_ind_from_stats(
                now.mean, now.std, now.values, before.mean, before.std, before.values, False, alternative="less"
            )
            p_value = 1.0 if np.isnan(fall.pvalue) else float(fall.pvalue)
            return performance.evidence(now.mean, before.mean, p_value, how)
    return not_judged("performance", "The profiles hold no predictions.")


def _compare(now: ColumnSummary, before: ColumnSummary) -> tuple[float, float]:
    """p-value and total variation, in bins of the first profile; missing values are a bin of their own."""
    edges = np.unique(before.quantile(LEVELS))
    counts, shares = (
        np.append(np.diff(side.cdf(edges), prepend=0, append=1) * side.values, side.nulls) for side in (now, before)
    )
    counts, shares = np.nan_to_num(counts).clip(0), np.nan_to_num(shares).clip(0)  # NaN: a side without values
    return compare_bins(counts / counts.sum() * _number(now), shares / shares.sum(), _number(before))


def _number(column: ColumnSummary) -> float:
    """The rows that would be as uncertain without a sketch: its error holds in 99 %, so 2.6 standard deviations."""
    error = column.rank_error / 2.6
    return 1 / (1 / column.rows + error**2 / 0.25)


def _shift(now: list[ColumnSummary], before: list[ColumnSummary]) -> tuple[float, float]:
    """As `stats.two_sample.hotelling`, from means and variances: directions are uncorrelated by their making."""
    difference = np.array([one.mean - other.mean for one, other in zip(now, before, strict=True)])
    n, m = now[0].values, before[0].values
    if n < 2:
        return 1.0, 0.0
    variance = np.array(
        [((n - 1) * one.std**2 + (m - 1) * other.std**2) / (n + m - 2) for one, other in zip(now, before, strict=True)]
    )
    distance = float((difference**2 / np.maximum(variance, 1e-12)).sum())
    p_value = float(stats.chi2.sf(distance * n * m / (n + m), len(difference)))
    return p_value, float(np.sqrt(max(0.0, distance - len(difference) * (1 / n + 1 / m))))
