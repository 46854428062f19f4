import io

import pandas as pd
import pytest

from newsclf.errors import InputError


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def test_values_and_rows(read_rows):
    frame = pd.DataFrame({"text": ["NA", None], "label": pd.array([1, None], dtype="Int64"), "x": [0, 0]})
    rows = read_rows(parquet(frame), "news.parquet")
    assert rows.index.tolist() == [1, 2]
    assert rows["text"].tolist() == ["NA", None]
    assert rows["label"].tolist() == [1, None]


def test_a_categorical_column(read_rows):
    frame = pd.DataFrame({"text": ["x", "y"], "label": pd.Categorical(["b", "a"])})
    assert read_rows(parquet(frame), "news.parquet")["label"].tolist() == ["b", "a"]


def test_broken_files(read_rows):
    whole = parquet(pd.DataFrame({"text": ["x" * 100], "label": ["a"]}))
    for data in (b"text,label\n", whole[:-20], whole[: len(whole) // 2]):
        with pytest.raises(InputError, match="news.parquet is not a readable Parquet file"):
            read_rows(data, "news.parquet")


def test_a_missing_column(read_rows):
    with pytest.raises(InputError, match='no column "label": it has text, labels; did you mean "labels"'):
        read_rows(parquet(pd.DataFrame({"text": ["x"], "labels": ["a"]})), "news.parquet")
