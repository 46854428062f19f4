"""Hours, days and weeks of UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from newsclf.monitoring.periods import begin_of, name_of_period

LATE = datetime(2026, 1, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-2)))  # the next day, 1:59, in UTC


@pytest.mark.parametrize(
    ("by", "begin", "name"),
    [
        ("hour", datetime(2026, 2, 1, 1, tzinfo=UTC), "2026-02-01T01"),
        ("day", datetime(2026, 2, 1, tzinfo=UTC), "2026-02-01"),
        ("week", datetime(2026, 1, 26, tzinfo=UTC), "2026-W05"),
    ],
)
def test_a_moment_lies_in_a_period_of_utc(by: str, begin: datetime, name: str) -> None:
    assert begin_of(LATE, by) == begin
    assert begin_of(begin, by) == begin
    assert name_of_period(begin, by) == name


def test_the_first_days_of_a_year_may_be_of_the_last_year_s_last_week() -> None:
    assert name_of_period(begin_of(datetime(2027, 1, 2, tzinfo=UTC), "week"), "week") == "2026-W53"
