"""The model as MLflow loads and serves it. MLflow runs this file, so it holds no class that is pickled.

Input: a list of texts, or a data frame with a column `text`. Output: a data frame with the column
`label` and one column `probability_<class>` for each class.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel, PythonModelContext

from newsclf.model import classifier
from newsclf.model.tables import Batches


class NewsClassifier(PythonModel):
    """Texts to labels and probabilities."""

    def load_context(self, context: PythonModelContext) -> None:
        import torch

        self.classifier, self.tokenizer = classifier.load(Path(context.artifacts["classifier"]))
        if torch.cuda.is_available():
            self.classifier.to("cuda")

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """See the head of this file. Raises MlflowException (HTTP 400 when served) for anything but texts."""
        texts = _texts(model_input)
        probabilities = self.classifier.probabilities(Batches(self.tokenizer(texts), pad_id=self.tokenizer.pad_id))
        classes = self.classifier.classes
        result = pd.DataFrame(probabilities, columns=[f"probability_{name}" for name in classes])
        result.insert(0, "label", [classes[index] for index in probabilities.argmax(axis=1)])
        return result


def _texts(model_input: pd.DataFrame) -> Sequence[str]:
    # MLflow passes a list of texts as a nameless column, and of a frame just the first column.
    column = model_input.columns[0]
    if column not in ("text", 0, "0"):
        raise MlflowException.invalid_parameter_value(
            f"the first column is {column!r}: give a list of texts, or a data frame whose column is text"
        )
    texts = model_input[column].tolist()
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise MlflowException.invalid_parameter_value(f"row {row} is {type(text).__name__}, not text")
    return texts


mlflow.models.set_model(NewsClassifier())
