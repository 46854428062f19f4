"""One MLflow run around one verb: opened, described, and always ended with the right status."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from newsclf.errors import InputError, Stopped, disk_full
from newsclf.options import as_text, as_yaml
from newsclf.tracking.last_word import keep_status

if TYPE_CHECKING:
    import mlflow

PROJECT = Path(__file__).resolve().parents[2]
EMBEDDED = f"sqlite:///{PROJECT / 'mlflow.db'}"
FAILURE_TAG = "newsclf.failure"
FIRST_CONTACT_SECONDS = 10


def tracking_uri() -> str:
    """$MLFLOW_TRACKING_URI, else the database file mlflow.db in the project folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or EMBEDDED


@contextlib.contextmanager
def open_run(verb: str, config: Any, resume: str = "") -> Iterator[mlflow.ActiveRun]:
    """Start a run (or take up the one `mlflow run` has started), log the options, and end it.

    resume: the id of an earlier run that is taken up again, if it is still there and `mlflow run` has started none.
    On leaving, the run is FINISHED; FAILED with the reason in the tag `newsclf.failure` after an
    error; KILLED after Ctrl-C or SIGTERM. Raises InputError when the server cannot be reached.
    """
    import mlflow

    _quiet()
    mlflow.set_tracking_uri(tracking_uri())
    try:
        run = _start(verb, resume)
    except Stopped:
        raise
    except Exception as error:
        if disk_full(error):
            raise
        raise InputError(
            f"tracking server {_without_password(tracking_uri())} cannot be used ({_first_line(error)}): "
            "check MLFLOW_TRACKING_URI and the server, or unset it to track in mlflow.db"
        ) from error
    try:
        log_options(config)
        yield run
    except Stopped as stop:
        _end("KILLED", str(stop))
        raise
    except BaseException as error:
        _end("FAILED", _first_line(error))
        raise
    mlflow.end_run()


def log_options(config: Any) -> None:
    """Log every option once, and all of them as config.yaml, which `-P config=` takes.

    `mlflow run` has logged those that were typed, and MLflow refuses a second text for the same
    parameter ("1e-3", then "0.001"): they stay as they were typed.
    """
    import mlflow

    run = mlflow.active_run()
    assert run is not None
    typed = mlflow.get_run(run.info.run_id).data.params
    options = as_text(config)
    mlflow.log_params({name: text or "''" for name, text in options.items() if name not in typed})
    mlflow.log_dict(as_yaml(config), "config.yaml")


def report_early_end(run_id: str, status: str, reason: str) -> None:
    """Mark the run that `mlflow run` started for this process, when it ends before `open_run`."""
    from mlflow import MlflowClient

    with contextlib.suppress(Exception):  # the reason has been printed; a server that is away cannot be told
        client = MlflowClient(tracking_uri())
        if client.get_run(run_id).info.status == "RUNNING":
            client.set_tag(run_id, FAILURE_TAG, reason[:5000])
            client.set_terminated(run_id, status)
    if status != "FAILED":
        keep_status(run_id, status)


def _start(verb: str, resume: str) -> mlflow.ActiveRun:
    """The first contact: with short limits, so that a server that is away is told of at once."""
    import mlflow
    from mlflow.exceptions import MlflowException

    limits = {
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(FIRST_CONTACT_SECONDS),
    }
    before = {name: os.environ.get(name) for name in limits}
    os.environ.update({name: value for name, value in limits.items() if before[name] is None})
    try:
        if resume and "MLFLOW_RUN_ID" not in os.environ:
            with contextlib.suppress(MlflowException):  # deleted, or on another server
                run = mlflow.start_run(resume)
                if FAILURE_TAG in run.data.tags:  # it was stopped; now it is not
                    mlflow.delete_tag(FAILURE_TAG)
                return run
        return mlflow.start_run(tags={"newsclf.verb": verb})
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


def _quiet() -> None:
    """Silence what MLflow tells of its own housekeeping: tables of a new database, copies of small files."""
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for name in ("alembic", "mlflow.pyfunc", "mlflow.tracking.fluent"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It prints the traceback of an error that it raises as well.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


def _end(status: str, reason: str) -> None:
    import mlflow

    with contextlib.suppress(Exception):
        mlflow.set_tag(FAILURE_TAG, reason[:5000])
    with contextlib.suppress(Exception):
        mlflow.end_run(status)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:500] if lines else type(error).__name__


def _without_password(uri: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(uri)
    if not parts.password:
        return uri
    return uri.replace(f":{parts.password}@", ":***@")
