"""One MLflow run around one verb: opened, described, and always ended with the right status."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from newsclf.config.options import as_text, as_yaml
from newsclf.errors import InputError, Stopped, disk_full
from newsclf.tracking.journal.store import FAILURE_TAG
from newsclf.tracking.server import (
    check_uri,
    first_line,
    is_server,
    set_defaults,
    short_limits,
    tracking_uri,
    without_password,
)
from newsclf.tracking.status_guard import keep_status

if TYPE_CHECKING:
    import mlflow


@contextlib.contextmanager
def open_run(verb: str, config: Any, resume: str = "") -> Iterator[mlflow.ActiveRun]:
    """Start a run (or take up the one `mlflow run` has started), log the options, and end it.

    resume: the id of an earlier run that is taken up again, if it is still there and `mlflow run` has started none.
    On leaving, the run is FINISHED; FAILED with the reason in the tag `newsclf.failure` after an
    error; KILLED after Ctrl-C or SIGTERM.
    A run for a server is written to a journal on this machine and sent from there (see journal/session.py), so that a
    server that is away costs nothing. Raises InputError when the tracking store cannot be used.
    """
    import mlflow

    _quiet()
    set_defaults()
    uri = tracking_uri()
    check_uri(uri)
    with contextlib.ExitStack() as stack:
        try:
            if is_server(uri) or config.tracking == "offline":
                from newsclf.tracking.journal.session import journalled

                run = stack.enter_context(journalled(verb, uri, config, resume))
            else:
                mlflow.set_tracking_uri(uri)
                run = _start(verb, resume)
        except (Stopped, InputError):
            raise
        except Exception as error:
            if disk_full(error):
                raise
            raise InputError(
                f"tracking server {without_password(uri)} cannot be used ({first_line(error)}): "
                "check MLFLOW_TRACKING_URI and the server, or unset it to track in mlflow.db"
            ) from error
        try:
            log_options(config)
            yield run
        except Stopped as stop:
            _end("KILLED", str(stop))
            raise
        except BaseException as error:
            _end("FAILED", first_line(error))
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

    # The reason has been printed; a server that is away cannot be told.
    with contextlib.suppress(Exception), short_limits():
        client = MlflowClient(tracking_uri())
        if client.get_run(run_id).info.status == "RUNNING":
            client.set_tag(run_id, FAILURE_TAG, reason[:5000])
            client.set_terminated(run_id, status)
    if status != "FAILED":
        keep_status(run_id, status)


def _start(verb: str, resume: str) -> mlflow.ActiveRun:
    """The run in a database that MLflow writes to itself."""
    import mlflow
    from mlflow.exceptions import MlflowException

    if resume and "MLFLOW_RUN_ID" not in os.environ:
        with contextlib.suppress(MlflowException):  # deleted, or in another database
            run = mlflow.start_run(resume)
            if FAILURE_TAG in run.data.tags:  # it was stopped; now it is not
                mlflow.delete_tag(FAILURE_TAG)
            return run
    return mlflow.start_run(tags={"newsclf.verb": verb})


def _quiet() -> None:
    """Silence what MLflow tells of its own housekeeping: tables of a new database, copies of small files."""
    for name in ("alembic", "mlflow.pyfunc", "mlflow.tracking.fluent", "mlflow.store.model_registry"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It prints the traceback of an error that it raises as well.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


def _end(status: str, reason: str) -> None:
    import mlflow

    with contextlib.suppress(Exception):
        mlflow.set_tag(FAILURE_TAG, reason[:5000])
    with contextlib.suppress(Exception):
        mlflow.end_run(status)
