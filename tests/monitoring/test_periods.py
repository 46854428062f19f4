"""Hours, days and ISO weeks, all by UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from newsclf.monitoring.periods import LENGTHS, begin_of, name_of_period


@pytest.mark.parametrize(
    ("by", "begin", "name"),
    [
        ("hour", datetime(2026, 1, 1, 23, tzinfo=UTC), "2026-01-01T23"),
        ("day", datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01"),
        ("week", datetime(2025, 12, 29, tzinfo=UTC), "2026-W01"),  # a Monday of the old year
    ],
)
def test_the_period_of_a_moment(by: str, begin: datetime, name: str) -> None:
    there = datetime(2026, 1, 2, 1, 30, 5, tzinfo=timezone(timedelta(hours=2)))  # 23:30 of the day before, in UTC
    assert begin_of(there, by) == begin
    assert name_of_period(begin, by) == name


@pytest.mark.parametrize("by", LENGTHS)
def test_a_period_ends_where_the_next_begins(by: str) -> None:
    begin = begin_of(datetime(2026, 3, 5, 12, 30, tzinfo=UTC), by)
    last = begin + LENGTHS[by] - timedelta(microseconds=1)
    assert begin_of(begin, by) == begin_of(last, by) == begin
    assert begin_of(begin + LENGTHS[by], by) == begin + LENGTHS[by]
