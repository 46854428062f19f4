"""The model as MLflow loads and serves it. MLflow runs this file, so it holds no class that is pickled.

Input: a list of texts, or a data frame with a column `text`. Output: a data frame with the column
`label` and one column `probability_<class>` for each class. With $NEWSCLF_PROFILE_DIR set, what is asked is profiled.
"""

import functools
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import torch
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR, INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel, PythonModelContext, scoring_server

from newsclf.messages import one_line
from newsclf.model.text_classifier import TextClassifier
from newsclf.serving.batching import DynamicBatcher
from newsclf.serving.payload import NoTexts, read_json

PROFILE_DIR = "NEWSCLF_PROFILE_DIR"
MAX_CHARACTERS = 1_000_000  # characters of a text: it is cut at max_length tokens anyway, but tokenised as a whole
MAX_SENTENCE = 400

Answer = Callable[..., scoring_server.InvocationsResponse]


class Refused(MlflowException):
    """What is asked is no text: HTTP 400."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, error_code=INVALID_PARAMETER_VALUE)


class NewsClassifier(PythonModel):
    """Texts to labels and probabilities."""

    def load_context(self, context: PythonModelContext) -> None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.classifier = TextClassifier.load(Path(context.artifacts["classifier"]), device)
        self.predict_proba = DynamicBatcher(self.classifier.predict_proba)
        if scoring_server._SERVER_MODEL_PATH in os.environ:  # this process is a server of this model
            scoring_server.invocations = in_sentences(scoring_server.invocations)
        self.profiles = None
        if destination := os.environ.get(PROFILE_DIR):
            self.profiles = self._profiles(context, destination)

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """See the head of this file; the rows have the index of the input. Raises Refused for anything but texts."""
        texts = _texts(model_input)
        try:
            probabilities = self.predict_proba(texts)
        except Exception as error:
            traceback.print_exc()
            raise MlflowException("the model failed; its log says why", error_code=INTERNAL_ERROR) from error
        if self.profiles is not None:
            self.profiles.add(texts, probabilities)
        classes = self.classifier.classes
        columns = [f"probability_{name}" for name in classes]
        result = pd.DataFrame(probabilities, columns=columns, index=model_input.index)
        result.insert(0, "label", [classes[index] for index in probabilities.argmax(axis=1)])
        return result

    def _profiles(self, context: PythonModelContext, destination: str) -> Any:
        if "reference" not in context.artifacts:
            raise MlflowException.invalid_parameter_value(
                f"${PROFILE_DIR} is set, but this model has no reference: train it on more rows, or unset the variable"
            )
        from newsclf.serving.request_profiles import RequestProfiles

        profiles = RequestProfiles(Path(context.artifacts["reference"]), self.classifier.classes, destination)
        profiles.start()
        return profiles


def _texts(model_input: pd.DataFrame) -> Sequence[str]:
    # MLflow passes a list of texts as a nameless column, and of a frame just the first column.
    column = model_input.columns[0]
    if column not in ("text", 0, "0"):
        raise Refused(f"the first column is {column!r}: give a list of texts, or a data frame whose column is text")
    texts = model_input[column].tolist()
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise Refused(f"row {row} is {type(text).__name__}, not text")
        if len(text) > MAX_CHARACTERS:
            raise Refused(f"row {row} has {len(text):,} characters: a text has at most {MAX_CHARACTERS:,}")
    return texts


def in_sentences(answer: Answer) -> Answer:
    """MLflow's own `invocations`, which looks at JSON first and answers what goes wrong with a sentence.

    MLflow would answer with a traceback, all that was sent, or HTTP 500.
    """

    @functools.wraps(answer)
    def answered(
        data: Any, content_type: str | None, model: Any, input_schema: Any
    ) -> scoring_server.InvocationsResponse:
        try:
            if (content_type or "").partition(";")[0].strip() == scoring_server.CONTENT_TYPE_JSON:
                data = read_json(data)
            return answer(data, content_type or "none", model, input_schema)
        except NoTexts as error:
            return _refusal(str(error))
        except MlflowException as error:
            sentence = error.message.rpartition("\nError: ")[2]  # what it puts before is all that was sent
            return _refusal(sentence, error.get_http_status_code(), error.error_code)
        except Exception as error:  # of MLflow's readers: the model's own are MlflowExceptions
            print(f"newsclf: a request could not be read: {one_line(repr(error))}", file=sys.stderr, flush=True)
            return _refusal("the request cannot be read as a table of texts")

    return answered


def _refusal(
    sentence: str, status: int = 400, code: str = "INVALID_PARAMETER_VALUE"
) -> scoring_server.InvocationsResponse:
    said = json.dumps({"error_code": code, "message": one_line(sentence, MAX_SENTENCE)})
    return scoring_server.InvocationsResponse(said, status, scoring_server.CONTENT_TYPE_JSON)


mlflow.models.set_model(NewsClassifier())
