"""minilm on real news: bf16 and float32 give the same points, and a model of one the same labels in the other.

Emulated where the processor has no such instructions, which takes half a second a text, and so of few texts there;
`auto` is tested in model/test_device.py.
"""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from newsclf.config import DataOptions
from newsclf.data import load
from newsclf.model.device import has_bf16
from newsclf.model.embed import EncoderEmbedder
from newsclf.model.weights import find

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("one_thread")]
ROWS = 500 if has_bf16("cpu") else 8  # of each half


def test_a_model_of_one_arithmetic_gives_the_same_labels_in_the_other(real_data: Path) -> None:
    rows = load(DataOptions(dataset="ag_news", data_dir=str(real_data), num_samples=4 * ROWS)).splits["train"]
    texts, labels = rows["text"].tolist()[: 2 * ROWS], rows["label"].to_numpy()[:ROWS]
    exact, rough = (EncoderEmbedder(find("minilm").folder, precision=name)(texts) for name in ("fp32", "bf16"))
    cosines = (exact * rough).sum(axis=1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(rough, axis=1)
    assert cosines.min() > 0.9999
    assert not np.array_equal(exact, rough)
    for trained, other in ((exact, rough), (rough, exact)):
        head = LogisticRegression(max_iter=1000).fit(trained[:ROWS], labels)
        differing = (head.predict(trained[ROWS:]) != head.predict(other[ROWS:])).sum()
        assert differing <= 1, "one text may stand between two classes; of very many, 0.1 % may"
