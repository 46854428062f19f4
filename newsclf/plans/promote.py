"""What promote would do: which versions it compares, on which rows."""

from collections.abc import Iterator
from dataclasses import fields

from newsclf.config import DataOptions, PromoteConfig, ReadingOptions
from newsclf.data import own_split
from newsclf.errors import InputError
from newsclf.plans.reading import destination, lines, split_rows, tracking_store
from newsclf.tracking.registry import versions as registry


def plan(config: PromoteConfig) -> Iterator[str]:
    """The lines of a dry run."""
    registry.check_name(config.name)
    if not config.old_dataset and not config.rollback:
        raise InputError("option old_dataset is missing: the test rows that the champion was good at")
    with tracking_store():
        client = registry.registry_client()
        champion = registry.version_by_alias(client, config.name, registry.CHAMPION)
        parts = {"champion": f"version {champion.version} of {config.name}" if champion else "none yet"}
        if not config.rollback:
            wanted = config.model or f"models:/{config.name}@{registry.CHALLENGER}"
            parts["challenger"] = (
                f"version {registry.find_version(client, config.name, wanted).version} of {config.name}"
            )
    if config.rollback:
        parts["rollback"] = "the champion before this one is champion again; nothing is measured"
    reading = {field.name: getattr(config, field.name) for field in fields(ReadingOptions)}
    for name, dataset in {"old test": config.old_dataset, "new test": config.new_dataset}.items():
        if dataset and not config.rollback:
            parts[name] = split_rows(DataOptions(dataset=dataset, **reading), own_split(dataset, "test"))
    yield from lines(parts | destination("promote", config))
