"""Earlier runs, by their ids or by a query of an experiment, and the files that they have logged."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from mlflow import MlflowClient
from mlflow.entities import Run, ViewType
from mlflow.exceptions import MlflowException

from newsclf.errors import InputError
from newsclf.tracking.journal.store import FAILURE_TAG
from newsclf.tracking.reads import download, get_run
from newsclf.tracking.server import first_line, is_server, tracking_uri

RUN_ID = re.compile(r"(?:runs:/)?([0-9a-f]{32})")
ALL = "all"
LoggedRun = Run  # what MLflow tells of a run, for rooms that do not import it


def find_runs(chosen: str, experiments: Sequence[str], verbs: Sequence[str], most: int) -> list[Run]:
    """Runs by `chosen`: run ids separated by commas, or a query as MLflow's search box takes it, newest first.

    experiments: names or ids that a query looks into, or `all`. A query gives FINISHED runs of `verbs` alone, at most
    `most` of them. Raises InputError for an id, an experiment or a query that is no good.
    """
    parts = [part.strip() for part in chosen.split(",")]
    ids = [match[1] for part in parts if (match := RUN_ID.fullmatch(part))]
    if ids and len(ids) == len(parts):
        return [_named(run_id) for run_id in dict.fromkeys(ids)]
    client = MlflowClient(tracking_uri())
    places = _experiment_ids(client, experiments)
    found: list[Run] = []
    token = None
    while len(found) < most:
        try:
            page = client.search_runs(
                places, chosen, ViewType.ACTIVE_ONLY, 500, order_by=["start_time DESC"], page_token=token
            )
        except MlflowException as error:
            raise InputError(
                f"option runs is {chosen!r}, which is neither run ids separated by commas nor a query "
                f"({first_line(error)}): write \"params.dataset = 'ag_news' and metrics.avg_test_acc > 0.8\""
            ) from error
        found += [run for run in page if run.info.status == "FINISHED" and run.data.tags.get("newsclf.verb") in verbs]
        token = page.token
        if not token:
            break
    return found[:most]


def take_up(client: MlflowClient, run_id: str, verb: str) -> None:
    """Let the run be one of `verb` that is RUNNING. Raises MlflowException where there is none, or it was deleted."""
    tags = client.get_run(run_id).data.tags
    client.update_run(run_id, "RUNNING")
    if FAILURE_TAG in tags:  # it was stopped; now it is not
        client.delete_tag(run_id, FAILURE_TAG)
    if "newsclf.verb" not in tags:  # `mlflow run` has made it
        client.set_tag(run_id, "newsclf.verb", verb)


def artifact(run_id: str, path: str) -> Path | None:
    """A local copy of a run's file; None where the run has logged no such file."""
    try:
        return download(f"runs:/{run_id}/{path}")
    except (MlflowException, OSError):
        return None


def text_of(run_id: str, path: str) -> str:
    """A text that the run has logged; empty where it has not."""
    file = artifact(run_id, path)
    return file.read_text(encoding="utf-8") if file else ""


def earlier_run(run_id: str) -> LoggedRun | None:
    """None where it is neither in the journal nor in the store."""
    try:
        return get_run(run_id)
    except MlflowException:
        return None


def compare_page(runs: Sequence[Run]) -> str:
    """The address of the UI's page that compares the runs; empty where the store has no server."""
    uri = tracking_uri()
    return f"{uri.rstrip('/')}/{compare_path(runs)}" if is_server(uri) else ""


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
