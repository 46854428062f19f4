"""train, evaluate and profile on the stack, through TLS and login; what it holds outlives the end of every service."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.integration.racers import race
from tests.stack.content import content, points

pytestmark = [pytest.mark.integration]


def test_train_is_on_the_server_whole(trained_on_stack, on_stack, tmp_path):
    run = on_stack.get_run(trained_on_stack)
    assert (run.info.status, run.data.params["epochs"], run.data.metrics["epochs_run"]) == ("FINISHED", "2", 2)
    assert len(points(on_stack, trained_on_stack, "val_loss")) == 2
    assert len(run.inputs.dataset_inputs) == 3
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
    folder = Path(on_stack.download_artifacts(trained_on_stack, "plots", str(tmp_path)))
    assert (folder / "confusion_matrix.png").read_bytes().startswith(b"\x89PNG")


def test_its_model_is_evaluated_and_profiled_from_the_server(
    trained_on_stack, evaluated_on_stack, profiled_on_stack, on_stack
):
    accuracy = on_stack.get_run(trained_on_stack).data.metrics["test_accuracy"]
    evaluated, profiled = (on_stack.get_run(run) for run in (evaluated_on_stack, profiled_on_stack))
    assert evaluated.data.metrics["accuracy"] == accuracy
    assert evaluated.data.tags["newsclf.model_run_id"] == trained_on_stack
    # A run that is whole stays so: the client of a later run does not take it for one that was cut off.
    assert [run.info.status for run in (evaluated, profiled)] == ["FINISHED", "FINISHED"]
    assert "report.html" in {file.path for file in on_stack.list_artifacts(profiled_on_stack)}


def test_names_that_differ_by_case_or_accent_are_kept_apart(on_stack):
    """With the collation that MySQL comes with, the database takes F1 and f1 for one metric."""
    run = on_stack.create_run("0").info.run_id
    given = {"f1": 0.1, "F1": 0.2, "été": 0.3, "ete": 0.4}
    for name, value in given.items():
        on_stack.log_metric(run, name, value)
        on_stack.set_tag(run, name, f"{value} \N{NEWSPAPER}")
    on_stack.set_terminated(run)
    found = on_stack.get_run(run).data
    assert {name: found.metrics.get(name) for name in given} == given
    assert {name: found.tags.get(name) for name in given} == {
        name: f"{value} \N{NEWSPAPER}" for name, value in given.items()
    }


def test_of_promotions_at_the_same_time_one_wins(on_stack, tmp_path):
    on_stack.create_registered_model("raced")
    run = on_stack.create_run("0").info.run_id
    versions = [str(on_stack.create_model_version("raced", f"runs:/{run}/model", run).version) for _ in range(3)]
    race(on_stack, "raced", versions, rounds=4, folder=tmp_path)


def test_all_is_there_when_services_come_back(stack, trained_on_stack, on_stack):
    """Ended without a warning, as a loss of power would; the others run on and find the new ones by themselves."""
    before = content(on_stack, of=[trained_on_stack])
    assert sum(len(run["artifacts"]) for run in before["runs"].values()) > 10
    version = on_stack.get_model_version_by_alias("newsclf", "challenger")
    assert version.run_id == trained_on_stack
    assert before["models"]["newsclf"]["aliases"] == {"challenger": version.version}
    for names in (["db"], ["s3"], ["proxy"], ["db", "s3", "mlflow", "proxy"]):
        for name in names:
            stack.services[name].kill()
        for name in names:
            stack.services[name].start()
        assert content(MlflowClient(stack.uri), of=[trained_on_stack]) == before, names
