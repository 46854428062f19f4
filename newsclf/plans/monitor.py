"""What monitor would do: the batches of its stream, and what watches them."""

from collections.abc import Iterator

from newsclf.config import MonitorConfig
from newsclf.drift.kinds import NAMES
from newsclf.messages import listed
from newsclf.monitoring.batches import name_of
from newsclf.monitoring.notifier import notification_urls
from newsclf.monitoring.rules import parse_monitors, parse_windows
from newsclf.plans.reading import destination, lines, stream_batches


def plan(config: MonitorConfig) -> Iterator[str]:
    """The lines of a dry run; the whole stream is read."""
    told = len(notification_urls(config.notify))
    windows = parse_windows(config.windows)
    monitors = parse_monitors(config.monitors, windows, NAMES, config.min_rows)
    yield from stream_batches(config)
    watched = listed(one.name for one in monitors) or "none, so no alerts"
    parts = {"reference": f"{config.reference} (not looked up)", "monitors": watched, "notify": f"{told} addresses"}
    yield from lines(parts | destination("monitor", config, f"outputs/monitor/{name_of(config.stream)}"))
