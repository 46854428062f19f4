"""What simulate would do: the batches it writes, and what changes in them."""

from collections.abc import Iterator

from newsclf.config import SimulateConfig
from newsclf.data.simulation.drifting_stream import SENTENCES, amounts, spans
from newsclf.plans.reading import destination, lines, split_rows
from newsclf.verbs.simulate import resolve_auto


def plan(config: SimulateConfig) -> Iterator[str]:
    """The lines of a dry run."""
    config = resolve_auto(config)
    assert config.batches is not None
    assert config.begin is not None
    assert config.amount is not None
    changed = spans(amounts(config.kind, config.batches, config.begin, config.amount, config.period))
    where = ", ".join(f"{low} to {high}" if low < high else f"{low}" for low, high in changed)
    rows = (
        f"{config.batch_rows:,} rows each" if config.batch_rows else "as many rows each as the data allow, up to 1,000"
    )
    yield from lines(
        {
            "data": split_rows(config, config.split),
            "stream": f"{config.batches:,} batches from {config.start_date} on, {rows}",
            "change": f"{SENTENCES[config.mode]} in batches {where}" if where else "none",
        }
        | destination("simulate", config)
    )
