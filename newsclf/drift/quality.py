"""Quality: rows that hold nothing, or nothing new, or nothing known."""

from __future__ import annotations

from collections.abc import Mapping

from scipy import stats

from newsclf.drift.verdict import Evidence, Moved
from newsclf.stats.multiple_testing import bonferroni

LEAST = 0.01  # of the rows
SAID = {
    "empty": "are empty",
    "missing": "are missing",
    "duplicate": "repeat another row",
    "unreadable": "cannot be read",
    "unknown_class": "have a label that the reference does not know",
}


def judge(current: Mapping[str, int], rows: int, reference: Mapping[str, int], reference_rows: int) -> Evidence:
    """Whether the share of bad rows has risen, for each reason of SAID that both sides have counted.

    One-sided exact tests (Fisher): fewer bad rows than in the reference are no fault.
    """
    names = [name for name in SAID if name in current and name in reference]
    p_values = {
        name: float(
            stats.fisher_exact(
                [
                    [current[name], rows - current[name]],
                    [reference[name], reference_rows - reference[name]],
                ],
                alternative="greater",
            ).pvalue
        )
        for name in names
    }
    corrected = dict(zip(names, bonferroni([*p_values.values()]).tolist(), strict=True))
    rise = {name: current[name] / rows - reference[name] / reference_rows for name in names}
    # What rose by less than LEAST is a speck, however sure it is.
    risen = [name for name in names if rise[name] >= LEAST]
    worst = min(risen or names, key=lambda name: corrected[name])
    surest_first = sorted(names, key=lambda name: (corrected[name], -rise[name]))
    moved = tuple(Moved(name, corrected[name], rise[name]) for name in surest_first)
    changed = (
        f"{current[worst] / rows:.1%} of the rows {SAID[worst]}, "
        f"{reference[worst] / reference_rows:.1%} in the reference."
    )
    otherwise = "No more bad rows than before."
    return Evidence("quality", corrected[worst], rise[worst], "share of rows", LEAST, moved, changed, otherwise)
