"""What profile would do: how many rows it counts, how many of them are embedded, and what they are compared with."""

from collections.abc import Iterator

from newsclf.config import ProfileConfig
from newsclf.data import open_stream
from newsclf.fetching import NotFetched
from newsclf.plans.reading import destination, lines
from newsclf.profiling.writers import check_destination


def plan(config: ProfileConfig) -> Iterator[str]:
    """The lines of a dry run; all rows are read, which is what takes profile its time, too."""
    check_destination(config.write_to)
    parts = {}
    try:
        stream = open_stream(config, config.split)
        count = sum(map(len, stream.chunks()))
        embedded = min(count, config.embedded_rows) if config.reference or config.model else 0
        unreadable = f", {stream.unreadable:,} that cannot be read" if stream.unreadable else ""
        parts["data"] = f"{stream.name}: {count:,} rows{unreadable}; {embedded:,} of them are embedded"
    except NotFetched as missing:
        parts["data"] = str(missing)
    parts["reference"] = f"{config.reference} (not looked up)" if config.reference else "none: no verdict"
    sent = {} if config.write_to == "none" else {"sent": config.write_to}
    yield from lines(parts | destination("profile", config) | sent)
