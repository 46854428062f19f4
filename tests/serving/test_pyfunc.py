"""`predict`: the rows of the answer are those of the question, whatever they are called.

Other places where rows could lose their names: a data frame through MLflow's own check (integration/test_serving.py).
"""

from datetime import datetime

import pandas as pd
import pytest
import torch
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModelContext

from newsclf.model import encoder
from newsclf.model.classifier import Classifier
from newsclf.model.text_classifier import TextClassifier
from newsclf.model.tokenizer import Tokenizer
from newsclf.serving.batching import DynamicBatcher
from newsclf.serving.pyfunc import MAX_CHARACTERS, NewsClassifier, Refused

CONTEXT = PythonModelContext(artifacts={}, model_config={})
TEXTS = ["shares fell", "the team won", "a bank", "the final"]


@pytest.fixture
def model(tiny_encoder) -> NewsClassifier:
    torch.manual_seed(0)
    classifier = Classifier(encoder.load(tiny_encoder, 0.0, 0.0), ("Sports", "Business"), 0.0)
    made = NewsClassifier()
    made.classifier = TextClassifier(classifier.eval(), Tokenizer(tiny_encoder, 32))
    made.predict_proba = DynamicBatcher(made.classifier.predict_proba)
    made.profiles = None
    return made


INDEXES = {
    "as it comes": pd.RangeIndex(4),
    "a part of a frame": pd.Index([9, 2, 7, 4]),
    "not unique": pd.Index([1, 1, 0, 1]),
    "strings": pd.Index(["d", "a", "c", "b"], name="id"),
    "dates": pd.DatetimeIndex([datetime(2026, 1, day) for day in (4, 2, 3, 1)]),
    "of two levels": pd.MultiIndex.from_tuples([("a", 2), ("a", 1), ("b", 2), ("b", 1)], names=["desk", "row"]),
    "missing": pd.Index([None, 1.0, None, 2.0]),
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=list(INDEXES))
def test_the_answer_has_the_index_of_the_question(index: pd.Index, model: NewsClassifier) -> None:
    plain = model.predict(CONTEXT, pd.DataFrame({"text": TEXTS}))
    found = model.predict(CONTEXT, pd.DataFrame({"text": TEXTS}, index=index))
    pd.testing.assert_index_equal(found.index, index)
    pd.testing.assert_frame_equal(found.set_axis(plain.index), plain)


def test_labels_stand_on_the_rows_of_a_part_of_a_frame(model: NewsClassifier) -> None:
    frame = pd.DataFrame({"text": TEXTS}, index=["a", "b", "c", "d"])
    part = frame[frame.index > "b"].iloc[::-1].copy()
    part["label"] = model.predict(CONTEXT, part[["text"]])["label"]
    assert part["label"].notna().all()
    assert part["label"].tolist() == model.predict(CONTEXT, pd.DataFrame({"text": TEXTS[:1:-1]}))["label"].tolist()


def test_no_rows_have_no_labels(model: NewsClassifier) -> None:
    for index in (None, pd.MultiIndex.from_arrays([[], []])):
        found = model.predict(CONTEXT, pd.DataFrame({"text": pd.Series([], dtype=object)}, index=index))
        assert list(found.columns) == ["label", "probability_Sports", "probability_Business"]
        assert len(found) == 0


@pytest.mark.parametrize("text", ["half \ud83d", "\0", "", "[SEP]", "x" * MAX_CHARACTERS], ids=lambda text: text[:4])
def test_any_text_has_an_answer(text: str, model: NewsClassifier) -> None:
    assert model.predict(CONTEXT, pd.DataFrame({"text": [text]}))["label"].isin(["Sports", "Business"]).all()


@pytest.mark.parametrize("value", [1, None, float("nan"), pd.NA, b"bytes", ["a"], "x" * (MAX_CHARACTERS + 1)], ids=repr)
def test_what_is_no_text_is_refused_with_its_row(value: object, model: NewsClassifier) -> None:
    with pytest.raises(Refused, match="^row 1 "):
        model.predict(CONTEXT, pd.DataFrame({"text": ["a", value]}))


def test_a_fault_of_the_model_is_not_the_question_s(model: NewsClassifier, capfd: pytest.CaptureFixture[str]) -> None:
    def fails(_: object) -> None:
        raise ZeroDivisionError("inside")

    model.predict_proba = fails  # type: ignore[assignment]
    with pytest.raises(MlflowException, match="the model failed") as caught:
        model.predict(CONTEXT, pd.DataFrame({"text": ["a"]}))
    assert caught.value.get_http_status_code() == 500
    assert "inside" not in str(caught.value)
    assert "ZeroDivisionError" in capfd.readouterr().err
