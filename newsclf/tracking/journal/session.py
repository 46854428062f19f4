"""A run that is written to its journal, and sent to its server from there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from mlflow import MlflowClient
from mlflow.tracking.context.registry import resolve_tags

from newsclf.errors import InputError, Stopped
from newsclf.tracking.journal.sender import Sender
from newsclf.tracking.journal.store import Journal, create, find
from newsclf.tracking.journal.upload import RunUpload
from newsclf.tracking.metrics import send_points
from newsclf.tracking.runs import take_up
from newsclf.tracking.server import Trouble, is_server, short_limits, trouble, without_password

SECONDS_AFTER_A_STOP = 10.0
SYNC = "mlflow run . -e sync"


@contextlib.contextmanager
def journalled(verb: str, uri: str, config: Any, resume: str) -> Iterator[tuple[str, str]]:
    """Start a run in a journal, or take one up, and send it; at the end the server has `send_timeout` seconds.

    Yields the run's id and the URI of its journal. The id is the one that the server gives it, if it answers within
    seconds; else one of its own, until it is sent. uri: the server; of any other store nothing is asked, and the run
    waits for `sync`. Raises InputError where the server refuses the run.
    """
    offline = config.tracking == "offline" or not is_server(uri)
    run_id = os.environ.pop("MLFLOW_RUN_ID", "") or resume
    journal = _earlier(run_id)
    problem = None
    if journal is None:
        journal = create(verb, uri if is_server(uri) else "")
        problem = _begin(journal, verb, run_id, offline)
    upload = RunUpload(journal, uri)
    sender, seconds = Sender(upload), float(config.send_timeout)
    run_id = str(journal.run["run_uuid"])
    take_up(MlflowClient(journal.uri), run_id, verb)
    if not offline:
        sender.start()
    try:
        yield run_id, journal.uri
    except Stopped:
        seconds = min(seconds, SECONDS_AFTER_A_STOP)
        raise
    finally:
        if not offline:
            sender.end(seconds)
        _say(upload, "tracking=offline" if offline else (sender.trouble or problem or _SLOW).text)
    if upload.whole:
        journal.remove()


_SLOW = Trouble("send_timeout is over", lasting=False)


def _earlier(run_id: str) -> Journal | None:
    """The journal of a run that is taken up again, if it is not sent. Raises InputError while it is in use."""
    journal = find(run_id) if run_id else None
    if journal is not None and not journal.take():
        raise InputError(f"run {run_id} is being written or sent by another process: wait for its end")
    return journal


def _begin(journal: Journal, verb: str, run_id: str, offline: bool) -> Trouble | None:
    """The run in its journal: a new one, or the one that the server has. The trouble, if the server is away."""
    client = MlflowClient(journal.uri)
    made = client.create_run("0", tags=resolve_tags({"newsclf.verb": verb}))
    upload, problem = RunUpload(journal, journal.note["server"]), None
    if run_id:  # what MLflow has tagged it with here, it has tagged it with there as well
        upload.sent.keep(run_id=run_id, tags={**made.data.tags}, server=upload.server)
    if not offline:
        try:
            with short_limits():
                if not (run_id and _adopt(upload)):
                    upload.create_remote_run()
        except Exception as error:
            problem = trouble(error)
            if problem.lasting:
                journal.discard()
                raise InputError(f"tracking server {without_password(upload.server)}: {problem.text}") from error
            print(
                f"warning: tracking server {without_password(upload.server)} does not answer ({problem.text}): the run "
                f"is kept in {journal.folder} and sent when it does",
                flush=True,
            )
    experiment = upload.sent.experiment_id or journal.note["experiment_id"] or "0"
    journal.rename(upload.sent.run_id or journal.id, experiment)
    if upload.sent.partial:
        _adopt_points(upload, client)
    return problem


def _adopt_points(upload: RunUpload, here: MlflowClient) -> None:
    """Take over the metric points of a run that is taken up again, so that none of them is logged twice."""
    run_id = upload.sent.run_id
    for name in upload.client.get_run(run_id).data.metrics:
        send_points(here, run_id, upload.client.get_metric_history(run_id, name))
    (last,) = upload.journal.rows("SELECT MAX(rowid) AS place FROM metrics")
    upload.sent.keep(metrics=last["place"])


def _adopt(upload: RunUpload) -> bool:
    """Take over the words that the server has of the run; False where it has been deleted there."""
    run = upload.client.get_run(upload.sent.run_id)
    if run.info.lifecycle_stage != "active":
        upload.sent.keep(run_id="", tags={})
        return False
    journal, here = upload.journal, upload.journal.run["run_uuid"]
    words = {"tags": run.data.tags, "params": run.data.params}
    journal.write(
        ("DELETE FROM tags", ()),
        *(
            (f"INSERT INTO {table} (run_uuid, key, value) VALUES (?, ?, ?)", (here, *pair))
            for table, pairs in words.items()
            for pair in pairs.items()
        ),
        ("UPDATE runs SET name = ?, start_time = ?", (run.info.run_name, run.info.start_time)),
    )
    ended = [run.info.status, run.info.end_time] if run.info.end_time else None
    upload.sent.keep(
        experiment_id=run.info.experiment_id,
        params=[*run.data.params],
        tags={**run.data.tags},
        ended=ended,
        partial=bool(run.data.metrics),
    )
    return True


def _say(upload: RunUpload, reason: str) -> None:
    """What a person has to know of a run that the server has not got, or knows by another id."""
    run_id, count = upload.journal.run["run_uuid"], upload.waiting()
    if count:
        print(
            f"{count:,} records of run {run_id} wait in {upload.journal.folder} ({reason}): {SYNC} sends them",
            flush=True,
        )
    elif upload.sent.run_id != run_id:
        print(f"run {run_id} is {upload.sent.run_id} on {without_password(upload.server)}", flush=True)
