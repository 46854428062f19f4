"""What sweep would do: the trials, each a run of train."""

from collections.abc import Iterator

from newsclf.config import SweepConfig
from newsclf.plans.reading import destination, lines
from newsclf.tuning.space import read_space

SHOWN = 20


def plan(config: SweepConfig) -> Iterator[str]:
    """The lines of a dry run."""
    space = read_space(config)
    rows = space.rows or []
    for number, row in enumerate(rows[:SHOWN], 1):
        yield f"trial {number}  " + " ".join(f"{name}={value}" for name, value in row.items())
    if len(rows) > SHOWN:
        yield f"and {len(rows) - SHOWN} more"
    trials = f"{len(rows):,}" if space.rows is not None else f"{config.trials:,} of {', '.join(space.names)}"
    fixed = " ".join(f"{name}={value}" for name, value in space.fixed.items())
    one = f"newsclf train --dry-run {fixed}".strip()
    parts = {"trials": f"{trials}, {config.parallel} at a time; a trial has failed {config.retries + 1} times at most"}
    yield from lines(parts | {"time": f"of one: {one}"} | destination("sweep", config, "outputs/sweep/<name>"))
