"""Earlier runs, by their ids or by a query: what they have logged, read from the server or from a journal."""

import contextlib
import itertools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Run, ViewType
from mlflow.exceptions import MlflowException
from mlflow.store.entities import PagedList

from newsclf.errors import InputError, Stopped
from newsclf.tracking.forget import forget_secrets
from newsclf.tracking.journal.store import FAILURE_TAG, find, place_of
from newsclf.tracking.server import address_of, as_default, first_line, is_server, tracking_uri, with_login

T = TypeVar("T")
ALL = "all"
STUDYS_ACCURACY = "avg_test_acc"
LONGEST_TAG = 5000
EMPTY = "''"  # how an option that is empty is logged: MLflow takes no empty parameter
LoggedRun = Run  # what MLflow tells of a run, for rooms that do not import it


def run_id_of(name: str) -> str | None:
    """The id in `<run id>` or `runs:/<run id>`; None for anything else.

    >>> run_id_of("runs:/0123456789abcdef0123456789abcdef")
    '0123456789abcdef0123456789abcdef'
    >>> run_id_of("ag_news")
    """
    match = re.fullmatch(r"(?:runs:/)?([0-9a-f]{32})", name)
    return match[1] if match else None


def store_of(run_id: str) -> tuple[str, str]:
    """(tracking URI, the run's id there): the server, or the journal of a run that is not sent yet."""
    journal = find(run_id)
    if journal is not None and not journal.sent.partial:
        return journal.uri, str(journal.run["run_uuid"])
    if place := place_of(run_id):
        return with_login(place["server"]), place["run_id"]
    return tracking_uri(), run_id


def get_run(run_id: str) -> LoggedRun:
    """Raises MlflowException where there is none."""
    uri, run_id = store_of(run_id)
    return MlflowClient(uri, uri).get_run(run_id)


def metric_points(run_id: str, metric: str) -> list[Metric]:
    """All that the run has logged of `metric`, by step; a point that was sent twice counts once.

    Raises MlflowException where there is no such run.
    """
    uri, run_id = store_of(run_id)
    history = MlflowClient(uri, uri).get_metric_history(run_id, metric)
    points = {(point.step, point.timestamp, repr(point.value)): point for point in history}
    return [points[key] for key in sorted(points)]


def earlier_run(run_id: str) -> LoggedRun | None:
    """None where it is neither in the journal nor in the store."""
    try:
        return get_run(run_id)
    except MlflowException:
        return None


def logged_options(run: LoggedRun) -> dict[str, str]:
    """The options that the run has logged, as they would be typed."""
    return {name: "" if text == EMPTY else text for name, text in run.data.params.items()}


def metrics_of(run: LoggedRun) -> dict[str, float]:
    """The last value of each metric; before there was `test_accuracy`, train logged the study's column alone."""
    metrics = dict(run.data.metrics)
    return {"test_accuracy": metrics[STUDYS_ACCURACY]} | metrics if STUDYS_ACCURACY in metrics else metrics


def download(uri: str) -> Path:
    """A local copy of runs:/<run id>/<path> or models:/...; raises MlflowException or OSError."""
    store = tracking_uri()
    name, slash, path = uri.removeprefix("runs:/").partition("/")
    if run_id := run_id_of(name):
        store, run_id = store_of(run_id)
        uri = f"runs:/{run_id}{slash}{path}"
    with as_default(store):
        return Path(mlflow.artifacts.download_artifacts(uri))


def artifact(run_id: str, path: str) -> Path | None:
    """A local copy of a run's file; None where the run has logged no such file."""
    try:
        return download(f"runs:/{run_id}/{path}")
    except (MlflowException, OSError):
        return None


def text_of(run_id: str, path: str) -> str:
    """A text that the run has logged; empty where it has not."""
    file = artifact(run_id, path)
    return file.read_text(encoding="utf-8", errors="replace") if file else ""


def take_up(client: MlflowClient, run_id: str, verb: str) -> None:
    """Let the run be one of `verb` that is RUNNING. Raises MlflowException where there is none, or it was deleted."""
    tags = client.get_run(run_id).data.tags
    client.update_run(run_id, "RUNNING")
    if FAILURE_TAG in tags:  # it was stopped; now it is not
        client.delete_tag(run_id, FAILURE_TAG)
    if "newsclf.verb" not in tags:  # `mlflow run` has made it
        client.set_tag(run_id, "newsclf.verb", verb)
        forget_secrets(client, run_id)


def mark_broken_off(client: MlflowClient, run_id: str, error: BaseException) -> None:
    """Let the run be KILLED where its process was asked to stop, else FAILED, with the error as the reason."""
    with contextlib.suppress(Exception):
        client.set_tag(run_id, FAILURE_TAG, first_line(error)[:LONGEST_TAG])
    with contextlib.suppress(Exception):
        client.set_terminated(run_id, "KILLED" if isinstance(error, Stopped) else "FAILED")
        if isinstance(error, Stopped):
            error.marked = True


def pages(search: Callable[[str | None], PagedList[T]]) -> Iterator[T]:
    """All that a search of MLflow's finds. search: the page token to a page."""
    token = None
    while True:
        page = search(token)
        yield from page
        token = page.token
        if not token:
            return


def find_runs(chosen: str, experiments: Sequence[str], verbs: Sequence[str], most: int) -> list[LoggedRun]:
    """Runs by `chosen`: run ids separated by commas, or a query as MLflow's search box takes it, newest first.

    experiments: names or ids that a query looks into, or `all`. A query gives FINISHED runs of `verbs` alone, at most
    `most` of them. Raises InputError for an id, an experiment or a query that is no good.
    """
    ids = [run_id_of(part.strip()) for part in chosen.split(",")]
    if all(ids):
        return [_named(run_id) for run_id in dict.fromkeys(ids) if run_id]
    client = MlflowClient(tracking_uri())
    places, newest = _experiment_ids(client, experiments), ["start_time DESC"]
    found = pages(lambda token: client.search_runs(places, chosen, ViewType.ACTIVE_ONLY, 500, newest, token))
    good = (run for run in found if run.info.status == "FINISHED" and run.data.tags.get("newsclf.verb") in verbs)
    try:
        return list(itertools.islice(good, most))
    except MlflowException as error:
        raise InputError(
            f"option runs is {chosen!r}, which is neither run ids separated by commas nor a query "
            f"({first_line(error)}): write \"params.dataset = 'ag_news' and metrics.test_accuracy > 0.8\""
        ) from error


def compare_page(runs: Sequence[Run]) -> str:
    """The address of the UI's page that compares the runs; empty where the store has no server."""
    uri = tracking_uri()
    return f"{address_of(uri)}/{compare_path(runs)}" if is_server(uri) else ""


def compare_path(runs: Sequence[Run]) -> str:
    """That page's place below the UI's address."""
    lists = {
        "runs": [run.info.run_id for run in runs],
        "experiments": list(dict.fromkeys(run.info.experiment_id for run in runs)),
    }
    query = "&".join(f"{name}={quote(json.dumps(values, separators=(',', ':')))}" for name, values in lists.items())
    return f"#/compare-runs?{query}"


def _named(run_id: str) -> Run:
    try:
        run = get_run(run_id)
    except MlflowException as error:
        raise InputError(f"option runs: run {run_id} is not there ({first_line(error)}): give other runs") from error
    if run.info.status != "FINISHED":
        raise InputError(f"option runs: run {run_id} is {run.info.status}: give runs that are FINISHED")
    return run


def _experiment_ids(client: MlflowClient, names: Sequence[str]) -> list[str]:
    if list(names) == [ALL]:
        return [experiment.experiment_id for experiment in client.search_experiments()]
    ids = []
    for name in names:
        found = client.get_experiment_by_name(name)
        if found is None and name.isdigit():
            try:
                found = client.get_experiment(name)
            except MlflowException:
                found = None
        if found is None:
            there = ", ".join(experiment.name for experiment in client.search_experiments(max_results=20))
            raise InputError(f"option experiment: there is no experiment {name}: there are {there}")
        ids.append(found.experiment_id)
    return ids
