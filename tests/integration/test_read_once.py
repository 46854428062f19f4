"""A text is read once: what the embedder and the model are given in profile and in monitor."""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from newsclf.config import DataOptions
from newsclf.data import load
from newsclf.features.embedding import TokenEmbedder
from newsclf.model.text_classifier import TextClassifier
from newsclf.monitoring.judging import PROBES
from tests.doors import call

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("in_place")]


@pytest.fixture(scope="module")
def trained(place, tiny_encoder) -> str:
    """A run of train, whose model is the predictor of its reference."""
    assert call("train", encoder=tiny_encoder, epochs=1, trainable_layers=0, output_dir=place.folder / "t") == 0
    return f"runs:/{place.runs()[0].info.run_id}"


@pytest.fixture(scope="module")
def batches() -> list[pd.DataFrame]:
    """Texts that are all different; one is empty."""
    splits = load(DataOptions(dataset="sample")).splits
    rows = pd.concat([splits["validation"], splits["test"]]).drop_duplicates("text")[["text", "label"]]
    rows.loc[rows.index[0], "text"] = ""
    return [rows.iloc[:80], rows.iloc[80:]]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, Counter[str]]:
    """How often the embedder and the predictor were given each text."""
    counts: dict[str, Counter[str]] = {"embedder": Counter(), "predictor": Counter()}

    def count(name: str, owner: type, method: str) -> None:
        act = getattr(owner, method)

        def counting(self: object, texts: list[str], *more: object) -> object:
            counts[name].update(texts)
            return act(self, texts, *more)

        monkeypatch.setattr(owner, method, counting)

    count("embedder", TokenEmbedder, "__call__")
    count("predictor", TextClassifier, "predict_proba")
    return counts


def test_profile(trained: str, batches: list[pd.DataFrame], given: dict[str, Counter[str]], tmp_path: Path) -> None:
    rows = pd.concat(batches)
    rows.to_parquet(tmp_path / "rows.parquet")
    assert call("profile", dataset=tmp_path / "rows.parquet", reference=trained, output_dir=tmp_path / "out") == 0
    assert given["embedder"] == given["predictor"] == Counter(text for text in rows["text"] if text)


def test_monitor(trained: str, batches: list[pd.DataFrame], given: dict[str, Counter[str]], tmp_path: Path) -> None:
    """Beside the probes that tell which numbers a reference gives."""
    (tmp_path / "stream").mkdir()
    for number, rows in enumerate(batches):
        rows.to_parquet(tmp_path / "stream" / f"{number}.parquet")
    assert call("monitor", stream=tmp_path / "stream", reference=trained, output_dir=tmp_path / "out") == 0
    texts = [text for rows in batches for text in rows["text"] if text]
    assert given["embedder"] == given["predictor"] == Counter([*texts, *PROBES])
