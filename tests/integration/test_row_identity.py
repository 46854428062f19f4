"""By every door that leaves texts or predictions behind, a row can be found again in its table."""

import csv
import json
import re

import pandas as pd
import pytest
from pyarrow import parquet

from newsclf.evaluation.predictions import row_fingerprints

pytestmark = pytest.mark.integration

WORDS = {"a": "team season final win", "b": "company market bank shares"}


@pytest.fixture(scope="module")
def table(place):
    """160 rows; every 12th text holds half a character."""
    path = place.folder / "news.jsonl"
    rows = []
    for number in range(160):
        label = "ab"[number % 2]
        half = "\ud83d" if number % 12 == 0 else ""
        rows.append(
            {"id": f"n-{number}", "label": label, "text": f"{WORDS[label]} {number} {half}", "desk": number % 5}
        )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def ids(table):
    """The id of each text, as it is read."""
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    return {row["text"].replace("\ud83d", "\ufffd"): row["id"] for row in rows}


def check(folder, ids) -> None:
    predictions = parquet.read_table(folder / "predictions.parquet").to_pandas()
    of_text = dict(zip(row_fingerprints(list(ids)).tolist(), ids.values(), strict=True))
    assert predictions["row_id"].tolist() == [of_text[row] for row in predictions["row"].tolist()]
    assert predictions["desk"].tolist() == [str(int(name[2:]) % 5) for name in predictions["row_id"]]
    with (folder / "confident_errors.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            assert row["row_id"] == ids[row["text"]]


def test_train_evaluate_and_profile(place, in_process, tiny_encoder, table, ids):
    names = {"id_column": "id", "keep_columns": "desk"}
    options = {"dataset": table, "encoder": tiny_encoder, "epochs": 1, "trainable_layers": 0, "max_length": 16}
    assert in_process("train", **options, **names, output_dir=place.folder / "t") == 0
    trained = place.runs()[0]
    assert any("hold half a character" in text for text in trained.data.tags.values())
    check(place.folder / "t", ids)
    model = f"runs:/{trained.info.run_id}/model"
    assert in_process("evaluate", dataset=table, model=model, split="all", **names, output_dir=place.folder / "e") == 0
    check(place.folder / "e", ids)
    assert in_process("evaluate", dataset=table, model=model, split="all", output_dir=place.folder / "p") == 0
    placed = pd.read_parquet(place.folder / "p" / "predictions.parquet")["row_id"].tolist()
    assert placed == [f"news.jsonl:{number + 1}" for number in range(160)]

    reference = place.folder / "known.csv"
    reference.write_text("text,label\n" + "".join(f"{WORDS['ab'[n % 2]]} {n},{'ab'[n % 2]}\n" for n in range(200)))
    assert in_process("profile", dataset=table, reference=reference, **names, output_dir=place.folder / "r") == 0
    page = (place.folder / "r" / "report.html").read_text(encoding="utf-8")
    assert re.search(r"n-\d+; desk: \d", page)
