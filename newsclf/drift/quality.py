"""Quality: rows that hold nothing, or nothing new, or nothing known."""

from collections.abc import Mapping

import numpy as np
from scipy import stats

from newsclf.drift.batch import HeldOut, TextBatch
from newsclf.drift.evidence import ColumnEffect, Evidence, not_judged
from newsclf.profiling.profile import TEXT
from newsclf.profiling.summary import ColumnSummary, rows_of
from newsclf.stats.multiple_testing import bonferroni

NAME = "quality"
RETRAINABLE = False  # of empty, repeated and unreadable texts a new model would only learn the noise
MIN_EFFECT = 0.01  # of the rows
REASONS = {
    "empty": "are empty",
    "missing": "are missing",
    "duplicate": "repeat another row",
    "unreadable": "cannot be read",
    "repeats_a_batch": "repeat an earlier batch",
    "unknown_class": "have a label that the reference does not know",
}


def judge(batch: TextBatch, reference: HeldOut, _: np.ndarray | None = None) -> Evidence:
    """Whether the batch has a larger share of bad rows than the reference."""
    return compare(batch.bad_rows, batch.rows, {"repeats_a_batch": 0, **reference.counts}, reference.rows)


def judge_profiles(now: Mapping[str, ColumnSummary], before: Mapping[str, ColumnSummary], _: bool = False) -> Evidence:
    """As `judge`, of what two profiles have counted."""
    current, reference = _counts(now), _counts(before)
    if "label" in now and "label" in before:
        known = set(before["label"].items)
        current["unknown_class"] = sum(rows for name, rows in now["label"].items.items() if name not in known)
        reference["unknown_class"] = 0
    if not set(current) & set(reference):
        return not_judged(NAME, "The profiles do not count bad rows.")
    return compare(current, rows_of(now), reference, rows_of(before))


def compare(current: Mapping[str, int], rows: int, reference: Mapping[str, int], reference_rows: int) -> Evidence:
    """Whether the share of bad rows has risen, for each reason of REASONS that both sides have counted.

    One-sided exact tests (Fisher): fewer bad rows than in the reference are no fault.

    >>> found = compare({"empty": 30}, 1000, {"empty": 10}, 1000)
    >>> round(found.p_value, 4), round(found.effect, 4), found.changed
    (0.001, 0.02, '3.0% of the rows are empty, 1.0% in the reference.')
    """
    names = [name for name in REASONS if name in current and name in reference]
    tables = (
        [[current[name], rows - current[name]], [reference[name], reference_rows - reference[name]]] for name in names
    )
    p_values = [float(stats.fisher_exact(table, alternative="greater").pvalue) for table in tables]
    corrected = dict(zip(names, bonferroni(p_values).tolist(), strict=True))
    rise = {name: current[name] / rows - reference[name] / reference_rows for name in names}
    # What rose by less than MIN_EFFECT is a speck, however sure it is.
    risen = [name for name in names if rise[name] >= MIN_EFFECT]
    worst = min(risen or names, key=lambda name: corrected[name])
    surest_first = sorted(names, key=lambda name: (corrected[name], -rise[name]))
    tested = tuple(ColumnEffect(name, corrected[name], rise[name]) for name in surest_first)
    changed = (
        f"{current[worst] / rows:.1%} of the rows {REASONS[worst]}, "
        f"{reference[worst] / reference_rows:.1%} in the reference."
    )
    otherwise = "No more bad rows than before."
    return Evidence(NAME, corrected[worst], rise[worst], "share of rows", MIN_EFFECT, tested, changed, otherwise)


def _counts(columns: Mapping[str, ColumnSummary]) -> dict[str, int]:
    shares = {name: columns[name] for name in ("empty", "missing") if name in columns}
    counts = {name: round(column.mean * column.values) for name, column in shares.items()}
    if TEXT in columns and columns[TEXT].values:
        counts["duplicate"] = round(columns[TEXT].duplicate_share * columns[TEXT].values)
    return counts
