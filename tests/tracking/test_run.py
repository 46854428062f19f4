"""The run of a verb: what it logs and how it ends, in a database of its own."""

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from newsclf.errors import InputError, Stopped
from newsclf.tracking.run import Run, open_run, report_early_end
from tests.tracking.conftest import VERB, Opened


def history(run: Run, name: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in run.client.get_metric_history(run.id, name)]


def test_a_run_is_described_and_ends_finished(opened: Opened) -> None:
    with open_run(VERB, opened.config) as run:
        there = opened.client.get_run(run.id)
        assert there.info.status == "RUNNING"
        assert run.folder.is_dir()
        assert (run.journalled, run.store, run.experiment_id) == (False, run.server, "0")
    there = opened.client.get_run(run.id)
    assert there.info.status == "FINISHED"
    assert there.data.params["strategy"] == "grid"
    assert there.data.params["name"] == "''", "MLflow takes no empty parameter"
    assert there.data.tags["newsclf.verb"] == VERB
    assert there.data.tags["newsclf.python"] == "3"
    logged = {file.path for file in opened.client.list_artifacts(run.id)}
    assert logged == {"config.yaml", "a"}


@pytest.mark.parametrize(
    ("error", "status"), [(InputError("no good"), "FAILED"), (KeyError("gone"), "FAILED"), (Stopped(2), "KILLED")]
)
def test_a_run_that_breaks_off_says_why(opened: Opened, error: BaseException, status: str) -> None:
    with pytest.raises(type(error)), open_run(VERB, opened.config) as run:
        raise error
    there = opened.client.get_run(run.id)
    assert there.info.status == status
    assert there.data.tags["newsclf.failure"] == str(error)


def test_an_output_folder_that_is_a_file_fails_the_run(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "output").write_text("in the way")
    with pytest.raises(InputError, match="output_dir .* cannot be written"), open_run(VERB, opened.config):
        pass
    assert opened.runs() == ["FAILED"]


def test_the_run_that_mlflow_run_has_made_is_taken_up(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    made = opened.client.create_run("0").info.run_id
    opened.client.log_param(made, "strategy", "GRID")  # as it was typed
    monkeypatch.setenv("MLFLOW_RUN_ID", made)
    with open_run(VERB, opened.config) as run:
        assert run.id == made
    assert opened.client.get_run(made).data.params["strategy"] == "GRID"
    assert opened.client.get_run(made).data.tags["newsclf.verb"] == VERB
    assert opened.runs() == ["FINISHED"]


def test_a_stopped_run_goes_on_and_a_deleted_one_does_not(opened: Opened) -> None:
    with pytest.raises(Stopped), open_run(VERB, opened.config) as first:
        raise Stopped(15)
    with open_run(VERB, opened.config, resume=first.id) as run:
        assert run.id == first.id
    assert "newsclf.failure" not in opened.client.get_run(run.id).data.tags
    opened.client.delete_run(run.id)
    with open_run(VERB, opened.config, resume=run.id) as another:
        assert another.id != run.id


def test_a_number_is_logged_once_however_often_the_run_is_taken_up(opened: Opened) -> None:
    with contextlib.suppress(Stopped), open_run(VERB, opened.config) as run:
        run.log_metrics({"rows/train": 3, "loss": 0.5})
        run.log_metrics({"loss": 0.4}, step=1)
        raise Stopped(15)
    with open_run(VERB, opened.config, resume=run.id) as run:
        run.log_metrics({"rows/train": 4, "loss": 0.3})
        run.log_metrics({"loss": 0.2, "seconds": 1.0}, step=1)
        run.log_metrics({"loss": 0.1}, step=2)
        run.log_metrics({"loss": 0.9}, step=2)
    assert history(run, "rows/train") == [(0, 3)]
    assert history(run, "loss") == [(0, 0.5), (1, 0.4), (2, 0.1)]
    assert history(run, "seconds") == [(1, 1.0)]


def test_a_point_with_a_time_is_told_apart_by_it(run: Run) -> None:
    first, later = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    for when, value in ((first, 1.0), (first, 1.0), (later, 2.0)):
        run.log_metrics({"batches": value}, when=when)
    assert history(run, "batches") == [(0, 1.0), (0, 2.0)]
    assert run.client.get_run(run.id).data.metrics == {"batches": 2.0}
    assert run.client.get_metric_history(run.id, "batches")[0].timestamp == first.timestamp() * 1000


def test_a_number_of_another_runs_model_makes_it_an_input(run: Run) -> None:
    other = run.client.create_run("0").info.run_id
    model = run.client.create_logged_model("0", "model", other)
    run.log_metrics({"accuracy": 0.5}, model_id=model.model_id)
    run.log_metrics({"macro_f1": 0.4}, model_id=model.model_id)
    inputs = run.client.get_run(run.id).inputs
    assert inputs is not None
    assert [one.model_id for one in inputs.model_inputs] == [model.model_id]
    linked = {metric.key: metric.value for metric in run.client.get_logged_model(model.model_id).metrics or []}
    assert linked == {"accuracy": 0.5, "macro_f1": 0.4}


def test_a_table_takes_the_place_of_the_one_before(run: Run) -> None:
    for text in ("one", "two"):
        run.log_table(pd.DataFrame({"text": [text]}), "errors.json")
    assert json.loads(Path(run.client.download_artifacts(run.id, "errors.json")).read_text())["data"] == [["two"]]


def test_warnings_are_printed_and_kept(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.warn(["few rows"])
    run.warn(["a rare class", "x" * 6000])
    assert capsys.readouterr().out.splitlines()[:2] == ["warning: few rows", "warning: a rare class"]
    tags = [run.tags[f"newsclf.data_warning.{number}"] for number in range(3)]
    assert tags == ["few rows", "a rare class", "x" * 5000]
    run.finish({})
    assert json.loads((run.folder / "result.json").read_text())["warnings"] == ["few rows", "a rare class", "x" * 6000]


def test_the_result_is_written_logged_and_told_of_at_the_end(
    opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_run(VERB, opened.config) as run:
        run.finish({"best": 0.5}, table="table.csv")
        assert capsys.readouterr().out == ""
    result = json.loads((run.folder / "result.json").read_text())
    assert list(result) == ["verb", "run_id", "metrics", "parameters", "paths"]
    assert (result["verb"], result["run_id"], result["metrics"]) == (VERB, run.id, {"best": 0.5})
    assert (result["parameters"]["name"], result["paths"]) == ("", {"table": "table.csv"})
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [name for name, _ in lines] == ["run", "table", "result", "look"]
    assert lines[2][1] == str(run.folder / "result.json")
    with contextlib.suppress(Stopped), open_run(VERB, opened.config) as run:
        run.finish({})
        raise Stopped(2)
    assert capsys.readouterr().out == "", "a run that is stopped has no last lines"


def test_other_last_lines(opened: Opened, capsys: pytest.CaptureFixture[str]) -> None:
    with open_run(VERB, opened.config) as run:
        run.finish({}, table="table.csv")
        run.show(version="models:/news/3")
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["run", "version", "result", "look"]


def test_an_experiment_is_made_by_its_name(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    with open_run(VERB, opened.config) as run:
        assert opened.client.get_experiment(run.experiment_id).name == "mine"
    with open_run(VERB, opened.config) as again:
        assert again.experiment_id == run.experiment_id


@pytest.mark.parametrize(
    ("name", "number", "message"),
    [
        (
            "",
            "77",
            "MLFLOW_EXPERIMENT_ID is 77: there is no such experiment, but .*0 .Default.*; MLFLOW_EXPERIMENT_NAME",
        ),
        ("", "seven", "MLFLOW_EXPERIMENT_ID is seven: there is no such experiment, but "),
        ("", "deleted", "experiment 'old' .id .*. is deleted: `mlflow experiments restore --experiment-id"),
        ("old", "", "experiment 'old' .id .*. is deleted: `mlflow experiments restore --experiment-id"),
        ("mine", "0", "MLFLOW_EXPERIMENT_NAME is experiment 'mine' .id .*., and MLFLOW_EXPERIMENT_ID is 0: unset one"),
    ],
)
def test_an_experiment_that_cannot_be_used(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, name: str, number: str, message: str
) -> None:
    deleted = opened.client.create_experiment("old")
    opened.client.delete_experiment(deleted)
    opened.client.create_experiment("mine")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", name)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", deleted if number == "deleted" else number)
    with pytest.raises(InputError, match=message):
        open_run(VERB, opened.config).__enter__()


def test_a_lost_race_for_a_new_experiment_is_no_refusal(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run makes it between the question whether it is there and the answer."""
    found = MlflowClient.get_experiment_by_name

    def not_yet(client: MlflowClient, name: str) -> object:
        monkeypatch.setattr(MlflowClient, "get_experiment_by_name", found)
        opened.client.create_experiment(name)
        return None

    monkeypatch.setattr(MlflowClient, "get_experiment_by_name", not_yet)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    with open_run(VERB, opened.config) as run:
        assert opened.client.get_experiment(run.experiment_id).name == "mine"


def test_files_that_go_to_a_folder_which_is_not_there_fail_the_run(opened: Opened, tmp_path: Path) -> None:
    """A database that was made on another machine, or by another user."""
    (tmp_path / "file").touch()
    experiment = opened.client.create_experiment("elsewhere", str(tmp_path / "file" / "mlruns"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_EXPERIMENT_ID", experiment)
        with pytest.raises(InputError, match="the run's files go to .*/file/mlruns/.* cannot be written: make it"):
            open_run(VERB, opened.config).__enter__()


def test_a_run_that_ends_before_it_is_opened(opened: Opened) -> None:
    made = opened.client.create_run("0").info.run_id
    report_early_end(made, "FAILED", "option epochs is x")
    assert opened.client.get_run(made).info.status == "FAILED"
    assert opened.client.get_run(made).data.tags["newsclf.failure"] == "option epochs is x"
    opened.client.set_terminated(made, "FINISHED")
    report_early_end(made, "FAILED", "later")
    assert opened.client.get_run(made).info.status == "FINISHED"
    with pytest.raises(MlflowException):
        opened.client.get_run("0" * 32)
    report_early_end("0" * 32, "FAILED", "it is not there, and nobody is told")
