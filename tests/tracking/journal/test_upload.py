"""Whatever is sent, and however often, the server has it once."""

from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.data.http_dataset_source import HTTPDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import DatasetInput, LoggedModelOutput, Metric, Param

from newsclf.tracking.journal import records
from newsclf.tracking.journal.store import Journal, find, place_of
from newsclf.tracking.journal.upload import RunUpload
from newsclf.tracking.server import NotStored
from tests.tracking.conftest import Begin


def fill(journal: Journal) -> str:
    """Log one of everything, as a run would that was opened without its server; the model's id."""
    here, run_id = MlflowClient(journal.uri), journal.id
    here.log_batch(run_id, [Metric("loss", 0.5, 1, 0), Metric("loss", 0.25, 2, 1)], [Param("seed", "1")])
    here.set_tag(run_id, "newsclf.model", f"runs:/{run_id}/model")
    for name in ("train", "test"):
        described = MetaDataset(HTTPDatasetSource("http://127.0.0.1/news.csv"), name)  # type: ignore[abstract]
        dataset = described._to_mlflow_entity()
        here.log_inputs(run_id, [DatasetInput(dataset, [])])
    here.log_text(run_id, f"run_id: {run_id}", "config.yaml")
    model = here.create_logged_model("0", "model", run_id, {"kind": "bert"}, {"layers": "3"})
    here.log_outputs(run_id, [LoggedModelOutput(model.model_id, 4)])
    folder = Path(model.artifact_location)
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text(f"run_id: {run_id}\nmodel_id: {model.model_id}\n")
    here.finalize_logged_model(model.model_id, "READY")
    here.log_metric(run_id, "accuracy", 0.75, timestamp=3, step=0, model_id=model.model_id)
    return str(model.model_id)


def content(server: MlflowClient, run_id: str) -> dict[str, Any]:
    """Everything that the server has of the run, the model's id as `model`."""
    run = server.get_run(run_id)
    assert run.inputs is not None
    assert run.outputs is not None
    (output,) = run.outputs.model_outputs
    model = server.get_logged_model(output.model_id)
    points = {name: server.get_metric_history(run_id, name) for name in run.data.metrics}
    return {
        "status": (run.info.status, run.info.end_time),
        "params": run.data.params,
        "tags": {name: text.replace(run_id, "run") for name, text in run.data.tags.items() if "newsclf." in name},
        "inputs": sorted(one.dataset.name for one in run.inputs.dataset_inputs),
        "points": {name: [(point.step, point.value) for point in points[name]] for name in points},
        "files": (Path(run.info.artifact_uri) / "config.yaml").read_text().replace(run_id, "run"),
        "model": (model.name, str(model.status), output.step, model.params, model.tags["kind"]),
        "model files": (Path(model.artifact_location) / "MLmodel").read_text().replace(run_id, "run"),
        "model metrics": [(metric.key, metric.value, metric.run_id == run_id) for metric in model.metrics or []],
    }


def test_all_of_a_run_arrives_under_the_servers_ids_and_once(begin: Begin, server: MlflowClient) -> None:
    journal = begin(experiment_id="0")
    fill(journal)
    MlflowClient(journal.uri).set_terminated(journal.id, "FINISHED", 99)
    upload = RunUpload(journal, server.tracking_uri)
    assert upload.waiting() == 14
    assert sum(upload.send_pending()) == 14
    assert upload.whole
    run_id = upload.sent.run_id
    assert run_id != journal.id
    (output,) = server.get_run(run_id).outputs.model_outputs  # type: ignore[union-attr]
    expected = {
        "status": ("FINISHED", 99),
        "params": {"seed": "1"},
        "tags": {"newsclf.verb": "train", "newsclf.model": "runs:/run/model", "newsclf.journal": journal.id},
        "inputs": ["test", "train"],
        "points": {"loss": [(0, 0.5), (1, 0.25)], "accuracy": [(0, 0.75)]},
        "files": "run_id: run",
        "model": ("model", "READY", 4, {"layers": "3"}, "bert"),
        "model files": f"run_id: run\nmodel_id: {output.model_id}\n",
        "model metrics": [("accuracy", 0.75, True)],
    }
    assert content(server, run_id) == expected
    assert (list(upload.send_pending()), list(RunUpload(journal, server.tracking_uri).send_pending())) == ([], [])
    upload.sent.path.unlink()  # all of it once more
    again = RunUpload(journal, server.tracking_uri)
    assert sum(again.send_pending()) == 14
    assert again.sent.run_id == run_id
    assert content(server, run_id) == expected
    journal.remove()
    assert find(journal.id) is None
    assert (place_of(journal.id) or {})["run_id"] == run_id


class Unlucky:
    """A client that answers each kind of request only the second time, though it did as it was asked at once."""

    def __init__(self, client: MlflowClient) -> None:
        self.client, self.answered = client, set[str]()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.client, name)
        if not callable(value):
            return value

        def call(*args: Any, **options: Any) -> Any:
            answer = value(*args, **options)
            if name not in self.answered:
                self.answered.add(name)
                raise ConnectionError(name)
            return answer

        return call


def test_a_lost_answer_is_no_second_record(begin: Begin, server: MlflowClient) -> None:
    journal, lost = begin(experiment_id="0"), 0
    fill(journal)
    MlflowClient(journal.uri).set_terminated(journal.id, "FINISHED", 99)
    upload = RunUpload(journal, server.tracking_uri)
    upload.client = Unlucky(server)  # type: ignore[assignment]
    while not upload.whole:
        try:
            list(upload.send_pending())
        except ConnectionError:
            lost += 1
    assert lost == 12
    assert len(server.search_runs(["0"])) == 1
    assert len(server.search_logged_models(["0"])) == 1
    assert content(server, upload.sent.run_id)["points"] == {"loss": [(0, 0.5), (1, 0.25)], "accuracy": [(0, 0.75)]}


class YesMan:
    """A client of something that says yes to one kind of request, and does nothing."""

    def __init__(self, client: MlflowClient, name: str) -> None:
        self.client, self.name = client, name

    def __getattr__(self, name: str) -> Any:
        return (lambda *_, **__: None) if name == self.name else getattr(self.client, name)


# Files: test_upload_files.py; registrations: registry/test_versions.py; of a portal between: integration.
TAKEN = {
    "create_run": "made it",
    "log_batch": "taken params",
    "log_inputs": "taken inputs",
    "create_logged_model": "made it",
    "log_outputs": "taken models",
    "finalize_logged_model": "taken models",
    "set_terminated": "taken end",
}


@pytest.mark.parametrize(("name", "what"), TAKEN.items())
def test_a_yes_that_has_stored_nothing_is_no_yes(name: str, what: str, begin: Begin, server: MlflowClient) -> None:
    journal = begin(experiment_id="0")
    fill(journal)
    MlflowClient(journal.uri).set_terminated(journal.id, "FINISHED", 99)
    upload = RunUpload(journal, str(server.tracking_uri))
    upload.client = YesMan(server, name)  # type: ignore[assignment]
    with pytest.raises(NotStored, match=what):
        list(upload.send_pending())
    assert not upload.whole
    again = RunUpload(journal, str(server.tracking_uri))
    assert again.waiting() > 0
    list(again.send_pending())
    assert again.whole
    assert content(server, again.sent.run_id)["model"][:2] == ("model", "READY")


@pytest.mark.parametrize("change", ["points", "tag", "removed tag", "model point"])
def test_a_yes_to_what_came_later_is_no_yes_either(change: str, begin: Begin, server: MlflowClient) -> None:
    journal = begin(experiment_id="0")
    model, here = fill(journal), MlflowClient(journal.uri)
    upload = RunUpload(journal, str(server.tracking_uri))
    list(upload.send_pending())
    if change == "points":
        here.log_metric(journal.id, "loss", 0.125, timestamp=3, step=2)
    elif change == "tag":
        here.set_tag(journal.id, "newsclf.verb", "evaluate")
    elif change == "removed tag":
        here.delete_tag(journal.id, "newsclf.model")
    else:
        here.log_metric(journal.id, "f1", 0.5, timestamp=3, step=0, model_id=model)
    upload.client = YesMan(server, "delete_tag" if change == "removed tag" else "log_batch")  # type: ignore[assignment]
    with pytest.raises(NotStored, match="says that it has taken"):
        list(upload.send_pending())
    upload.client = server
    assert sum(upload.send_pending()) > 0
    assert upload.waiting() == 0


def test_what_changes_is_sent_again_and_a_run_that_goes_on_runs(begin: Begin, server: MlflowClient) -> None:
    journal = begin(experiment_id="0")
    here, upload = MlflowClient(journal.uri), RunUpload(journal, server.tracking_uri)
    here.set_tag(journal.id, "newsclf.failure", "stopped")
    here.log_text(journal.id, "one", "notes.txt")
    here.set_terminated(journal.id, "KILLED", 50)
    assert sum(upload.send_pending()) == 5
    here.delete_tag(journal.id, "newsclf.failure")
    here.update_run(journal.id, "RUNNING")
    here.log_text(journal.id, "two, longer", "notes.txt")
    assert upload.waiting() == 2
    assert sum(upload.send_pending()) == 2
    run = server.get_run(upload.sent.run_id)
    assert (run.info.status, "newsclf.failure" in run.data.tags) == ("RUNNING", False)
    assert (Path(run.info.artifact_uri) / "notes.txt").read_text() == "two, longer"
    assert not upload.whole, "it has not ended"


def test_a_finished_run_is_registered_when_its_model_is_there(
    begin: Begin, server: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered: list[tuple[str, str]] = []
    monkeypatch.setattr(records, "register", lambda _, run_id, name: registered.append((run_id, name)))
    journal = begin(experiment_id="0")
    here, upload = MlflowClient(journal.uri), RunUpload(journal, server.tracking_uri)
    here.set_tag(journal.id, records.REGISTER, "news")
    list(upload.send_pending())
    assert (registered, upload.waiting()) == ([], 0)
    here.set_terminated(journal.id, "FINISHED", 50)
    assert upload.waiting() == 2
    assert list(upload.send_pending()) == [1, 1]
    assert list(upload.send_pending()) == []
    here.delete_tag(journal.id, records.REGISTER)
    assert list(upload.send_pending()) == [1]
    assert registered == [(upload.sent.run_id, "news")]
