"""What runs have logged, read from where it is: the server, or the journal of a run that is not sent yet."""

from __future__ import annotations

import re
from pathlib import Path

import mlflow
from mlflow.entities import Run

from newsclf.tracking.journal.store import find, place_of
from newsclf.tracking.server import as_default, tracking_uri

RUN = re.compile(r"(?:runs:/)?([0-9a-f]{32})(?=/|$)")


def store_of(run_id: str) -> tuple[str, str]:
    """(tracking URI, the run's id there)."""
    journal = find(run_id)
    if journal is not None and not journal.sent.partial:
        return journal.uri, str(journal.run["run_uuid"])
    if place := place_of(run_id):
        return place["server"], place["run_id"]
    return tracking_uri(), run_id


def get_run(run_id: str) -> Run:
    """Raises MlflowException where there is none."""
    uri, run_id = store_of(run_id)
    return mlflow.MlflowClient(uri, uri).get_run(run_id)


def download(uri: str) -> Path:
    """A local copy of runs:/<run id>/<path> or models:/...; raises MlflowException or OSError."""
    store = tracking_uri()
    if match := RUN.match(uri):
        store, run_id = store_of(match[1])
        uri = f"runs:/{run_id}{uri[match.end() :]}"
    with as_default(store):
        return Path(mlflow.artifacts.download_artifacts(uri))
