"""What evaluate would do: its rows, and the models that are measured on them."""

from collections.abc import Iterator

from newsclf.config import EvaluateConfig
from newsclf.plans.reading import destination, lines, model_there, split_rows


def plan(config: EvaluateConfig) -> Iterator[str]:
    """The lines of a dry run."""
    parts = {"data": split_rows(config, config.split), "model": model_there(config.model)}
    if config.baseline is not None:
        parts["baseline"] = model_there(config.baseline)
    yield from lines(parts | destination("evaluate", config))
