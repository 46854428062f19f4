"""`mlflow models serve` on a logged model: every way to ask, and 400 for what is no text."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import mlflow
import pytest

pytestmark = pytest.mark.integration

TEXTS = ["Shares of the bank fell", "The keeper saved two penalties and the cup"]
Ask = Callable[[bytes], tuple[int, Any]]


@pytest.fixture(scope="module")
def model(place, in_process, tiny_encoder) -> str:
    """The folder of a model that a training run has logged."""
    assert in_process("train", encoder=tiny_encoder, epochs=1, num_samples=80, learning_rate=0.01) == 0
    uri = f"runs:/{place.runs()[0].info.run_id}/model"
    return mlflow.artifacts.download_artifacts(uri, dst_path=str(place.folder))


@pytest.fixture(scope="module")
def ask(place, model) -> Ask:
    url = place.serve("mlflow", "models", "serve", "-m", model, "--env-manager", "local", ready="/ping")

    def post(body: bytes) -> tuple[int, Any]:
        request = urllib.request.Request(f"{url}/invocations", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return post


@pytest.fixture(scope="module")
def expected(model) -> list[dict[str, Any]]:
    return mlflow.pyfunc.load_model(model).predict(TEXTS).to_dict("records")


@pytest.mark.parametrize(
    "body",
    [
        {"instances": TEXTS},
        {"inputs": TEXTS},
        {"instances": [{"text": text} for text in TEXTS]},
        {"dataframe_split": {"columns": ["text"], "data": [[text] for text in TEXTS]}},
        {"dataframe_records": [{"text": text} for text in TEXTS]},
    ],
    ids=lambda body: f"{next(iter(body))}-{type(next(iter(body.values()))).__name__}",
)
def test_it_answers_with_label_and_probabilities(body, ask, expected):
    status, answer = ask(json.dumps(body).encode())
    assert status == 200, answer
    rows = answer["predictions"]
    assert [row["label"] for row in rows] == [row["label"] for row in expected]
    for row, wanted in zip(rows, expected, strict=True):
        assert list(row) == list(wanted)
        numbers = {name: value for name, value in row.items() if name != "label"}
        assert numbers == pytest.approx({name: wanted[name] for name in numbers}, abs=1e-6)
        assert sum(numbers.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"{}",
        b'{"unknown": ["a"]}',
        b'{"dataframe_split": {"columns": ["headline"], "data": [["a"]]}}',
        b'{"dataframe_records": [{"headline": "a"}]}',
        b'{"dataframe_records": [{"text": 1}]}',
        b'{"dataframe_records": [{"text": null}]}',
        b'{"dataframe_records": [{"text": "a"}, {"text": null}]}',
        b'{"instances": []}',
        b'{"inputs": {"headline": ["a"]}}',
    ],
)
def test_a_bad_request_is_answered_with_400(body, ask):
    status, answer = ask(body)
    assert status == 400, answer
    assert "Traceback" not in str(answer)


def test_mlflow_makes_text_of_what_stands_in_instances(ask):
    # Before the model is asked; in the data frame forms the model sees the number, and refuses it.
    assert ask(b'{"instances": [1]}') == ask(b'{"instances": ["1"]}')


def test_a_table_without_rows_has_no_predictions(ask):
    assert ask(b'{"dataframe_split": {"columns": ["text"], "data": []}}') == (200, {"predictions": []})


def test_it_still_answers_after_a_bad_request(ask):
    assert ask(b'{"dataframe_records": [{"text": 2}]}')[0] == 400
    assert ask(b'{"instances": ["Rain in the north"]}')[0] == 200
