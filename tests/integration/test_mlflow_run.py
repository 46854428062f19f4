"""`mlflow run` as it is typed: started for real, and read back through MLflow's client."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

pytestmark = pytest.mark.integration

CLASSES = ["World", "Sports", "Business", "Sci/Tech"]
DEPENDS_ON_THE_CLOCK = ("seconds/", "_per_second", "peak_memory")


@pytest.fixture(scope="module")
def options(tiny_encoder, place) -> dict[str, object]:
    return {"encoder": tiny_encoder, "epochs": 2, "learning_rate": "1e-3", "output_dir": place.folder / "out"}


@pytest.fixture(scope="module")
def trained(place, options):
    """The run of `mlflow run . -e train`, and what it printed."""
    done = place.mlflow_run("train", options)
    assert done.returncode == 0, done.stderr
    (run,) = place.runs()
    return run, done.stdout


def history(place, run, name: str) -> list[tuple[int, float]]:
    """(step, value) of a metric."""
    return [(point.step, point.value) for point in place.client().get_metric_history(run.info.run_id, name)]


def test_the_run_is_finished_with_its_metrics(trained, place):
    run, printed = trained
    assert run.info.status == "FINISHED"
    metrics = run.data.metrics
    assert [metrics[f"rows/{split}"] for split in ("train", "validation", "test")] == [476, 68, 136]
    assert metrics["epochs_run"] == 2
    assert f"test accuracy {metrics['test_accuracy']:.4f}, macro-F1 {metrics['test_macro_f1']:.4f}" in printed
    assert {f"test_f1/{name}" for name in CLASSES} <= set(metrics)
    steps = 476 // 32 + 1
    assert [step for step, _ in history(place, run, "train_loss")] == list(range(2 * steps))
    for name in ("val_loss", "val_acc"):
        assert [step for step, _ in history(place, run, name)] == [steps - 1, 2 * steps - 1]


def test_the_learning_rate_warms_up_to_what_was_typed_and_falls_again(trained, place):
    run, _ = trained
    name = next(name for name in run.data.metrics if name.startswith("learning_rate"))
    points = [value for _, value in history(place, run, name)]
    top = points.index(max(points))
    assert max(points) == pytest.approx(1e-3)
    assert points[: top + 1] == sorted(points[: top + 1])
    assert points[top:] == sorted(points[top:], reverse=True)


def test_every_option_is_logged_once_and_typed_text_stays(trained):
    run, _ = trained
    logged = run.data.params
    assert logged["learning_rate"] == "1e-3"
    assert logged["config"] == "configs/train.yaml"
    assert (logged["batch_size"], logged["optimizer_name"], logged["num_samples"]) == ("32", "adamw", "all")
    assert logged["device"] != "auto"
    assert logged["precision"] != "auto"


def test_tags_say_what_the_run_is_made_of(trained):
    run, _ = trained
    tags = run.data.tags
    assert tags["newsclf.verb"] == "train"
    assert tags["mlflow.project.entryPoint"] == "train"
    assert len(tags["newsclf.encoder_sha256"]) == 64
    assert len(tags["newsclf.data_fingerprint"]) == 64
    assert "newsclf.failure" not in tags


def test_the_data_are_inputs_of_the_run(trained):
    run, _ = trained
    inputs = {item.dataset.name: item for item in run.inputs.dataset_inputs}
    assert set(inputs) == {"sample-train", "sample-validation", "sample-test"}
    digests = {item.dataset.digest for item in inputs.values()}
    assert digests == {run.data.tags["newsclf.data_fingerprint"][:16]}
    contexts = {name: item.tags[0].value for name, item in inputs.items()}
    assert contexts == {"sample-train": "train", "sample-validation": "validation", "sample-test": "test"}
    assert json.loads(inputs["sample-test"].dataset.profile)["num_rows"] == 136


def test_artifacts_can_be_read_back(trained, place, tmp_path):
    run, _ = trained
    folder = Path(place.client().download_artifacts(run.info.run_id, "", str(tmp_path)))
    for name in ("confusion_matrix", "per_class", "calibration", "losses"):
        assert (folder / "plots" / f"{name}.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    freeze = (folder / "environment" / "freeze.txt").read_text().splitlines()
    pinned = yaml.safe_load((place.project / "python_env.yaml").read_text())["dependencies"]
    assert next(pin for pin in pinned if pin.startswith("mlflow==")) in freeze
    resolved = yaml.safe_load((folder / "config.yaml").read_text())
    assert (resolved["epochs"], resolved["learning_rate"], resolved["batch_size"]) == (2, 0.001, 32)
    errors = json.loads((folder / "confident_errors.json").read_text())
    assert errors["columns"] == ["row", "text", "label", "predicted", "confidence", "label_probability", "row_id"]
    assert run.data.metrics["avg_test_acc"] == run.data.metrics["test_accuracy"]  # the study's column
    wrong = round(136 * (1 - run.data.metrics["test_accuracy"]))
    assert len(errors["data"]) == min(50, wrong)
    counts = json.loads((folder / "data" / "class_counts.json").read_text())
    assert [row[0] for row in counts["data"]] == CLASSES
    assert sum(row[1] for row in counts["data"]) == 476


def test_result_json_has_the_numbers_of_the_run(trained, place, options):
    run, printed = trained
    file = Path(str(options["output_dir"])) / "result.json"
    result = json.loads(file.read_text())
    assert result["run_id"] == run.info.run_id
    assert all(result["metrics"][name] == run.data.metrics[name] for name in result["metrics"])
    assert {"test_accuracy", "test_macro_f1", "test_log_loss"} <= set(result["metrics"])
    assert result["parameters"]["learning_rate"] == "0.001"
    assert f"model   runs:/{run.info.run_id}/model" in printed
    assert f"result  {file}" in printed


def test_the_same_seed_gives_the_same_bits_from_a_git_uri(trained, place, options, tmp_path):
    run, _ = trained
    repository = tmp_path / "news repo"
    shutil.copytree(place.project, repository, ignore=shutil.ignore_patterns("__pycache__", "outputs"))
    git = ("git", "-C", str(repository), "-c", "user.name=tester", "-c", "user.email=tester@localhost")
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "all")):
        subprocess.run([*git, *words], check=True)
    # The blank, written %20, makes MLflow clone: a file:// URI that is a folder's very name it runs in place.
    uri = repository.as_uri()
    done = place.mlflow_run("train", options, uri=uri, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = place.runs()[0]
    assert again.data.tags["mlflow.source.name"] == uri
    assert again.data.tags["newsclf.git_dirty"] == "false"
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    assert again.data.tags["mlflow.source.git.commit"] == commit.strip()
    assert set(again.data.metrics) == set(run.data.metrics)
    for name in run.data.metrics:
        if not any(part in name for part in DEPENDS_ON_THE_CLOCK):
            assert history(place, again, name) == history(place, run, name), name


def test_evaluate_measures_the_logged_model_against_a_baseline(trained, place):
    run, _ = trained
    model = f"runs:/{run.info.run_id}/model"
    done = place.mlflow_run("evaluate", {"model": model, "baseline": model, "bootstrap_samples": 200})
    assert done.returncode == 0, done.stderr
    measured = place.runs()[0]
    metrics = measured.data.metrics
    assert measured.info.status == "FINISHED"
    assert measured.data.tags["newsclf.model_run_id"] == run.info.run_id
    assert metrics["accuracy"] == run.data.metrics["test_accuracy"]
    assert metrics["log_loss"] == pytest.approx(run.data.metrics["test_log_loss"], abs=1e-6)
    assert metrics["accuracy_low"] <= metrics["accuracy"] <= metrics["accuracy_high"]
    assert (metrics["accuracy_difference"], metrics["accuracy_difference_high"]) == (0, 0)
    assert metrics["mcnemar_p"] == 1
    outputs = place.project / "outputs" / "evaluate" / measured.info.run_id
    result = json.loads((outputs / "result.json").read_text())
    assert result["metrics"]["accuracy"] == metrics["accuracy"]


def test_a_misspelt_name_ends_with_the_nearest_one_and_a_failed_run(place):
    done = place.mlflow_run("train", {"epohcs": 3})
    assert done.returncode != 0
    assert "train: unknown option epohcs: did you mean epochs?" in done.stderr
    run = place.runs()[0]
    assert run.info.status == "FAILED"
    assert run.data.tags["newsclf.failure"] == "unknown option epohcs: did you mean epochs?"


def test_a_password_in_an_option_does_not_stay_in_the_run(place):
    storage = "mysql://ann:" + "hunter2hunter2@host/db"
    done = place.mlflow_run("sweep", {"storage": storage, "strategy": "list"})
    assert done.returncode != 0
    assert "sweep: option storage has a password or a token in an address, and options are logged" in done.stderr
    run = place.runs()[0]
    assert run.info.status == "FAILED"
    assert "storage" not in run.data.params
    assert [path.name for path in place.folder.glob("runs.db*") if b"hunter2hunter2" in path.read_bytes()] == []


def test_without_a_tracking_uri_runs_go_to_the_project_folder(place, options):
    database = place.project / "mlflow.db"
    assert not database.exists()
    few = {"num_samples": 40, "epochs": 1}
    done = place.mlflow_run("train", options | few, MLFLOW_TRACKING_URI=None)
    assert done.returncode == 0, done.stderr
    (run,) = MlflowClient(f"sqlite:///{database}").search_runs(["0"])
    assert (run.info.status, run.data.metrics["rows/train"]) == ("FINISHED", 40)
    assert str(place.project / "mlruns") in run.info.artifact_uri
    assert "look    make ui" in done.stdout
