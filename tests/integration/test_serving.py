"""`mlflow models serve` on a logged model: every way to ask, and 400 for what is no text."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest

from newsclf.profiling.profile import TextProfile

pytestmark = pytest.mark.integration

TEXTS = ["Shares of the bank fell", "The keeper saved two penalties and the cup"]
Ask = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def model(place, in_process, tiny_encoder) -> str:
    """The folder of a model that a training run has logged."""
    assert in_process("train", encoder=tiny_encoder, epochs=1, num_samples=80, learning_rate=0.01) == 0
    uri = f"runs:/{place.runs()[0].info.run_id}/model"
    return mlflow.artifacts.download_artifacts(uri, dst_path=str(place.folder))


@pytest.fixture(scope="module")
def profiles(place) -> Path:
    return place.folder / "profiles"


@pytest.fixture(scope="module")
def ask(place, model, profiles) -> Ask:
    command = ("mlflow", "models", "serve", "-m", model, "--env-manager", "local")
    url = place.serve(*command, ready="/ping", NEWSCLF_PROFILE_DIR=str(profiles))

    def post(body: bytes, mime: str = "application/json") -> tuple[int, Any]:
        request = urllib.request.Request(f"{url}/invocations", body, {"Content-Type": mime})
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
        b'{"instances": [1]}',
        b'{"instances": [null]}',
        b'{"instances": [NaN]}',
        b'{"instances": ["a", true]}',
        b'{"inputs": {"text": [1]}}',
        b'{"dataframe_split": {"columns": ["text"], "data": [[null]]}}',
        b'{"dataframe_split": {"columns": ["text"], "data": 3}}',
        b'{"dataframe_split": 3}',
        b'{"dataframe_records": [3]}',
        b'{"instances": ["a"], "instances": ["b"]}',
        b'{"instances": ["a"], "params": {"top_k": 3}}',
        b'{"messages": [{"role": "user", "content": "a"}]}',
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"instances": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"inputs": {"headline": ["a"]}}',
        b'{"dataframe_records": [{"text": "' + b"a" * 10_000_000 + b'"}]}',
    ],
    ids=lambda body: ascii(body[:60]),
)
def test_a_bad_request_is_answered_with_400(body, ask):
    status, answer = ask(body)
    assert status == 400, answer
    assert "Traceback" not in str(answer)
    assert len(str(answer)) < 1000
    assert set(json.loads(answer)) == {"error_code", "message"}


OTHER_TYPES = ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]


@pytest.mark.parametrize("mime", OTHER_TYPES)
def test_another_type_of_content_is_answered_with_415(mime, ask):
    status, answer = ask(b'{"instances": ["a"]}', mime)
    assert status == 415, answer
    assert "Traceback" not in answer


@pytest.mark.parametrize(
    ("mime", "body"),
    [
        ("text/csv", b""),
        ("text/csv", b"headline\na\n"),
        ("text/csv", b'text\n"open'),
        ("text/csv", b"text\n\xff\n"),
        ("application/vnd.apache.parquet", b"no table"),
    ],
)
def test_a_bad_table_is_answered_with_400(mime, body, ask):
    status, answer = ask(body, mime)
    assert status == 400, answer
    assert "Traceback" not in answer
    assert len(answer) < 1000


def test_a_bad_request_is_nobody_elses(ask):
    """40 clients at once, every third with what cannot be read, or can with difficulty."""
    odd = [
        (b'{"instances": ["half \\ud83d"]}', 200),
        (b'{"instances": [null]}', 400),
        (b'{"dataframe_records": [{"text": NaN}]}', 400),
        (b"[" * 50_000, 400),
        (b'{"instances": ["[SEP]"]}', 200),
        (json.dumps({"inputs": ["\0" * 1000]}).encode(), 200),
    ]
    bodies = [
        odd[number // 3 % len(odd)] if number % 3 == 0 else (json.dumps({"inputs": [f"Rain, {number}"]}).encode(), 200)
        for number in range(240)
    ]
    with ThreadPoolExecutor(40) as threads:
        answers = list(threads.map(lambda one: ask(one[0])[0], bodies))
    assert answers == [status for _, status in bodies]


def test_the_index_of_a_frame_stays_through_mlflow(model):
    loaded = mlflow.pyfunc.load_model(model)
    plain = loaded.predict(TEXTS)
    for index in (pd.Index([7, 3]), pd.Index(["b", "b"]), pd.MultiIndex.from_tuples([("x", 2), ("y", 1)])):
        frame = pd.DataFrame({"text": TEXTS, "id": [1, 2]}, index=index)
        for asked in (frame[["text"]], frame, frame["text"]):
            found = loaded.predict(asked)
            pd.testing.assert_index_equal(found.index, index)
            pd.testing.assert_frame_equal(found.set_axis(plain.index), plain)
    for texts in (pd.Series(TEXTS), np.array(TEXTS), np.array(TEXTS, dtype=object)):
        pd.testing.assert_frame_equal(loaded.predict(texts), plain)
    assert len(loaded.predict(pd.DataFrame({"text": pd.Series([], dtype=object)}))) == 0


def test_a_table_without_rows_has_no_predictions(ask):
    assert ask(b'{"dataframe_split": {"columns": ["text"], "data": []}}') == (200, {"predictions": []})


def test_it_still_answers_after_a_bad_request(ask):
    assert ask(b'{"dataframe_records": [{"text": 2}]}')[0] == 400
    assert ask(b'{"instances": ["Rain in the north"]}')[0] == 200


def test_what_was_asked_is_profiled_when_the_server_is_stopped(ask, place, profiles):
    def rows() -> int:
        return sum(TextProfile.read(file).rows for file in profiles.glob("requests_*.bin"))

    with ThreadPoolExecutor(8) as threads:
        texts = [f"Rain number {number} in the north" for number in range(40)]
        answers = list(threads.map(lambda text: ask(json.dumps({"inputs": [text, text]}).encode()), texts))
    assert [status for status, _ in answers] == [200] * 40
    place.processes[-1].terminate()
    place.processes[-1].wait(30)
    end = time.monotonic() + 20  # `mlflow models serve` ends before the server that it has started
    while not any(profiles.glob("requests_*.bin")) or rows() < 80:
        assert time.monotonic() < end, rows()
        time.sleep(0.1)
    names = {file.name for file in profiles.iterdir()}
    assert all(name.endswith(".bin") for name in names), names
    merged = reduce(TextProfile.merge, map(TextProfile.read, profiles.glob("requests_*.bin")))
    assert {"characters", "confidence", "predicted_label", "direction_1", "text"} <= set(merged.columns)
