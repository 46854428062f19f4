"""The rows that a model gets most confidently wrong: where to look for label noise and blind spots."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

ROWS = 50
CHARACTERS = 2000


def most_confident_errors(
    texts: Sequence[str],
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    rows: int = ROWS,
    identity: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """At most `rows` wrong rows, the most confident first.

    Columns: row (place in the split), text (cut to 2,000 characters), label, predicted, confidence, label_probability,
    and those of `identity` [rows of the split], by which the rows are told apart.
    """
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")][:rows]
    table = pd.DataFrame(
        {
            "row": wrong,
            "text": [texts[row][:CHARACTERS] for row in wrong],
            "label": [classes[labels[row]] for row in wrong],
            "predicted": [classes[predicted[row]] for row in wrong],
            "confidence": confidence[wrong].round(4),
            "label_probability": probabilities[wrong, labels[wrong]].round(4),
        }
    )
    return table if identity is None else table.join(identity.iloc[wrong].reset_index(drop=True))
