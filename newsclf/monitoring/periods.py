"""Hours, days and weeks of UTC: what a batch may span."""

from datetime import UTC, datetime, timedelta

LENGTHS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}


def begin_of(moment: datetime, by: str) -> datetime:
    """The begin of the period that holds `moment` (with a time zone); by: a key of LENGTHS. Weeks begin on Monday."""
    hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if by == "hour":
        return hour
    day = hour.replace(hour=0)
    return day if by == "day" else day - timedelta(days=day.weekday())


def name_of_period(begin: datetime, by: str) -> str:
    """ "2026-01-31T15", "2026-01-31" or, by ISO weeks, "2026-W05"."""
    if by == "week":
        year, week, _ = begin.isocalendar()
        return f"{year}-W{week:02}"
    return f"{begin:%Y-%m-%dT%H}" if by == "hour" else f"{begin:%Y-%m-%d}"
