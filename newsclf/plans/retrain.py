"""What retrain would do: the batches of its stream, and the model that it would improve."""

from collections.abc import Iterator

from newsclf.config import RetrainConfig
from newsclf.monitoring.batches import name_of
from newsclf.plans.reading import destination, lines, stream_batches, tracking_store
from newsclf.tracking.registry import versions as registry
from newsclf.verbs.retrain import check


def plan(config: RetrainConfig) -> Iterator[str]:
    """The lines of a dry run; the whole stream is read. Whether it has drifted is told by a run alone."""
    check(config)
    name = config.champion.removeprefix("models:/").partition("@")[0].partition("/")[0]
    with tracking_store():
        version = registry.find_version(registry.registry_client(), name, config.champion).version
    yield from stream_batches(config)
    parts = {"champion": f"version {version} of {name}", "labelled": config.labelled or "the rows of the stream"}
    then = "a run of monitor; where it finds a drift, runs of train and promote"
    yield from lines(
        parts | {"runs": then} | destination("retrain", config, f"outputs/retrain/{name_of(config.stream)}")
    )
