"""A logged model from a journal to the server, which gives it an id of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from sqlite3 import Row

from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from newsclf.tracking.journal.sent import Sent, SentModel
from newsclf.tracking.journal.store import Journal
from newsclf.tracking.journal.upload_files import changed, upload

MODEL_TAG = "newsclf.journal_model"
UPLOADED = 2  # the number MLflow's tables have for the status READY


def logged_models(journal: Journal) -> list[Row]:
    """The models that are whole."""
    return journal.rows("SELECT * FROM logged_models WHERE status = ? ORDER BY rowid", UPLOADED)


def waiting(model: Row, models: dict[str, SentModel]) -> int:
    """Files that the server has not got, and 1 until the model is READY there. models: by their id in the journal."""
    known = models.get(model["model_id"]) or SentModel("")
    return len(changed(Path(model["artifact_location"]), known.files)) + (not known.ready)


def send_model(sent: Sent, journal: Journal, client: MlflowClient, model: Row) -> Iterator[int]:
    """Make the model on the server if it is not there, and send its files; yields 1 for each and for its end."""
    if not waiting(model, sent.models):
        return
    if model["model_id"] not in sent.models:
        sent.models[model["model_id"]] = SentModel(_made(sent, journal, client, model))
        sent.keep()
    known = sent.models[model["model_id"]]
    there, folder = client.get_logged_model(known.model_id), Path(model["artifact_location"])
    names = {
        model["artifact_location"]: there.artifact_location,
        model["model_id"]: there.model_id,
        model["source_run_id"]: sent.run_id,
    }
    repository = get_artifact_repository(there.artifact_location, client.tracking_uri, client.tracking_uri)
    for count in upload(folder, repository, known.files, names):
        sent.keep()
        yield count
    outputs = client.get_run(sent.run_id).outputs
    if there.model_id not in {output.model_id for output in (outputs.model_outputs if outputs else [])}:
        step = journal.rows("SELECT step FROM inputs WHERE destination_id = ?", model["model_id"])[0]["step"]
        client.log_outputs(sent.run_id, [LoggedModelOutput(there.model_id, step)])
    client.finalize_logged_model(there.model_id, "READY")
    known.ready = True
    sent.keep()
    yield 1


def _made(sent: Sent, journal: Journal, client: MlflowClient, model: Row) -> str:
    """The model's id on the server. One that was made by a request whose answer was lost is found by its tag."""
    experiment = client.get_run(sent.run_id).info.experiment_id
    mine = f"tags.`{MODEL_TAG}` = '{model['model_id']}'"
    if found := client.search_logged_models([experiment], mine):
        return str(found[0].model_id)
    words = {}
    for kind in ("tag", "param"):
        rows = journal.rows(
            f"SELECT {kind}_key AS key, {kind}_value AS value FROM logged_model_{kind}s WHERE model_id = ?",
            model["model_id"],
        )
        words[kind] = {row["key"]: row["value"] for row in rows}
    made = client.create_logged_model(
        experiment,
        model["name"],
        sent.run_id,
        words["tag"] | {MODEL_TAG: model["model_id"]},
        words["param"],
        model["model_type"],
    )
    return str(made.model_id)
