"""The kinds of records that a run is made of: how many of each its server has not got, and how they are sent."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence, Sized
from itertools import takewhile
from math import inf
from pathlib import Path
from sqlite3 import Row
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import DatasetInput, LoggedModel, LoggedModelOutput, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from newsclf.tracking.journal.sent import FileStates, Sent, SentModel
from newsclf.tracking.journal.store import ENDED, Journal, place_of
from newsclf.tracking.journal.upload_files import changed, upload
from newsclf.tracking.metrics import POINTS_A_CALL, send_points
from newsclf.tracking.once import Once, once_model, once_run
from newsclf.tracking.registry.versions import REGISTER, register
from newsclf.tracking.server import NotStored, status_of

JOURNAL_TAG, MODEL_TAG = "newsclf.journal", "newsclf.journal_model"
WORDS_A_CALL = 100  # MLflow's own limit
# MLflow's API gives the points of one metric, all of them; these are read from its tables, from the last one on.
POINTS = "SELECT rowid AS place, key, value, timestamp, step, is_nan, NULL AS model_id, 0 AS own FROM metrics"
# What MLflow keeps of a metric that was logged with a model's id, besides the point of the run. A model of this run
# that is not whole (status 2, READY) is not on the server: its process is still writing it, or was killed over it.
MODEL_POINTS = (
    "SELECT points.rowid AS place, metric_name AS key, metric_value AS value, metric_timestamp_ms AS timestamp, "
    "metric_step AS step, 0 AS is_nan, model_id, source_run_id IS NOT NULL AS own FROM logged_model_metrics AS points "
    "LEFT JOIN logged_models USING (model_id) WHERE source_run_id IS NULL OR status = 2"
)


def translated(text: str, names: dict[str, str]) -> str:
    """The text with the server's ids of runs that were opened without it. names: those of this run."""

    def known(match: re.Match[str]) -> str:
        if match[0] in names:
            return names[match[0]]
        place = place_of(match[0])
        return place["run_id"] if place else match[0]

    return re.sub(r"\b[0-9a-f]{32}\b", known, text)


class Records(ABC):
    """One kind of records. run: as it is in the journal; client: of the server. Raises what MLflow's client raises."""

    def __init__(self, journal: Journal, run: Run, sent: Sent, client: MlflowClient) -> None:
        self.journal, self.run, self.sent, self.client = journal, run, sent, client

    @property
    def renamed(self) -> dict[str, str]:
        """The run's id on the server by that in the journal, where they differ."""
        here, there = self.run.info.run_id, self.sent.run_id
        return {here: there} if here != there else {}

    @abstractmethod
    def new(self) -> Sized:
        """Those that the server has not got."""

    def waiting(self) -> int:
        """How many the server has not got."""
        return len(self.new())

    @abstractmethod
    def send(self) -> Iterator[int]:
        """Send them; yields how many there were in each request, once that is kept in `sent`."""

    def there(self) -> Run:
        """The run as the server has it."""
        return self.client.get_run(self.sent.run_id)

    def check(self, arrived: bool) -> None:
        """Raises NotStored where the server has said yes to what was sent, and has not got it."""
        if not arrived:
            kind = type(self).__name__.lower()
            raise NotStored(f"it says that it has taken {kind}, and has not: what answers may not be the server itself")


class Params(Records):
    """Parameters, each of which is sent once, whatever it has become."""

    def new(self) -> dict[str, str]:
        return {name: text for name, text in self.run.data.params.items() if name not in self.sent.params}

    def send(self) -> Iterator[int]:
        if not (new := self.new()):
            return
        # `mlflow run` has logged those that were typed, and MLflow refuses another text for the same value.
        before = self.there().data.params
        todo = [Param(name, translated(text, self.renamed)) for name, text in new.items() if name not in before]
        for start in range(0, len(todo), WORDS_A_CALL):
            self.client.log_batch(self.sent.run_id, params=todo[start : start + WORDS_A_CALL])
        self.check(not todo or new.keys() <= self.there().data.params.keys())
        self.sent.keep(params=[*self.sent.params, *new])
        yield len(new)


class Tags(Records):
    """Tags: set, changed and removed."""

    def new(self) -> set[tuple[str, str]]:
        return set(self.run.data.tags.items()) ^ set(self.sent.tags.items())

    def send(self) -> Iterator[int]:
        tags, before = self.run.data.tags, self.sent.tags
        new = [RunTag(name, translated(text, self.renamed)) for name, text in tags.items() if before.get(name) != text]
        for start in range(0, len(new), WORDS_A_CALL):
            self.client.log_batch(self.sent.run_id, tags=new[start : start + WORDS_A_CALL])
        removed = before.keys() - tags.keys()
        for name in removed & self.there().data.tags.keys() if removed else ():
            self._remove(name)
        if new or removed:
            there = self.there().data.tags
            # Its text as it was before is what a request that has changed nothing leaves.
            arrived = (tag.key in there and there[tag.key] != before.get(tag.key) for tag in new)
            self.check(all(arrived) and not removed & there.keys())
            self.sent.keep(tags=tags)
            yield len(new) + len(removed)

    def _remove(self, name: str) -> None:
        try:
            self.client.delete_tag(self.sent.run_id, name)
        except MlflowException as error:  # the request was doubled: the second found it gone
            if status_of(error) != 404:
                raise


class Inputs(Records):
    """Data sets."""

    def new(self) -> list[DatasetInput]:
        """As many as there are new ones: MLflow gives all of them, in no order."""
        return self._all()[self.sent.inputs :]

    def send(self) -> Iterator[int]:
        if new := self.new():
            self.client.log_inputs(self.sent.run_id, self._all())  # a server keeps each once
            self.check(_named(self._all()) <= _named(_data_sets(self.there())))
            self.sent.keep(inputs=self.sent.inputs + len(new))
            yield len(new)

    def _all(self) -> list[DatasetInput]:
        return _data_sets(self.run)


def _data_sets(run: Run) -> list[DatasetInput]:
    return run.inputs.dataset_inputs if run.inputs else []


def _named(inputs: list[DatasetInput]) -> set[tuple[str, str]]:
    return {(one.dataset.name, one.dataset.digest) for one in inputs}


class Points(Records):
    """Points of metrics. query: their table; last: the name in `sent` of the last one's place there."""

    query, last = POINTS, "metrics"

    def new(self, limit: int = -1) -> list[Row]:
        """Those after the last one, in the order they were logged."""
        query = f"SELECT * FROM ({self.query}) WHERE place > ? ORDER BY place LIMIT ?"
        return self.journal.rows(query, getattr(self.sent, self.last), limit)

    def send(self) -> Iterator[int]:
        # A model that has become whole since `run` was read is sent the next time, and then its points.
        while rows := [*takewhile(self._can_go, self.new(POINTS_A_CALL))]:
            points = [self._metric(row) for row in rows]
            send_points(self.client, self.sent.run_id, points)
            self.check(self._arrived(points))
            self.sent.keep(**{self.last: rows[-1]["place"]})
            yield len(rows)

    def _arrived(self, points: Sequence[Metric]) -> bool:
        """Whether the last of them are there: the server takes all of a request, or nothing."""
        last = {one.key: (one.step, one.timestamp) for one in self.there().data._metric_objs}
        return all((one.step, one.timestamp) <= last.get(one.key, (-inf, 0)) for one in points)

    def _can_go(self, row: Row) -> bool:
        return not row["own"] or row["model_id"] in self.sent.models

    def _metric(self, row: Row) -> Metric:
        value = float("nan") if row["is_nan"] else row["value"]
        known = self.sent.models.get(row["model_id"])
        model_id = known.model_id if known else row["model_id"]
        return Metric(row["key"], value, row["timestamp"], row["step"], model_id=model_id)


class Files(Records):
    """The run's own; those of a model come with it."""

    def new(self) -> FileStates:
        return changed(self.journal.folder / "artifacts", self.sent.files)

    def send(self) -> Iterator[int]:
        if not self.new():
            return
        server = self.client.tracking_uri
        repository = get_artifact_repository(self.there().info.artifact_uri, server, server)
        for count in upload(self.journal.folder / "artifacts", repository, self.sent.files, self.renamed):
            self.sent.keep()
            yield count


class Models(Records):
    """Models that are whole; the server gives each an id of its own. A record is a file, or that the model is READY."""

    def new(self) -> list[tuple[LoggedModel, int, int]]:
        """Of each the step that it was logged at, and the number of its records."""
        here, found = MlflowClient(self.journal.uri), []
        for output in self.run.outputs.model_outputs if self.run.outputs else []:
            model, known = here.get_logged_model(output.model_id), self.sent.models.get(output.model_id, SentModel(""))
            records = len(changed(Path(model.artifact_location), known.files)) + (not known.ready)
            if records and model.status == "READY":
                found.append((model, output.step, records))
        return found

    def waiting(self) -> int:
        return sum(records for _, _, records in self.new())

    def send(self) -> Iterator[int]:
        for model, step, _ in self.new():
            yield from self._send(model, step)

    def _send(self, model: LoggedModel, step: int) -> Iterator[int]:
        """Make it on the server if it is not there, and send its files."""
        run_id, server = self.sent.run_id, self.client.tracking_uri
        if model.model_id not in self.sent.models:
            self.sent.models[model.model_id] = SentModel(self._make(model))
            self.sent.keep()
        known = self.sent.models[model.model_id]
        there = self.client.get_logged_model(known.model_id)
        names = {model.artifact_location: there.artifact_location, model.model_id: there.model_id} | self.renamed
        repository = get_artifact_repository(there.artifact_location, server, server)
        for count in upload(Path(model.artifact_location), repository, known.files, names):
            self.sent.keep()
            yield count
        if there.model_id not in self._outputs():
            self.client.log_outputs(run_id, [LoggedModelOutput(there.model_id, step)])
            self.check(there.model_id in self._outputs())
        self._once(model).alone()  # one that a doubled request has made since is removed
        self.client.finalize_logged_model(there.model_id, "READY")
        self.check(self.client.get_logged_model(there.model_id).status == "READY")
        known.ready = True
        self.sent.keep()
        yield 1

    def _outputs(self) -> set[str]:
        outputs = self.there().outputs
        return {output.model_id for output in outputs.model_outputs} if outputs else set()

    def _once(self, model: LoggedModel) -> Once[LoggedModel]:
        known = self.sent.models.get(model.model_id, SentModel("")).model_id
        return once_model(self.client, self.sent.experiment_id, MODEL_TAG, model.model_id, known)

    def _make(self, model: LoggedModel) -> str:
        """The model's id on the server, made if it is not there."""
        tags, run_id = {**model.tags, MODEL_TAG: model.model_id}, self.sent.run_id

        def make() -> LoggedModel:
            return self.client.create_logged_model(
                self.sent.experiment_id, model.name, run_id, tags, model.params, model.model_type
            )

        return str(self._once(model).made(make).model_id)


class ModelPoints(Points):
    """Those that belong to a model as well."""

    query, last = MODEL_POINTS, "model_metrics"

    def _arrived(self, points: Sequence[Metric]) -> bool:
        wanted: dict[str, set[str]] = {}
        for one in points:
            wanted.setdefault(str(one.model_id), set()).add(one.key)
        there = {model_id: self.client.get_logged_model(model_id).metrics or [] for model_id in wanted}
        return all(names <= {one.key for one in there[model_id]} for model_id, names in wanted.items())


class Registration(Records):
    """The name that the finished run's model is to be registered under."""

    def new(self) -> list[str]:
        name = self.run.data.tags.get(REGISTER, "")
        return [name] if name not in ("", self.sent.registered) and self.run.info.status == "FINISHED" else []

    def send(self) -> Iterator[int]:
        for name in self.new():
            register(self.client, self.sent.run_id, name)
            self.sent.keep(registered=name)
            yield 1


class End(Records):
    """The status that the run has ended with, and when."""

    def new(self) -> list[list[Any]]:
        end = [self.run.info.status, self.run.info.end_time]
        return [end] if end[0] in ENDED and end != self.sent.ended else []

    def send(self) -> Iterator[int]:
        for end in self.new():
            here, mine = self.sent.run_id, (JOURNAL_TAG, self.journal.id)
            once_run(self.client, self.sent.experiment_id, *mine, known=here).alone()
            self.client.set_terminated(here, *end)
            self.check(self.there().info.status == end[0])
            self.sent.keep(ended=end)
            yield 1


# In the order they are sent: a model before its points and its registration, the end of the run last.
RECORDS = (Params, Tags, Inputs, Points, Files, Models, ModelPoints, Registration, End)
