"""Tables in the shapes of real exports, through the doors of the verbs that read them: train, evaluate, profile.

The shapes one by one are in tests/data/tables; streams are in test_monitor.py and tests/monitoring/test_batches.py.
"""

import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newsclf.config import DataOptions
from newsclf.data import load
from tests.doors import call

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("in_place")]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """200 rows with two classes, 0 and 1."""
    frame = load(DataOptions(dataset="sample")).splits["train"].head(200)
    return pd.DataFrame({"text": frame["text"], "label": (frame["label"] == "Sports").astype(int)})


def semicolons(rows: pd.DataFrame, folder: Path) -> tuple[Path, dict[str, str]]:
    rows.to_csv(folder / "t.csv", sep=";", index=False)
    return folder / "t.csv", {"separator": ";"}


def excel_unicode(rows: pd.DataFrame, folder: Path) -> tuple[Path, dict[str, str]]:
    rows.to_csv(folder / "t.csv", sep="\t", index=False, encoding="utf-16")
    return folder / "t.csv", {"separator": "tab"}


def blanks(rows: pd.DataFrame, folder: Path) -> tuple[Path, dict[str, str]]:
    rows.rename(columns={"text": " text", "label": " label "}).to_csv(folder / "t.csv", index=False)
    return folder / "t.csv", {}


def floats_as_text(rows: pd.DataFrame, folder: Path) -> tuple[Path, dict[str, str]]:
    rows.astype({"label": float}).to_csv(folder / "t.tsv", sep="\t", index=False)
    return folder / "t.tsv", {}


def decimals(rows: pd.DataFrame, folder: Path) -> tuple[Path, dict[str, str]]:
    labels = pa.array([Decimal(label) for label in rows["label"]], pa.decimal128(10, 2))
    texts = pa.array([text.encode() for text in rows["text"]], pa.binary())
    pq.write_table(pa.table({"text": texts, "label": labels}), folder / "t.parquet")
    return folder / "t.parquet", {}


def a_folder(rows: pd.DataFrame, folder: Path) -> tuple[Path, dict[str, str]]:
    for label, part in rows.groupby("label"):
        (folder / f"label={label}").mkdir()
        part[["text"]].to_parquet(folder / f"label={label}" / "part-0.parquet")
    (folder / "_SUCCESS").touch()
    return folder, {}


def a_glob(rows: pd.DataFrame, folder: Path) -> tuple[Path, dict[str, str]]:
    half = rows.astype({"label": float})
    half.head(100).to_json(folder / "part-0.jsonl", orient="records", lines=True)
    (folder / "part-1.csv.gz").write_bytes(gzip.compress(half.tail(100).to_csv(index=False).encode()))
    (folder / "other.csv").write_text("nothing\n")
    return folder / "part-*", {}


def one_list(rows: pd.DataFrame, folder: Path) -> tuple[Path, dict[str, str]]:
    rows.to_json(folder / "t.json", orient="records")
    return folder / "t.json", {}


SHAPES: list[Callable[[pd.DataFrame, Path], tuple[Path, dict[str, str]]]] = [
    semicolons, excel_unicode, blanks, floats_as_text, decimals, a_folder, a_glob, one_list,
]  # fmt: skip


def metrics_in(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result.json").read_text())["metrics"]
    return found


@pytest.fixture(scope="module")
def model(place, in_process, tiny_encoder, rows) -> str:
    """Of a model that was trained on a folder of parts."""
    parts = place.folder / "parts"
    parts.mkdir()
    rows.head(120).to_csv(parts / "a.csv", index=False)
    rows.tail(80).to_parquet(parts / "b.parquet")
    options = {"encoder": tiny_encoder, "epochs": 1, "trainable_layers": 0, "output_dir": place.folder / "t"}
    assert in_process("train", dataset=parts, **options) == 0
    return f"runs:/{place.runs()[0].info.run_id}/model"


@pytest.fixture(scope="module")
def plain(place, rows) -> Path:
    """The rows in one plain file."""
    rows.to_csv(place.folder / "plain.csv", index=False)
    return place.folder / "plain.csv"


@pytest.fixture(scope="module")
def expected(place, model, plain) -> dict[str, Any]:
    """What evaluate says of it."""
    where = {"dataset": plain, "output_dir": place.folder / "plain"}
    assert call("evaluate", model=model, split="all", **where) == 0
    return metrics_in(place.folder / "plain")


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_the_same_rows_in_any_shape_are_the_same_data(shape, model, expected, rows, tmp_path):
    (tmp_path / "data").mkdir()
    dataset, options = shape(rows, tmp_path / "data")
    where = {"dataset": dataset, "output_dir": tmp_path / "out"}
    assert call("evaluate", model=model, split="all", **where, **options) == 0
    found = metrics_in(tmp_path / "out")
    for name in ("rows", "accuracy", "macro_f1"):
        assert found[name] == pytest.approx(expected[name]), name


def test_unknown_labels_are_named_with_their_rows(model, plain, rows, tmp_path, capfd):
    other = rows.assign(label=["2.0"] * 3 + ["True"] + ["1"] * 196)
    other.to_csv(tmp_path / "t.csv", index=False)
    capfd.readouterr()
    assert call("evaluate", model=model, split="all", dataset=tmp_path / "t.csv", output_dir=tmp_path / "out") == 2
    assert 'does not know: "2" (3 rows), "true" (1 row); it knows 0, 1' in capfd.readouterr().err
    assert call("profile", reference=plain, dataset=tmp_path / "t.csv", output_dir=tmp_path / "out") == 0
    said = capfd.readouterr().out
    assert 'warning: labels that the reference does not know: "2" (3 rows), "true" (1 row)' in said


def test_half_characters_anywhere_but_in_a_text_stop_no_profile(plain, rows, tmp_path):
    lines = [{"text": text, "label": "1", "\ud83d": "\ud83d"} for text in rows["text"]]
    lines[3]["label"] = "Sport \ud83d"
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert call("profile", reference=plain, dataset=tmp_path / "t.jsonl", output_dir=tmp_path / "out") == 0


@pytest.mark.parametrize("verb", ["train", "profile"])
def test_what_is_left_out_of_a_folder_is_told(verb, rows, tiny_encoder, tmp_path, capfd):
    (tmp_path / "data").mkdir()
    rows.to_csv(tmp_path / "data" / "a.csv", index=False)
    rows.head(0).to_csv(tmp_path / "data" / "b.csv", index=False)
    (tmp_path / "data" / "c.xlsx").touch()
    options = {"epochs": 1, "trainable_layers": 0, "encoder": tiny_encoder} if verb == "train" else {}
    capfd.readouterr()
    assert call(verb, dataset=tmp_path / "data", output_dir=tmp_path / "out", **options) == 0
    said = capfd.readouterr().out
    assert "warning: left out: c.xlsx (a spreadsheet)" in said
    assert "warning: without rows: b.csv" in said
