"""The logged model: loaded elsewhere, computed by transformers alone, evaluated by every kind of name."""

import json
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

pytestmark = pytest.mark.integration

CLASSES = ["World", "Sports", "Business", "Sci/Tech"]
COLUMNS = ["label", *(f"probability_{name}" for name in CLASSES)]
TEXTS = ["Parliament votes on the budget", "The striker scored twice before half-time, then limped off.", "a"]
# Pickle's marks of protocols 2 to 5, and of the zip archive that torch.save wraps around a pickle.
PICKLE = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK")

PREDICT = """
import json, sys
import mlflow, pandas
model = mlflow.pyfunc.load_model(sys.argv[1])
texts = json.loads(sys.argv[2])
tables = [model.predict(texts), model.predict(pandas.DataFrame({"text": texts}))]
import newsclf
print(json.dumps({"tables": [table.to_dict("list") for table in tables], "code": newsclf.__file__}))
"""


@pytest.fixture(scope="module")
def model(place, in_process, tiny_encoder) -> str:
    """runs:/<run id>/model of a training run."""
    alone = {"fusion": "none", "calibrate": False}  # what transformers can compute
    assert in_process("train", encoder=tiny_encoder, epochs=3, learning_rate=0.003, max_length=48, **alone) == 0
    return f"runs:/{place.runs()[0].info.run_id}/model"


@pytest.fixture(scope="module")
def folder(model, in_process, tmp_path_factory) -> Path:
    downloaded = tmp_path_factory.mktemp("downloaded")
    return Path(mlflow.artifacts.download_artifacts(model, dst_path=str(downloaded)))


def expected_probabilities(folder: Path, texts: list[str]) -> np.ndarray:
    """The same by transformers' own forward, a text at a time, without any of newsclf."""
    classifier = folder / "artifacts" / "classifier"
    about = json.loads((classifier / "classifier.json").read_text())
    encoder = AutoModel.from_pretrained(classifier / "encoder").eval()
    tokenizer = AutoTokenizer.from_pretrained(classifier / "encoder")
    head = load_file(classifier / "head.safetensors")
    rows = []
    with torch.inference_mode():
        for text in texts:
            tokens = tokenizer(text, truncation=True, max_length=about["max_length"], return_tensors="pt")
            pooled = encoder(**tokens).last_hidden_state.mean(dim=1)
            rows.append(torch.softmax(pooled @ head["weight"].T + head["bias"], dim=1)[0].numpy())
    return np.array(rows)


def test_another_process_in_another_folder_predicts_what_transformers_computes(place, folder, tmp_path):
    done = place.run("python", "-c", PREDICT, folder, json.dumps(TEXTS), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert Path(answer["code"]).is_relative_to(folder)  # the code that was logged, not a checkout
    listed, framed = (pd.DataFrame(table) for table in answer["tables"])
    assert list(listed.columns) == COLUMNS
    pd.testing.assert_frame_equal(listed, framed)
    probabilities = listed.drop(columns="label").to_numpy()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(probabilities, expected_probabilities(folder, TEXTS), atol=1e-5)
    assert listed["label"].tolist() == [CLASSES[index] for index in probabilities.argmax(axis=1)]


def test_the_model_has_a_signature_and_an_example_and_its_pins(folder, place):
    described = mlflow.models.Model.load(str(folder))
    assert [column.type.name for column in described.signature.inputs] == ["string"]
    assert described.signature.outputs.input_names() == COLUMNS
    example: Any = described.load_input_example(str(folder))
    assert list(example.columns) == ["text"]
    pins = (place.project / "python_env.yaml").read_text()
    requirements = (folder / "requirements.txt").read_text().split()
    assert "torch==" in " ".join(requirements)
    assert all(f"- {requirement}" in pins for requirement in requirements)


def test_none_of_its_files_is_a_pickle(folder):
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != "profile.bin"]  # that is whylogs'
    assert any(file.suffix == ".safetensors" for file in files)
    for file in files:
        assert file.suffix not in (".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".joblib")
        assert not file.read_bytes().startswith(PICKLE), file


def test_an_alias_and_a_folder_measure_like_the_run(model, folder, place, in_process):
    mlflow.set_tracking_uri(place.uri)
    version = mlflow.register_model(model, "news")
    place.client().set_registered_model_alias("news", "champion", version.version)
    measured = {}
    for name in (model, "models:/news@champion", str(folder)):
        assert in_process("evaluate", model=name, bootstrap_samples=100) == 0
        run = place.runs()[0]
        assert run.data.tags["newsclf.model"] == name
        assert f"runs:/{run.data.tags['newsclf.model_run_id']}/model" == model
        measured[name] = {key: value for key, value in run.data.metrics.items() if key != "peak_memory_bytes"}
    assert measured[model] == measured["models:/news@champion"] == measured[str(folder)]


def test_split_all_measures_every_row_of_a_table(model, folder, place, in_process, tmp_path):
    rows = pd.DataFrame({"headline": TEXTS, "topic": ["World", "Sports", "World"]})
    rows.to_csv(tmp_path / "news.csv", index=False)
    columns = {"text_column": "headline", "label_column": "topic"}
    assert in_process("evaluate", model=model, dataset=tmp_path / "news.csv", split="all", **columns) == 0
    predicted = expected_probabilities(folder, TEXTS).argmax(axis=1)
    metrics = place.runs()[0].data.metrics
    assert metrics["rows"] == 3
    assert metrics["accuracy"] == pytest.approx(np.mean(predicted == [0, 1, 0]))


def test_labels_that_the_model_does_not_know_are_named(model, place, in_process, tmp_path, capfd):
    rows = pd.DataFrame({"text": TEXTS, "label": ["World", "Weather", "Chess"]})
    rows.to_csv(tmp_path / "news.csv", index=False)
    capfd.readouterr()
    assert in_process("evaluate", model=model, dataset=tmp_path / "news.csv", split="all") == 2
    error = capfd.readouterr().err
    named = '"Weather" (1 row), "Chess" (1 row)'
    assert f"labels that model {model} does not know: {named}; it knows World, Sports" in error
    run = place.runs()[0]
    assert run.info.status == "FAILED"
    assert named in run.data.tags["newsclf.failure"]


@pytest.mark.parametrize("name", [f"runs:/{'0' * 32}/model", "models:/news@absent", "no/such/folder"])
def test_a_model_that_is_not_there_ends_in_one_line(name, model, place, in_process, capfd):
    capfd.readouterr()
    assert in_process("evaluate", model=name) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"evaluate: model {name} cannot be loaded")
    assert place.runs()[0].info.status == "FAILED"
