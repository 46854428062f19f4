"""Runs that are started by a run: each a real `mlflow run`, nested under it."""

import contextlib
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.tracking.context.registry import resolve_tags

from newsclf.config.arguments import WORKING_FOLDER
from newsclf.errors import InputError
from newsclf.tracking.database import sqlite_path, sqlite_uri
from newsclf.tracking.journal.store import FAILURE_TAG
from newsclf.tracking.once import once_run
from newsclf.tracking.run import Run
from newsclf.tracking.runs import LoggedRun, get_run, pages
from newsclf.tracking.server import PROJECT, address_of, first_line, tracking_uri

PARENT_TAG = "mlflow.parentRunId"
CHILD_TAG = "newsclf.child"  # of each its own: by it a run is found whose making was not answered
FROM_PARENT_RUN = ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_RUN_NAME")
LAST_LINES = 4000  # bytes of a child's log that are searched for its last line


class Child:
    """A run of its own in a process of its own, which ends when this process does."""

    def __init__(self, run_id: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.run_id, self.process, self.log = run_id, process, log

    def ended(self) -> bool:
        """Whether its process is gone."""
        code = self.process.poll()
        if code is not None and code < 0:  # killed, and so could not see to what it has started
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        return code is not None

    def stop(self) -> None:
        """Ask it to stop: its run will be KILLED. It takes seconds; `wait` for it."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def wait(self) -> None:
        """Until its process is gone."""
        self.process.wait()

    def last_line(self) -> str:
        """What it said last."""
        lines = self.log.read_bytes()[-LAST_LINES:].decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def create_run(parent: Run, verb: str, name: str, tags: Mapping[str, str], project: Path = PROJECT) -> str:
    """A run nested under `parent`, tagged as `mlflow run` tags its own; its id.

    Made before its process, so that what becomes of it is known however the two of them end. Raises InputError when
    the tracking store cannot be used.
    """
    mine = uuid.uuid4().hex
    known = {
        PARENT_TAG: parent.id,
        CHILD_TAG: mine,
        "mlflow.source.type": "PROJECT",
        "mlflow.source.name": str(project),
        "mlflow.project.entryPoint": verb,
        "newsclf.verb": verb,
    }
    try:
        client = MlflowClient(tracking_uri())
        run = once_run(client, parent.experiment_id, CHILD_TAG, mine).made(
            lambda: client.create_run(parent.experiment_id, tags=resolve_tags() | known | dict(tags), run_name=name)
        )
    except Exception as error:
        raise InputError(
            f"tracking server {address_of(tracking_uri())} takes no run for {name} ({first_line(error)}): "
            "a run of this kind needs its server all the time; start it again when it is there"
        ) from error
    return str(run.info.run_id)


def start(
    parent: Run,
    run_id: str,
    verb: str,
    options: Mapping[str, Any],
    log: Path,
    *,
    threads: int | None = None,
    project: Path = PROJECT,
    also_held: tuple[int, ...] = (),
) -> Child:
    """Start `mlflow run` of `verb` into the run `run_id`, in the environment that the parent runs in.

    threads: the most that a computation uses; None is as here. also_held: file descriptors that stay open until the
    child is gone.
    """
    environment = {name: text for name, text in os.environ.items() if name not in FROM_PARENT_RUN}
    environment |= {"MLFLOW_TRACKING_URI": _absolute(tracking_uri()), WORKING_FOLDER: str(Path.cwd())}
    # With the env manager `local`, `mlflow run` takes the first python on the PATH.
    environment["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    if threads is not None:
        environment |= {"OMP_NUM_THREADS": str(threads), "RAYON_NUM_THREADS": str(threads)}
    # From the working folder on: in a path of its own MLflow takes what follows a # for a folder of a repository.
    command = [sys.executable, "-m", "mlflow", "run", os.path.relpath(project, PROJECT), "-e", verb, "--run-id", run_id]
    command += ["--experiment-id", parent.experiment_id, "--env-manager", env_manager(parent)]
    command += [word for name, value in given(parent, options).items() for word in ("-P", f"{name}={value}")]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "newsclf.tracking.children.supervisor", *command],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is for the parent, which stops its children itself
            pass_fds=also_held,
        )
    return Child(run_id, process, log)


def given(parent: Run, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a child: `options`, and no diff either where the parent logs none."""
    return dict(options) if parent.config.log_diff else {**options, "log_diff": "false"}


def env_manager(parent: Run) -> str:
    """That of the `mlflow run` that has started the parent; `local` where it was started otherwise."""
    return parent.tags.get("mlflow.project.env", "local")


def _absolute(uri: str) -> str:
    """The URI, valid in any working folder."""
    scheme, _, rest = uri.partition(":///")
    path = sqlite_path(uri)
    if path is None or rest.startswith("/"):
        return uri
    _, question, query = rest.partition("?")
    return f"{scheme}{sqlite_uri(path).removeprefix('sqlite')}{question}{query}"


def ensure_ended(run_id: str, status: str, reason: str = "", **tags: str) -> LoggedRun:
    """See to it that a run whose process is gone is not RUNNING; the run as it is then.

    status: for one that is RUNNING still. tags: of `newsclf.`, set in any case.
    """
    client = MlflowClient(tracking_uri())
    run = get_run(run_id)
    for name, text in tags.items():
        client.set_tag(run_id, f"newsclf.{name}", text[:5000])
    if run.info.status in ("RUNNING", "SCHEDULED"):
        if reason:
            client.set_tag(run_id, FAILURE_TAG, reason[:5000])
        client.set_terminated(run_id, status)
        run = client.get_run(run_id)
    return run


def runs_tagged(experiment_id: str, tag: str, value: str) -> list[LoggedRun]:
    """All runs of an experiment with this tag."""
    client, query = MlflowClient(tracking_uri()), f"tags.`{tag}` = '{value}'"
    return list(pages(lambda token: client.search_runs([experiment_id], query, max_results=1000, page_token=token)))


def nest(run_id: str, parent: Run) -> None:
    """Nest the run under another parent."""
    MlflowClient(tracking_uri()).set_tag(run_id, PARENT_TAG, parent.id)


def run_to_end(
    parent: Run,
    verb: str,
    name: str,
    options: Mapping[str, Any],
    log: Path,
    tags: Mapping[str, str],
    also_held: tuple[int, ...] = (),
) -> LoggedRun:
    """`mlflow run` of `verb`, waited for; its run. also_held: as of `start`.

    Raises InputError where it does not end well. When this process is stopped meanwhile, so is the child.
    """
    run_id = create_run(parent, verb, name, tags)
    child = start(parent, run_id, verb, options, log, also_held=also_held)
    try:
        child.wait()
    except BaseException:
        child.stop()
        child.wait()
        ensure_ended(run_id, "KILLED", f"stopped along with run {parent.id}")
        raise
    run = ensure_ended(run_id, "FAILED", f"it ended without a word: {child.last_line()}")
    if run.info.status != "FINISHED":
        raise InputError(
            f"{name} ended {run.info.status}: {run.data.tags.get(FAILURE_TAG, 'no reason is known')}; {log}"
        )
    return run
