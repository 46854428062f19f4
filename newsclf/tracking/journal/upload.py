"""A journal's run copied to its server, so that the server holds each record once, however often it is sent.

What the server has got is kept beside the journal after every request. A request whose answer was lost is sent again:
the run and its models are looked for by a tag before they are made, a metric point is its own key on the server, and
all else replaces what is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from sqlite3 import Row
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from newsclf.tracking.journal.store import ENDED, Journal, place_of
from newsclf.tracking.journal.upload_files import changed, upload
from newsclf.tracking.journal.upload_models import UPLOADED, logged_models, send_model, waiting
from newsclf.tracking.metrics import POINTS_A_CALL, send_points
from newsclf.tracking.registry.versions import REGISTER, register
from newsclf.tracking.server import experiment_of

JOURNAL_TAG = "newsclf.journal"
WORDS_A_CALL = 100  # MLflow's own limit
POINTS = "SELECT rowid AS place, key, value, timestamp, step, is_nan FROM metrics"
# What MLflow keeps of a metric that was logged with a model's id, besides the point of the run. A model of this run
# that is not whole is not on the server: its process is still writing it, or was killed over it.
MODEL_POINTS = (
    "SELECT rowid AS place, metric_name AS key, metric_value AS value, metric_timestamp_ms AS timestamp, "
    "metric_step AS step, 0 AS is_nan, model_id FROM (SELECT rowid, * FROM logged_model_metrics WHERE model_id NOT IN "
    f"(SELECT model_id FROM logged_models WHERE source_run_id IS NOT NULL AND status <> {UPLOADED}))"
)
INPUTS = (
    "SELECT d.*, i.input_uuid FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id "
    "WHERE i.source_type = 'DATASET' ORDER BY i.rowid LIMIT -1 OFFSET ?"
)


class RunUpload:
    """What is sent of one journal, and what is not yet. Its methods raise what MLflow's client raises."""

    def __init__(self, journal: Journal, server: str) -> None:
        self.journal, self.server = journal, server
        self.client = MlflowClient(server, server)
        self.sent = journal.sent

    def create_remote_run(self) -> None:
        """Make the run on the server, if it is not there."""
        if self.sent.run_id:
            return
        experiment = self._experiment()
        mine = f"tags.`{JOURNAL_TAG}` = '{self.journal.id}'"
        found = list(self.client.search_runs([experiment], mine, ViewType.ALL, max_results=1))
        if not found:
            row, tags = self.journal.run, {JOURNAL_TAG: self.journal.id}
            tags |= {key: self._translated(value) for key, value in self._tags().items()}
            found = [self.client.create_run(experiment, row["start_time"], tags, row["name"])]
        self.sent.keep(run_id=found[0].info.run_id, experiment_id=experiment, server=self.server)

    def send_pending(self) -> Iterator[int]:
        """Send all that is there now, a request at a time; yields the number of records in each."""
        row = self.journal.run  # read first: nothing is added to a run that has ended
        self.create_remote_run()
        if self.sent.ended and row["status"] not in ENDED:
            self.client.update_run(self.sent.run_id, status=row["status"])
            self.sent.keep(ended=None)
        yield from self._send_params()
        yield from self._send_tags()
        yield from self._send_inputs()
        yield from self._send_points("metrics")
        yield from self._send_files()
        for model in logged_models(self.journal):
            yield from send_model(self.sent, self.journal, self.client, model)
        yield from self._send_points("model_metrics")
        if name := self._unregistered():
            register(self.client, self.sent.run_id, name)
            self.sent.keep(registered=name)
            yield 1
        if row["status"] in ENDED and self.sent.ended != _end(row):
            self.client.set_terminated(self.sent.run_id, *_end(row))
            self.sent.keep(ended=_end(row))
            yield 1

    @property
    def whole(self) -> bool:
        """Whether the run has ended and the server has all of it."""
        return self.journal.run["status"] in ENDED and not self.waiting()

    def waiting(self) -> int:
        """Records that the server has not got: parameters, tags, data sets, metric points, files, the run's end."""
        tags, row = self._tags(), self.journal.run
        return (
            len(self._params())
            + len(self._inputs())
            + len(set(tags.items()) ^ set(self.sent.tags.items()))
            + sum(len(self._points(kind, limit=-1)) for kind in ("metrics", "model_metrics"))
            + len(changed(self.journal.folder / "artifacts", self.sent.files))
            + sum(waiting(model, self.sent.models) for model in logged_models(self.journal))
            + bool(self._unregistered())
            + (row["status"] in ENDED and self.sent.ended != _end(row))
        )

    def _experiment(self) -> str:
        note = self.journal.note
        return experiment_of(self.client, note["experiment"], note["experiment_id"])

    def _translated(self, text: str) -> str:
        """The text with the server's ids of runs that were opened without it."""

        def known(match: re.Match[str]) -> str:
            if match[0] == self.journal.run["run_uuid"]:
                return self.sent.run_id or match[0]
            place = place_of(match[0])
            return place["run_id"] if place else match[0]

        return re.sub(r"\b[0-9a-f]{32}\b", known, text)

    def _params(self) -> dict[str, str]:
        rows = self.journal.rows("SELECT key, value FROM params ORDER BY rowid")
        return {row["key"]: row["value"] for row in rows if row["key"] not in self.sent.params}

    def _send_params(self) -> Iterator[int]:
        new = self._params()
        if not new:
            return
        # `mlflow run` has logged those that were typed, and MLflow refuses another text for the same value.
        there = self.client.get_run(self.sent.run_id).data.params
        todo = [Param(key, self._translated(value)) for key, value in new.items() if key not in there]
        for start in range(0, len(todo), WORDS_A_CALL):
            self.client.log_batch(self.sent.run_id, params=todo[start : start + WORDS_A_CALL])
        self.sent.keep(params=[*self.sent.params, *new])
        yield len(new)

    def _tags(self) -> dict[str, str]:
        return {row["key"]: row["value"] for row in self.journal.rows("SELECT key, value FROM tags")}

    def _send_tags(self) -> Iterator[int]:
        tags, before = self._tags(), self.sent.tags
        new = [RunTag(key, self._translated(value)) for key, value in tags.items() if before.get(key) != value]
        for start in range(0, len(new), WORDS_A_CALL):
            self.client.log_batch(self.sent.run_id, tags=new[start : start + WORDS_A_CALL])
        removed = before.keys() - tags.keys()
        if removed:
            for key in removed & self.client.get_run(self.sent.run_id).data.tags.keys():
                self.client.delete_tag(self.sent.run_id, key)
        if new or removed:
            self.sent.keep(tags=tags)
            yield len(new) + len(removed)

    def _unregistered(self) -> str:
        """The name that the finished run's model is still to be registered under."""
        name = self._tags().get(REGISTER, "")
        return name if name != self.sent.registered and self.journal.run["status"] == "FINISHED" else ""

    def _inputs(self) -> list[Row]:
        return self.journal.rows(INPUTS, self.sent.inputs)

    def _send_inputs(self) -> Iterator[int]:
        inputs = []
        for row in self._inputs():
            tags = self.journal.rows("SELECT name, value FROM input_tags WHERE input_uuid = ?", row["input_uuid"])
            described = (row[f"dataset_{part}"] for part in ("source_type", "source", "schema", "profile"))
            dataset = Dataset(row["name"], row["digest"], *described)
            inputs.append(DatasetInput(dataset, [InputTag(tag["name"], tag["value"]) for tag in tags]))
        if inputs:
            self.client.log_inputs(self.sent.run_id, inputs)
            self.sent.keep(inputs=self.sent.inputs + len(inputs))
            yield len(inputs)

    def _points(self, kind: str, limit: int = POINTS_A_CALL) -> list[Row]:
        """The metric points after the last one that was sent, in the order they were logged."""
        query = POINTS if kind == "metrics" else MODEL_POINTS
        return self.journal.rows(f"{query} WHERE rowid > ? ORDER BY rowid LIMIT ?", getattr(self.sent, kind), limit)

    def _send_points(self, kind: str) -> Iterator[int]:
        while rows := self._points(kind):
            send_points(self.client, self.sent.run_id, [self._metric(row) for row in rows])
            self.sent.keep(**{kind: rows[-1]["place"]})
            yield len(rows)

    def _metric(self, row: Row) -> Metric:
        value = float("nan") if row["is_nan"] else row["value"]
        model = dict(row).get("model_id")
        known = self.sent.models.get(model or "")
        return Metric(row["key"], value, row["timestamp"], row["step"], model_id=known.model_id if known else model)

    def _send_files(self) -> Iterator[int]:
        folder = self.journal.folder / "artifacts"
        if not changed(folder, self.sent.files):
            return
        uri = self.client.get_run(self.sent.run_id).info.artifact_uri
        repository = get_artifact_repository(uri, self.server, self.server)
        names = {here: self.sent.run_id} if (here := self.journal.run["run_uuid"]) != self.sent.run_id else {}
        for count in upload(folder, repository, self.sent.files, names):
            self.sent.keep()
            yield count


def _end(row: Row) -> list[Any]:
    return [row["status"], row["end_time"]]
