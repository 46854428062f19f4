"""One label has one form, from whatever format.

The same kind elsewhere: class names of earlier models; weights; labels that are days.
"""

import csv
import io
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newsclf.config import DataOptions
from newsclf.data import open_stream
from newsclf.data.tables.values import as_spelt, class_indices, label_of, text_of, unknown_labels, weight_of


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1, "1"),
        (1.0, "1"),
        (2.5, "2.5"),
        (1e-7, "0.0000001"),
        (1e20, "100000000000000000000"),
        (-0.0, "0"),
        (float("inf"), "inf"),
        (Decimal("1.00"), "1"),
        (Decimal("2.50"), "2.5"),
        (Decimal("1E+3"), "1000"),
        (" art ", "art"),
        ("\u00a0art", "art"),
        ("1.0", "1"),
        ("-1.50", "-1.5"),
        ("010", "010"),
        ("1.0.0", "1.0.0"),
        ("1e3", "1e3"),
        ("v1.0", "v1.0"),
        (True, "true"),
        ("True", "true"),
        ("FALSE", "false"),
        ("true story", "true story"),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 12), "2026-01-31 12:00:00"),
        (None, None),
        (float("nan"), None),
        (Decimal("NaN"), None),
        ("  ", None),
        ("NA", "NA"),
    ],
)
def test_label_names(value, name):
    assert label_of(value) == name
    assert name is None or label_of(name) == name, "its own form"


@pytest.mark.parametrize("value", [b"art", ["art"], {"name": "art"}, object()])
def test_what_is_no_label(value):
    with pytest.raises(ValueError, match="the label is .*, neither text nor a number"):
        label_of(value)


def test_what_is_no_text():
    assert [text_of(value) for value in ("", None, float("nan"))] == ["", None, None]
    with pytest.raises(ValueError, match="the text is 5, not a string"):
        text_of(5)


@pytest.mark.parametrize("value", [0, 1.5, 1001, "many", None, True, float("nan")])
def test_what_is_no_weight(value):
    if value is True:
        assert weight_of(value) == 1
        return
    with pytest.raises(ValueError, match="not a whole number from 1 to 1000"):
        weight_of(value)


TEXTS = ["one", "two", "three", "four"]
# By kind of label: the labels that must come out, and the columns of a Parquet file that they come from.
LABELS: dict[str, tuple[list[str | None], list[Any], list[pa.DataType]]] = {
    "whole numbers": (
        ["1", "0", "12", "1"],
        [1, 0, 12, 1],
        [pa.int8(), pa.int64(), pa.uint16(), pa.float32(), pa.float64(), pa.decimal128(10, 0), pa.decimal128(10, 2),
         pa.decimal256(20, 1), pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())],
    ),
    "whole numbers with gaps": (
        ["1", None, "0", None],
        [1, None, 0, None],
        [pa.int64(), pa.float64(), pa.float16(), pa.decimal128(5, 1), pa.string(), pa.large_binary()],
    ),
    "numbers": (
        ["2.5", "-1", "0.1", None],
        [2.5, -1.0, 0.1, None],
        [pa.float64(), pa.float32(), pa.decimal128(10, 4), pa.string()],
    ),
    "truth values": (["true", "false", None, "true"], [True, False, None, True], [pa.bool_(), pa.string()]),
    "names": (
        ["Sport", "Kultur & Co", "科技", None],
        ["Sport", " Kultur & Co ", "科技", None],
        [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.binary_view(),
         pa.dictionary(pa.int8(), pa.large_string())],
    ),
    "days": (
        ["2026-01-31", None, "2026-02-01", None],
        [date(2026, 1, 31), None, date(2026, 2, 1), None],
        [pa.date32(), pa.string()],
    ),
}  # fmt: skip


def parquet_of(values: list[Any], kind: pa.DataType) -> bytes:
    """As `kind`: what cannot be cast to it is written as pandas writes it to text."""
    if pa.types.is_dictionary(kind):
        column = array_of(values, kind.value_type).dictionary_encode()
    else:
        column = array_of(values, kind)
    buffer = io.BytesIO()
    pq.write_table(pa.table({"text": TEXTS, "label": column}), buffer)
    return buffer.getvalue()


def array_of(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_decimal(kind):
        return pa.array([None if value is None else Decimal(str(value)) for value in values], kind)
    if pa.types.is_float16(kind):
        return pa.array(values, pa.float32()).cast(kind)
    names = [pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view]
    if any(is_kind(kind) for is_kind in names):
        return pa.array([None if value is None else str(value) for value in values], kind)
    if "binary" in str(kind):
        return pa.array([None if value is None else str(value).encode() for value in values], kind)
    return pa.array(values, kind)


def labels_in(path: Path) -> list[str | None]:
    found: list[str | None] = open_stream(DataOptions(dataset=str(path))).read()["label"].tolist()
    return found


@pytest.mark.parametrize(("case", "kind"), [(case, kind) for case in LABELS for kind in LABELS[case][2]], ids=str)
def test_parquet_columns_of_every_type_give_the_labels(tmp_path, case, kind):
    expected, values, _ = LABELS[case]
    (tmp_path / "t.parquet").write_bytes(parquet_of(values, kind))
    assert labels_in(tmp_path / "t.parquet") == expected


@pytest.mark.parametrize("case", LABELS)
def test_text_formats_give_the_same_labels(tmp_path, case):
    expected, values, _ = LABELS[case]
    frame = pd.DataFrame({"text": TEXTS, "label": values})  # whole numbers with gaps become 1.0
    frame.to_csv(tmp_path / "pandas.csv", index=False)
    frame.to_csv(tmp_path / "pandas.tsv", index=False, sep="\t")
    with (tmp_path / "plain.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *zip(TEXTS, values, strict=True)])
    lines = [json.dumps({"text": text, "label": value}, default=str) for text, value in zip(TEXTS, values, strict=True)]
    (tmp_path / "t.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "t.json").write_text(f"[{','.join(lines)}]", encoding="utf-8")
    frame.astype({"label": object}).to_json(tmp_path / "p.ndjson", orient="records", lines=True, date_format="iso")
    files = [path for path in sorted(tmp_path.iterdir()) if not (case == "days" and path.name == "p.ndjson")]
    assert {path.name: labels_in(path) for path in files} == {path.name: expected for path in files}


def test_classes_of_earlier_models_are_known_by_the_form_that_they_would_have():
    assert class_indices(["true", "1", "x", None], ["True", "1.0"]) == [0, 1, -1, -1]
    assert class_indices(["1", "1.0"], ["1.0", "1"]) == [1, 0], "what is there as it is comes first"
    assert as_spelt(["true", "false", "maybe", None], ["False", "True"]) == ["True", "False", "maybe", None]


def test_unknown_labels_are_named_with_their_rows():
    assert unknown_labels({"a": 1, "we\nird": 1, "weather": 1200, "A": 2}, ["a"]) == [
        '"weather" (1,200 rows)', '"A" (2 rows)', '"we\\nird" (1 row)',
    ]  # fmt: skip
    assert unknown_labels({"true": 3}, ["True"]) == []
