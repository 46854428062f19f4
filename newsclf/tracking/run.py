"""One run around one verb: opened, described, logged to, and always ended with the right status."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from mlflow import MlflowClient
from mlflow.data.dataset import Dataset
from mlflow.entities import Dataset as DatasetEntity
from mlflow.entities import DatasetInput, InputTag, LoggedModelInput, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT, MLFLOW_RUN_NOTE

from newsclf.config import RunOptions
from newsclf.config.options import as_text, as_yaml
from newsclf.errors import InputError, Stopped, disk_full
from newsclf.evaluation.metric_names import metric_name
from newsclf.messages import listed
from newsclf.tracking.database import advice, prepare
from newsclf.tracking.description import AGAIN, description, is_made_up, run_name
from newsclf.tracking.environment import described
from newsclf.tracking.forget import forget_secrets
from newsclf.tracking.journal.session import journalled
from newsclf.tracking.journal.store import FAILURE_TAG
from newsclf.tracking.metrics import logged_points, send_points
from newsclf.tracking.origin import FOLDER_TAG
from newsclf.tracking.registry.versions import REGISTER, register, registry_client
from newsclf.tracking.result import check_artifacts, closing_lines, prepare_folder, write_result
from newsclf.tracking.runs import EMPTY, LONGEST_TAG, mark_broken_off, take_up
from newsclf.tracking.server import (
    address_of,
    briefly,
    check_uri,
    experiment_of,
    first_line,
    is_server,
    quiet,
    set_defaults,
    tracking_uri,
)
from newsclf.tracking.status_guard import keep_status


class Run:
    """The run of a verb: all that it logs goes through here.

    id, experiment_id: in the store; store: the URI that its records are written to, a journal, a database or a server;
    server: the URI that other runs are read from; journalled: whether the records reach the server by way of a journal
    on this machine; artifacts: the URI of its files there; folder: for the verb's files, made and proved writable;
    client: MLflow's, for the store.
    """

    def __init__(self, verb: str, config: RunOptions, run_id: str, store: str, server: str, folder: Path) -> None:
        self.verb, self.config, self.id, self.folder = verb, config, run_id, folder
        self.store, self.server, self.journalled = store, server, store != server
        self.client = MlflowClient(store)
        there = self.client.get_run(run_id)
        self.experiment_id = str(there.info.experiment_id)
        self.points = logged_points(self.client, run_id)
        self.artifacts, self._closing = there.info.artifact_uri, dict[str, str]()
        self.warnings: list[str] = []  # what people were warned of

    @property
    def tags(self) -> Mapping[str, str]:
        """All that the run has at present."""
        return dict(self.client.get_run(self.id).data.tags)

    def tag(self, tags: Mapping[str, str]) -> None:
        """Set tags, cut at 5,000 characters."""
        self.client.log_batch(self.id, tags=[RunTag(name, text[:LONGEST_TAG]) for name, text in tags.items()])

    def log_metrics(
        self,
        numbers: Mapping[str, float],
        *,
        step: int = 0,
        when: datetime | None = None,
        model_id: str | None = None,
    ) -> None:
        """Log numbers by name, each point once, also where the run was cut off and is taken up again.

        A point is a name, a step and a time. Without `when`, the time is now and does not tell points apart: what the
        run has by this name and step is not logged again. when: with a time zone. model_id: of the logged model that
        the numbers are about. What MLflow refuses in a name is written as its code point.
        """
        timestamp = int((when or datetime.now(UTC)).timestamp() * 1000)
        named = {metric_name(name): float(value) for name, value in numbers.items()}
        points = [
            Metric(name, value, timestamp, step, model_id=model_id)
            for name, value in named.items()
            if when is not None or (name, step) not in self.points
        ]
        if model_id and points:
            self._use_model(model_id)
        send_points(self.client, self.id, points)
        self.points |= {(point.key, step) for point in points}

    def log_file(self, path: Path, folder: str = "") -> None:
        """A file of this machine, into a folder of the run's files."""
        self.client.log_artifact(self.id, str(path), folder or None)

    def log_files(self, folder: Path) -> None:
        """All that is in a folder of this machine."""
        self.client.log_artifacts(self.id, str(folder))

    def log_text(self, text: str, path: str) -> None:
        """`text` as the run's file `path`."""
        self.client.log_text(self.id, text, path)

    def log_bytes(self, content: bytes, path: str) -> None:
        """`content` as the run's file `path`."""
        folder, _, name = path.rpartition("/")
        with tempfile.TemporaryDirectory() as temporary:
            (Path(temporary) / name).write_bytes(content)
            self.log_file(Path(temporary) / name, folder)

    def log_table(self, table: pd.DataFrame, path: str) -> None:
        """A table that MLflow's UI shows, in place of one that is there (MLflow would add its rows to that)."""
        get_artifact_repository(self.artifacts, self.store).delete_artifacts(path)
        self.client.log_table(self.id, table, path)

    def log_input(self, dataset: Dataset, context: str) -> None:
        """Data that the run was made of. context: what they were for."""
        used = DatasetInput(DatasetEntity(**dataset.to_dict()), [InputTag(MLFLOW_DATASET_CONTEXT, context)])
        self.client.log_inputs(self.id, [used])

    def warn(self, warnings: Iterable[str]) -> None:
        """Print each warning about data or scores, and keep it as a tag and in result.json."""
        for text in warnings:
            print(f"warning: {text}", flush=True)
            self.tag({f"newsclf.data_warning.{len(self.warnings)}": text})
            self.warnings.append(text)

    def register(self, name: str) -> str:
        """Have the run's model registered as `name`; in words, as what.

        At once where the run is written to the store itself. A run in a journal keeps the name in the tag
        `newsclf.register`, and its model is registered once the server has it.
        """
        self.tag({REGISTER: name})
        if self.journalled:
            return f"{name}, when it is sent"
        return f"models:/{name}/{register(registry_client(), self.id, name).version}"

    def finish(self, metrics: Mapping[str, float], **paths: str) -> None:
        """Write and log result.json: `metrics` by the names they were logged under, run id, options, paths, warnings.

        When the run is closed and sent, the paths are printed, as the last lines on the terminal.
        """
        result = {"verb": self.verb, "run_id": self.id, "metrics": dict(metrics)}
        result |= {"parameters": as_text(self.config), "paths": paths}
        result |= {"warnings": self.warnings} if self.warnings else {}
        file = write_result(self.folder, result)
        self.log_file(file)
        self._describe_in_words()
        self._closing = {**paths, "result": str(file.resolve())}

    def _describe_in_words(self) -> None:
        """Set the description on the run's page, but where a person has written one."""
        data = self.client.get_run(self.id).data
        before = data.tags.get(MLFLOW_RUN_NOTE, "")
        if not before or AGAIN in before:
            self.tag({MLFLOW_RUN_NOTE: description(self.verb, self.config, data.metrics, data.tags)})

    def show(self, **lines: str) -> None:
        """Print these as the last lines, in place of the paths of `finish`."""
        self._closing = {**lines, "result": self._closing["result"]}

    def print_closing_lines(self) -> None:
        """What `finish` has told to print; nothing where it was not called."""
        if self._closing:
            print(closing_lines(self.server, self.experiment_id, self.id, self._closing), flush=True)

    def _use_model(self, model_id: str) -> None:
        """Make a model that another run has logged an input of this one, as MLflow's own `log_metrics` does."""
        run = self.client.get_run(self.id)
        if model_id not in {model.model_id for model in (run.outputs.model_outputs if run.outputs else [])}:
            self.client.log_inputs(self.id, models=[LoggedModelInput(model_id)])


@contextlib.contextmanager
def open_run(verb: str, config: RunOptions, resume: str = "", folder: str = "") -> Iterator[Run]:
    """Start a run (or take up the one `mlflow run` has started), log its options, code and environment, and end it.

    resume: the id of an earlier run that is taken up again, if it is still there and `mlflow run` has started none.
    folder: for its files; empty: the option output_dir, else outputs/<verb>/<run id>.
    On leaving, the run is FINISHED; FAILED with the reason in the tag `newsclf.failure` after an error; KILLED after
    Ctrl-C or SIGTERM. A run for a server is written to a journal on this machine and sent from there (see
    journal/session.py), so that a server that is away costs nothing. Raises InputError when the tracking store cannot
    be used.
    """
    quiet()
    set_defaults()
    server = tracking_uri()
    check_uri(server)
    with contextlib.ExitStack() as stack:
        try:
            if is_server(server) or config.tracking == "offline":
                run_id, store = stack.enter_context(
                    journalled(verb, server, resume, config.tracking == "offline", config.send_timeout)
                )
            else:
                run_id, store = _in_database(verb, server, resume), server
        except (Stopped, InputError):
            raise
        except Exception as error:
            if disk_full(error):
                raise
            raise InputError(f"{address_of(server)} cannot be used ({first_line(error)}): {advice(error)}") from error
        client = MlflowClient(store)
        try:
            ready = prepare_folder(folder or config.output_dir, verb, run_id)
            run = Run(verb, config, run_id, store, server, ready)
            check_artifacts(run.artifacts)
            _describe(run)
            yield run
            client.set_terminated(run_id)
        except BaseException as error:
            mark_broken_off(client, run_id, error)
            raise
    run.print_closing_lines()


def _describe(run: Run) -> None:
    """Name the run, if nobody has; log every option once, all of them as config.yaml, and code and environment.

    `mlflow run` has logged the options that were typed, and MLflow refuses a second text for the same parameter
    ("1e-3", then "0.001"): they stay as they were typed.
    """
    there = run.client.get_run(run.id)
    if is_made_up(there.info.run_name or ""):
        run.client.update_run(run.id, name=os.environ.get("MLFLOW_RUN_NAME") or run_name(run.verb, run.config))
    typed = there.data.params
    options = {name: text for name, text in as_text(run.config).items() if name not in typed}
    run.client.log_batch(run.id, params=[Param(name, text or EMPTY) for name, text in options.items()])
    run.client.log_dict(run.id, as_yaml(run.config), "config.yaml")
    tags, files, warnings = described(run.config.log_diff)
    begun = {FOLDER_TAG: there.data.tags.get(FOLDER_TAG) or str(Path.cwd())}  # one that is taken up was begun elsewhere
    run.tag(tags | begun)
    for path, content in files.items():
        run.log_bytes(content, path)
    for text in warnings:
        print(f"warning: {text}", flush=True)


def report_early_end(run_id: str, status: str, reason: str, secret: str = "") -> bool:
    """Mark the run that `mlflow run` started for this process, when it ends before `open_run`; whether it has ended.

    secret: an option that must not stay in the run; those that have a secret in an address do not stay in any case.
    """
    ended = False

    def tell() -> list[str]:
        client = MlflowClient(tracking_uri())
        if client.get_run(run_id).info.status == "RUNNING":
            client.set_tag(run_id, FAILURE_TAG, reason[:LONGEST_TAG])
            client.set_terminated(run_id, status)
        return forget_secrets(client, run_id, [secret])

    # The reason is printed; a server that is away cannot be told.
    with contextlib.suppress(Exception):
        there = briefly(tell)
        ended = True
        if there:
            print(
                f"warning: run {run_id} has the option {listed(there)} as a parameter, which its server does not take "
                "back: delete the run (and run mlflow gc), and change the password",
                file=sys.stderr,
                flush=True,
            )
    if status != "FAILED":
        keep_status(run_id, status)
    return ended


def _in_database(verb: str, uri: str, resume: str) -> str:
    """The id of the run, in a database that is written to without a journal."""
    prepare(uri)
    client, run_id = MlflowClient(uri), os.environ.pop("MLFLOW_RUN_ID", "")
    if resume and not run_id:
        with contextlib.suppress(MlflowException):  # deleted, or in another database
            take_up(client, resume, verb)
            return resume
    if not run_id:
        name, number = (os.environ.get(f"MLFLOW_EXPERIMENT_{part}", "") for part in ("NAME", "ID"))
        experiment = experiment_of(client, name, number)
        run_id = str(client.create_run(experiment, tags=resolve_tags()).info.run_id)
    try:
        take_up(client, run_id, verb)
    except Stopped as stop:
        mark_broken_off(client, run_id, stop)
        raise
    return run_id
