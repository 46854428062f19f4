"""The loop from training to champion: register, compare, promote, refuse, go back; by the entry points."""

import json
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from newsclf.evaluation.predictions import FILE, Predictions
from newsclf.tracking.registry import champion

pytestmark = pytest.mark.integration

NAME = "news"
# A head that was trained for seconds is not calibrated; what is tested is what becomes of the decision.
LENIENT = {"name": NAME, "calibration_limit": 1, "recall_margin": 1, "latency_rows": 10, "latency_ratio": 100}
LENIENT |= {"bootstrap_samples": 200}


@pytest.fixture(scope="module")
def runs(place, in_process) -> dict[str, str]:
    """Ids of three runs that are registered as versions 1 to 3: hardly trained, trained, trained with another seed."""
    options = {"trainable_layers": 0, "epochs": 4, "max_length": 48, "register": NAME}
    for rate, seed in ((1e-5, 0), (1e-2, 0), (1e-2, 1)):
        assert in_process("train", learning_rate=rate, seed=seed, **options) == 0
    bad, good, again = (run.info.run_id for run in reversed(place.runs()[:3]))
    return {"bad": bad, "good": good, "again": again}


def aliases(place) -> dict[str, str]:
    return {alias: str(version) for alias, version in place.client().get_registered_model(NAME).aliases.items()}


def test_training_registers_and_names_a_challenger_but_no_champion(runs, place, in_process):
    versions = {str(one.version): one for one in place.client().search_model_versions(f"name = '{NAME}'")}
    assert {number: one.run_id for number, one in versions.items()} == dict(zip("123", runs.values(), strict=True))
    tags = place.client().get_run(runs["good"]).data.tags
    assert versions["2"].tags["newsclf.data_fingerprint"] == tags["newsclf.data_fingerprint"]
    assert aliases(place) == {"challenger": "3"}
    assert "label" in mlflow.pyfunc.load_model(f"models:/{NAME}@challenger").predict(["a goal"])


def test_train_and_evaluate_log_the_same_predictions(runs, place, in_process):
    assert in_process("evaluate", model=f"runs:/{runs['good']}/model", bootstrap_samples=100) == 0
    files = [mlflow.artifacts.download_artifacts(run_id=one, artifact_path=FILE) for one in
             (runs["good"], place.runs()[0].info.run_id)]  # fmt: skip
    trained, evaluated = (Predictions.read(Path(file)) for file in files)
    assert trained.test == evaluated.test
    assert abs(trained.in_order().probabilities - evaluated.in_order().probabilities).max() < 1e-3


def test_runs_side_by_side(runs, place, in_process, tmp_path, capfd):
    query = "tags.newsclf.verb = 'train' and params.max_length = '48'"
    assert in_process("compare", runs=query, output_dir=tmp_path, bootstrap_samples=200) == 0
    table = pd.read_csv(tmp_path / "configurations.csv")
    assert table["run_ids"].str.split(",").tolist() == [[runs["good"], runs["again"]], [runs["bad"]]]
    assert table["accuracy"].is_monotonic_decreasing
    run = place.runs()[0]
    assert (run.data.metrics["configurations"], run.data.metrics["pairs"]) == (2, 1)
    logged = {file.path for file in place.client().list_artifacts(run.info.run_id)}
    assert {"report.html", "configurations.csv", "configurations.json", "pairs.csv", "pairs.json", "plots"} <= logged
    assert "A - B" in capfd.readouterr().out
    assert in_process("compare", runs=f"{runs['good']},{runs['bad']}", output_dir=tmp_path) == 0


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("0" * 32, "is not there"),
        ("params.seed =", "neither run ids separated by commas nor a query"),
        ("params.seed = 'no'", "gives 0 finished run"),
    ],
)
def test_runs_that_are_no_good_end_in_one_line(chosen, said, runs, place, in_process, capfd):
    capfd.readouterr()
    assert in_process("compare", runs=chosen) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("compare: option runs")
    assert said in line
    assert place.runs()[0].info.status == "FAILED"


def test_promoted_refused_and_back(runs, place, in_process, tmp_path, capfd):
    assert in_process("promote", old_dataset="sample", model=f"models:/{NAME}/1", **LENIENT) == 0
    assert aliases(place)["champion"] == "1"
    assert f"Version 1 of {NAME} is champion now, as the first" in capfd.readouterr().out

    assert in_process("promote", old_dataset="sample", output_dir=tmp_path, **LENIENT) == 0
    assert aliases(place) == {"champion": "3"}
    run = place.runs()[0]
    assert run.data.tags["newsclf.decision"] == "promoted"
    assert run.data.metrics["old/accuracy_difference"] > 0
    assert run.data.metrics["old/better_p"] < 0.05
    decision = json.loads((tmp_path / "decision.json").read_text())
    assert all(check["passed"] for check in decision["checks"])
    for version, said in (("3", "promoted"), ("1", "replaced by version 3")):
        tags = place.client().get_model_version(NAME, version).tags
        assert tags["newsclf.promotion"] == said
        assert json.loads(tags["newsclf.promotion_numbers"])["old/rows"] == 136
        assert tags["newsclf.promotion_run"] == run.info.run_id

    worse = {"old_dataset": "sample", "model": f"runs:/{runs['bad']}/model", "fail_on_refusal": "true"}
    assert in_process("promote", **worse, **LENIENT) == 3
    assert aliases(place) == {"champion": "3"}
    run = place.runs()[0]
    assert (run.info.status, run.data.tags["newsclf.decision"]) == ("FINISHED", "refused")
    assert place.client().get_model_version(NAME, "3").tags["newsclf.promotion"] == "kept against version 1"

    assert in_process("promote", name=NAME, rollback="true") == 0
    assert aliases(place) == {"champion": "1"}
    assert in_process("promote", name=NAME, rollback="true") == 2


def test_a_promotion_that_another_overtakes_leaves_the_champion_alone(runs, place, in_process, monkeypatch):
    from newsclf.verbs import promote

    measured = promote.measured

    def overtaken(*arguments):
        client = place.client()
        assert champion.set_champion(client, NAME, champion.read_state(client, NAME), "2", "promoted", runs["good"])
        return measured(*arguments)

    before = aliases(place).get("champion")
    monkeypatch.setattr(promote, "measured", overtaken)
    limits = LENIENT | {"alpha": 0.5, "accuracy_margin": 1}
    assert before != "3"
    assert in_process("promote", old_dataset="sample", model=f"models:/{NAME}/3", **limits) == 0
    assert place.runs()[0].data.tags["newsclf.decision"] == "overtaken"
    assert aliases(place)["champion"] == "2"


def test_a_new_test_with_unknown_labels_is_named(runs, place, in_process, tmp_path, capfd):
    pd.DataFrame({"text": ["a", "b"], "label": ["Weather", "World"]}).to_csv(tmp_path / "new.csv", index=False)
    capfd.readouterr()
    options = {"old_dataset": "sample", "new_dataset": tmp_path / "new.csv", "model": f"models:/{NAME}/3"}
    assert in_process("promote", **options, **LENIENT) == 2
    assert "option new_dataset has labels that neither model knows: Weather" in capfd.readouterr().err
