"""Changes over a stream: batch by batch they are those that a look at all batches finds."""

from collections.abc import Sequence

import numpy as np
import pytest

from newsclf.drift.evidence import Evidence
from newsclf.drift.over_time import CHANGES
from newsclf.drift.verdict import combine_evidence, not_enough_data
from newsclf.monitoring.judging import History, changes_over
from newsclf.monitoring.state import Record, newest


def record(number: int, name: str, p_value: float | None) -> Record:
    verdict = not_enough_data(3, 50, 0.05)
    if p_value is not None:
        verdict = combine_evidence([Evidence("covariate", p_value, 0.5, "", 0.0, (), "", "")], 100, 0.05)
    return Record(number, name, f"key {number}", None, "2026-01-01", 100, {"rows": 100.0}, verdict.as_dict())


def numbers_of(one: Record, before: Sequence[Record]) -> dict[str, float]:
    """By a look at all batches."""
    records = [*before, one]
    here = {change.kind for change in changes_over(records) if change.detected == len(records) - 1}
    return {"rows": 100.0, "change": float(bool(here)), **{f"change/{kind}": float(kind in here) for kind in CHANGES}}


@pytest.mark.parametrize("seed", range(10))
def test_batch_by_batch_as_by_a_look_at_all(seed: int) -> None:
    """With batches that cannot be judged, batches that come again under their name, and a call that goes on."""
    random = np.random.default_rng(seed)
    history, before = History([]), list[Record]()
    found = 0
    for number in range(1, 121):
        p_value = float(10 ** -random.exponential(3) if random.random() < 0.4 else random.random())
        name = f"batch {random.integers(1, number + 1) if random.random() < 0.1 else number}"
        one = record(number, name, p_value if random.random() < 0.9 else None)
        added = history.add(one)
        assert added.numbers == numbers_of(one, before)
        found += int(added.numbers["change"])
        before = newest([*before, added])
        assert history.records == before
        if number % 50 == 0:
            history = History(before)
    assert found > 1
