"""A run that is written to its journal, and sent to its server from there."""

import contextlib
import os
from collections.abc import Iterator

from mlflow import MlflowClient
from mlflow.entities import Metric, Run
from mlflow.tracking.context.registry import resolve_tags

from newsclf.errors import InputError, Stopped
from newsclf.tracking.journal.sender import Sender
from newsclf.tracking.journal.store import create, find, make_private
from newsclf.tracking.journal.upload import RunUpload
from newsclf.tracking.metrics import send_points
from newsclf.tracking.runs import mark_broken_off, take_up
from newsclf.tracking.server import Trouble, address_of, briefly, is_server, trouble

SECONDS_AFTER_A_STOP = 10.0
SYNC = "make sync"
OFFLINE, SLOW, STOPPED = (
    Trouble(text, lasting=False) for text in ("tracking=offline", "send_timeout is over", "stopped before it began")
)


@contextlib.contextmanager
def journalled(verb: str, uri: str, resume: str, offline: bool, send_timeout: float) -> Iterator[tuple[str, str]]:
    """Start a run in a journal, or take one up, and send it meanwhile; yields the run's id and the URI of its journal.

    uri: the server. resume: the id of a run that is taken up again, unless `mlflow run` has made one for this process.
    offline: nothing is asked of the server, and the run waits for `sync`. send_timeout: seconds that the server has at
    the end. The id is the one that the server gives the run, if it answers within seconds; else one of its own, until
    it is sent. Raises InputError where the server refuses the run, and while another process writes or sends it.
    """
    known = os.environ.pop("MLFLOW_RUN_ID", "") or resume
    journal, problem = find(known) if known else None, OFFLINE if offline else None
    if journal is None:
        journal = create(verb, address_of(uri) if is_server(uri) else "")
        upload = RunUpload(journal, uri)
        problem = _begin(upload, verb, known, offline)
    elif journal.take():
        upload = RunUpload(journal, uri)
    else:
        raise InputError(f"run {known} is being written or sent by another process: wait for its end")
    run_id = str(journal.run["run_uuid"])
    take_up(MlflowClient(journal.uri), run_id, verb)
    sender = None if offline else Sender(upload)
    if sender is not None:
        sender.start()
    try:
        yield run_id, journal.uri
    except Stopped:
        send_timeout = min(send_timeout, SECONDS_AFTER_A_STOP)
        raise
    finally:
        if sender is not None:
            sender.end(send_timeout)
            problem = sender.trouble or problem
        make_private(journal.folder)
        _print_what_waits(upload, problem or SLOW)
    if upload.whole:
        journal.remove()


def _begin(upload: RunUpload, verb: str, known: str, offline: bool) -> Trouble | None:
    """Make the run in its journal: a new one, or the one that the server has as `known`; the trouble, if there is any.

    Raises InputError for a trouble that lasts.
    """
    journal, client = upload.journal, MlflowClient(upload.journal.uri)
    made = client.create_run("0", tags=resolve_tags({"newsclf.verb": verb}))
    journal.rename(journal.id, "0")  # any other id is one that a server has given
    if known:  # what MLflow has tagged it with here, it has tagged it with there as well
        upload.sent.keep(run_id=known, tags={**made.data.tags}, server=journal.note["server"])
    stop, points = None, list[Metric]()
    try:
        problem, points = (OFFLINE, points) if offline else _first_contact(upload)
    except Stopped as error:  # the server may have been asked for a run: it is told the end by this one
        problem, stop = STOPPED, error
    experiment = upload.sent.experiment_id or journal.note["experiment_id"] or "0"
    journal.rename(upload.sent.run_id or journal.id, experiment)
    if points:
        _adopt_points(upload, client, points)
    if stop is not None:
        mark_broken_off(client, str(journal.run["run_uuid"]), stop)
        _print_what_waits(upload, STOPPED)
        raise stop
    return problem


def _first_contact(upload: RunUpload) -> tuple[Trouble | None, list[Metric]]:
    """Find the run on the server, or make it there; the trouble, if the server is away, and the points it has."""
    client, known = upload.client, upload.sent.run_id

    def ask() -> tuple[Run, list[Metric]]:
        if known and (run := client.get_run(known)).info.lifecycle_stage == "active":
            return run, [point for name in run.data.metrics for point in client.get_metric_history(known, name)]
        return upload.remote_run(deleted=known), []

    try:
        run, points = briefly(ask)
    except Exception as error:
        problem, server = trouble(error), address_of(upload.server)
        if problem.lasting:
            upload.journal.discard()
            raise InputError(f"tracking server {server}: {problem.text}") from error
        print(
            f"warning: tracking server {server} does not answer ({problem.text}): the run is kept in "
            f"{upload.journal.folder} and sent when it does",
            flush=True,
        )
        return problem, []
    if run.info.run_id == known:
        _adopt_words(upload, run)
    else:
        about = {
            "run_id": run.info.run_id,
            "experiment_id": run.info.experiment_id,
            "server": address_of(upload.server),
        }
        upload.sent.keep(tags={}, **about)
    return None, points


def _adopt_words(upload: RunUpload, run: Run) -> None:
    """Take over tags, parameters and name that the run has on the server."""
    journal, here = upload.journal, upload.journal.run["run_uuid"]
    words = {"tags": run.data.tags, "params": run.data.params}
    # MLflow has no call that changes when a run has begun; and this is all of it or nothing.
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


def _adopt_points(upload: RunUpload, here: MlflowClient, points: list[Metric]) -> None:
    """Take over the metric points that the run has on the server, so that none of them is logged twice."""
    send_points(here, upload.sent.run_id, points)
    (last,) = upload.journal.rows("SELECT MAX(rowid) AS place FROM metrics")
    upload.sent.keep(metrics=last["place"])


def _print_what_waits(upload: RunUpload, problem: Trouble) -> None:
    """What a person has to know of a run that the server has not got, or knows by another id."""
    run_id, count, folder = upload.journal.run["run_uuid"], upload.waiting(), upload.journal.folder
    if count:
        print(f"{count:,} records of run {run_id} wait in {folder} ({problem.text}): {SYNC} sends them", flush=True)
    elif upload.sent.run_id != run_id:
        print(f"run {run_id} is {upload.sent.run_id} on {address_of(upload.server)}", flush=True)
