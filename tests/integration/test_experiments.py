"""Every file in configs/experiments runs, for a few steps and with the tiny encoder."""

import csv
from pathlib import Path

import pytest
import yaml

from newsclf.config import TrainConfig
from newsclf.config.options import as_text, build

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = sorted((ROOT / "configs" / "experiments").glob("*.yaml"))
SMALL = {"num_samples": 80, "epochs": 1}
ITEMS = 40


@pytest.fixture(scope="module")
def data_dir(public_data, tmp_path_factory) -> Path:
    """The public data sets, or, where they are not, AG News's files with items of our own in its format."""
    if public_data is not None:
        return public_data
    folder = tmp_path_factory.mktemp("data") / "ag_news"
    folder.mkdir()
    for split in ("train", "test"):
        with (folder / f"{split}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            for number in range(4 * ITEMS):
                writer.writerow((number % 4 + 1, f"{split} item {number}", "said\\on &quot;Monday&quot;"))
    return folder.parent


@pytest.mark.parametrize("file", EXPERIMENTS, ids=lambda file: file.stem)
def test_an_experiment_runs_with_its_own_options(file, place, in_process, data_dir, tiny_encoder):
    written = yaml.safe_load(file.read_text(encoding="utf-8"))
    if written["dataset"] == "20newsgroups" and not (data_dir / "20newsgroups").is_dir():
        pytest.skip(f"no 20newsgroups in {data_dir}; NEWSCLF_TEST_DATA names a folder that has it")
    changed = {**SMALL, "encoder": tiny_encoder, "data_dir": data_dir}
    assert in_process("train", config=file, **changed) == 0
    run = place.runs()[0]
    assert run.info.status == "FINISHED"
    metrics = run.data.metrics
    fixed_validation = 68 if written["dataset"] == "sample" else 0
    assert metrics["rows/train"] + metrics["rows/validation"] == 80 + fixed_validation
    assert metrics["epochs_run"] == 1

    wanted = as_text(build(TrainConfig, {**written, **changed}))
    resolved_here = {"learning_rate", "precision", "device"} - set(written)  # from auto
    different = {name for name, text in wanted.items() if run.data.params[name] != (text or "''")}
    assert different <= resolved_here


def test_there_are_experiments():
    assert {file.stem for file in EXPERIMENTS} >= {"study", "study_minilm", "cased", "uncased"}
    for dataset in ("ag_news", "20newsgroups", "sample"):
        best = ROOT / "configs" / "experiments" / f"best_{dataset}.yaml"
        assert yaml.safe_load(best.read_text(encoding="utf-8"))["dataset"] == dataset
