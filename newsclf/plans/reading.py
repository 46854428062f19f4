"""What plans say of data, models and runs, and how they look at a tracking store without making one."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from newsclf.config import DataOptions, RunOptions
from newsclf.config.shared import StreamOptions
from newsclf.data import Dataset, load_split
from newsclf.errors import InputError
from newsclf.fetching import NotFetched
from newsclf.messages import one_line
from newsclf.monitoring.batches import batches
from newsclf.monitoring.profile_batches import of_profiles
from newsclf.tracking.database import sqlite_path
from newsclf.tracking.registry.versions import find_version, registry_client
from newsclf.tracking.runs import earlier_run
from newsclf.tracking.server import (
    ARTIFACT_ROOT,
    FIRST_CONTACT_SECONDS,
    address_of,
    is_server,
    limited,
    quiet,
    set_defaults,
    tracking_uri,
)


@contextmanager
def tracking_store() -> Iterator[None]:
    """Inside, runs and models may be looked up. Raises InputError where there are none: looking would make a store."""
    uri = tracking_uri()
    if (database := sqlite_path(uri)) is not None:
        if not database.is_file():
            raise InputError(f"{address_of(uri)} is not there yet, so it has no runs and no models")
        os.environ[ARTIFACT_ROOT] = str(database.parent)  # MLflow makes the folder, where it is not there
    quiet()
    set_defaults()
    with limited(FIRST_CONTACT_SECONDS):
        yield


def lines(parts: Mapping[str, str]) -> Iterator[str]:
    """A line a part, as the last lines of a verb."""
    width = max(map(len, parts), default=0)
    for name, text in parts.items():
        yield f"{name:{width}}  {text}"


def described(dataset: Dataset) -> str:
    """Its classes, and its rows by split."""
    rows = ", ".join(f"{len(frame):,} {split}" for split, frame in dataset.splits.items())
    return f"{dataset.name}: {len(dataset.classes)} classes, {rows} rows"


def split_rows(options: DataOptions, split: str) -> str:
    """What is said of the rows of one split; also where they would be fetched first."""
    try:
        dataset = load_split(options, split)
    except NotFetched as missing:
        return str(missing)
    frame = dataset.splits[split]
    return f"{dataset.name}: {len(frame):,} {split} rows of {frame['label'].nunique()} classes"


def stream_batches(options: StreamOptions) -> Iterator[str]:
    """A line a batch of a stream of tables, then their number."""
    if of_profiles(options.stream):
        yield f"stream  {options.stream}: profiles, which are cut by {options.batch}"
        return
    count = rows = 0
    for batch in batches(options.stream, options):
        count, rows = count + 1, rows + len(batch.texts)
        labels = 0 if batch.labels is None else sum(label is not None for label in batch.labels)
        date = f"{batch.date:%Y-%m-%d}  " if batch.date else ""
        yield f"batch {count}  {date}{batch.name}  {len(batch.texts):,} rows, {labels:,} with a label"
    yield f"stream  {count:,} batches, {rows:,} rows; those that an earlier call has judged are not judged again"


def destination(verb: str, config: RunOptions, folder: str = "") -> dict[str, str]:
    """Where the run and its files would go."""
    uri = tracking_uri()
    store = address_of(uri) + (", by way of a journal on this machine" if is_server(uri) else "")
    if config.tracking == "offline":
        store = "the journal on this machine, until sync"
    return {"run": f"a new one in {store}", "files": config.output_dir or folder or f"outputs/{verb}/<run id>"}


def model_there(uri: str) -> str:
    """What is said of a model; it is not opened. Raises InputError where it is not there."""
    if Path(uri).is_dir():
        return f"{uri}, a folder"
    with tracking_store():
        if uri.startswith("runs:/"):
            run = earlier_run(uri.removeprefix("runs:/").partition("/")[0])
            if run is None:
                raise InputError(f"model {one_line(uri)}: there is no such run")
            return f"{uri}, of run {run.info.run_name} ({run.info.status})"
        name = uri.removeprefix("models:/").partition("@")[0].partition("/")[0]
        return f"{uri}, version {find_version(registry_client(), name, uri).version}"
