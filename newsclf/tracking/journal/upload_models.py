"""A logged model from a journal to the server, which gives it an id of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from newsclf.tracking.journal.records import Records
from newsclf.tracking.journal.sent import SentModel
from newsclf.tracking.journal.upload_files import changed, upload

MODEL_TAG = "newsclf.journal_model"


class Models(Records):
    """The models that are whole: of each the files that the server has not got, and 1 until it is READY there."""

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
            self.sent.models[model.model_id] = SentModel(self._made(model))
            self.sent.keep()
        known = self.sent.models[model.model_id]
        there = self.client.get_logged_model(known.model_id)
        names = {model.artifact_location: there.artifact_location, model.model_id: there.model_id} | self.renamed
        repository = get_artifact_repository(there.artifact_location, server, server)
        for count in upload(Path(model.artifact_location), repository, known.files, names):
            self.sent.keep()
            yield count
        outputs = self.client.get_run(run_id).outputs
        if there.model_id not in {output.model_id for output in (outputs.model_outputs if outputs else [])}:
            self.client.log_outputs(run_id, [LoggedModelOutput(there.model_id, step)])
        self.client.finalize_logged_model(there.model_id, "READY")
        known.ready = True
        self.sent.keep()
        yield 1

    def _made(self, model: LoggedModel) -> str:
        """The model's id on the server. One that was made by a request whose answer was lost is found by its tag."""
        experiment = self.client.get_run(self.sent.run_id).info.experiment_id
        if found := self.client.search_logged_models([experiment], f"tags.`{MODEL_TAG}` = '{model.model_id}'"):
            return str(found[0].model_id)
        tags = {**model.tags, MODEL_TAG: model.model_id}
        made = self.client.create_logged_model(
            experiment, model.name, self.sent.run_id, tags, model.params, model.model_type
        )
        return str(made.model_id)
