"""The model as MLflow loads and serves it. MLflow runs this file, so it holds no class that is pickled.

Input: a list of texts, or a data frame with a column `text`. Output: a data frame with the column
`label` and one column `probability_<class>` for each class. With $NEWSCLF_PROFILE_DIR set, what is asked is profiled.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import torch
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel, PythonModelContext

from newsclf.model.text_classifier import TextClassifier
from newsclf.serving.batching import DynamicBatcher

PROFILE_DIR = "NEWSCLF_PROFILE_DIR"
MAX_CHARACTERS = 1_000_000  # characters of a text: it is cut at max_length tokens anyway, but tokenised as a whole


class Refused(MlflowException):
    """What is asked is no text: HTTP 400 and `sentence`, to which MLflow's server would add all that was sent."""

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence
        super().__init__(sentence, error_code=INVALID_PARAMETER_VALUE)

    @property
    def message(self) -> str:
        return self._sentence

    @message.setter
    def message(self, _: str) -> None:
        """The server's longer one is not taken."""


class NewsClassifier(PythonModel):
    """Texts to labels and probabilities."""

    def load_context(self, context: PythonModelContext) -> None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.classifier = TextClassifier.load(Path(context.artifacts["classifier"]), device)
        self.predict_proba = DynamicBatcher(self.classifier.predict_proba)
        self.profiles = None
        if destination := os.environ.get(PROFILE_DIR):
            self.profiles = self._profiles(context, destination)

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """See the head of this file. Raises Refused for anything but texts."""
        texts = _texts(model_input)
        probabilities = self.predict_proba(texts)
        if self.profiles is not None:
            self.profiles.add(texts, probabilities)
        classes = self.classifier.classes
        result = pd.DataFrame(probabilities, columns=[f"probability_{name}" for name in classes])
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


mlflow.models.set_model(NewsClassifier())
