"""A row is known again outside of the program: by its id, or by its file and line, and with what is kept of it.

The kind: a result whose row nobody can find. Its places: splits (here), predictions and confident errors
(evaluation/test_predictions.py, test_errors_table.py), strangest texts (reports/test_comparison.py), texts to label,
the doors (integration/test_row_identity.py).
"""

import dataclasses
import json
from pathlib import Path

import pandas as pd
import pytest

from newsclf.config import EvaluateConfig, ProfileConfig, TrainConfig
from newsclf.data import load, load_split, open_stream
from newsclf.data.identity import identity_columns, identity_of
from newsclf.errors import InputError


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """40 rows; line 2 is the first. Ids are numbers with a gap; a column of its own, with gaps too."""
    path = tmp_path / "news.jsonl"
    rows = [
        {"text": f"text {n}", "label": "ab"[n % 2], "no": None if n == 7 else 1000.0 + n, "desk": f"desk {n}", "x": n}
        for n in range(40)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def number_of(text: str) -> int:
    return int(text.removeprefix("text "))


@pytest.mark.parametrize("named", [True, False])
def test_every_split_knows_its_rows(named: bool, table: Path) -> None:
    options = TrainConfig(dataset=str(table), val_fraction=0.3, num_samples=25, seed=3)
    if named:
        options = dataclasses.replace(options, id_column="no", keep_columns=("x", "desk"))
    data = load(options)
    for split, rows in data.splits.items():
        assert list(rows) == ["text", "label"]
        identity = data.identity[split]
        numbers = rows["text"].map(number_of).tolist()
        by_place = [f"news.jsonl:{number + 1}" for number in numbers]
        by_id = [f"{1000 + n}" if n != 7 else "news.jsonl:8" for n in numbers]
        assert identity["row_id"].tolist() == (by_id if named else by_place)
        if named:
            assert identity["desk"].tolist() == [f"desk {number}" for number in numbers]
            assert identity["x"].tolist() == [str(number) for number in numbers]
        else:
            assert list(identity) == ["row_id"]


def test_it_changes_no_row_and_no_fingerprint(table: Path) -> None:
    plain = load(TrainConfig(dataset=str(table)))
    named = load(TrainConfig(dataset=str(table), id_column="no", keep_columns=("desk",)))
    assert named.fingerprint == plain.fingerprint


def test_all_rows_and_a_test_table_of_their_own(table: Path, tmp_path: Path) -> None:
    other = tmp_path / "test.csv"
    other.write_text("no,label,text\nn1,a,one more\nn2,b,another\n")
    data = load_split(EvaluateConfig(dataset=str(table), model="m", id_column="no"), "all")
    assert data.identity["all"]["row_id"].tolist()[:3] == ["1000", "1001", "1002"]
    data = load(TrainConfig(dataset=str(table), test_dataset=str(other), id_column="no"))
    assert data.identity["test"]["row_id"].tolist() == ["n1", "n2"]


def test_rows_of_a_built_in_source_are_known_by_their_number() -> None:
    data = load(TrainConfig())
    numbers = data.identity["test"]["row_id"].tolist()
    assert len(set(numbers)) == len(data.splits["test"])
    assert all(number.isdigit() for number in numbers)


def test_rows_that_are_looked_at_have_it_too(table: Path) -> None:
    stream = open_stream(ProfileConfig(dataset=str(table), id_column="no", keep_columns=("desk",)))
    rows = stream.read()
    assert stream.of_table
    assert identity_of(rows).iloc[1].tolist() == ["1001", "desk 1"]
    assert not open_stream(ProfileConfig()).of_table


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"id_column": "nummer"}, 'no column "nummer"'),
        ({"keep_columns": ("desks",)}, 'no column "desks"'),
        ({"keep_columns": ("desk", "desk")}, "twice"),
        ({"keep_columns": ("label",)}, "already; rename it"),
        ({"keep_columns": ("probability_a",)}, "already; rename it"),
        ({"id_column": "text"}, "both"),
        ({"dataset": "sample", "id_column": "no"}, "go with your own table"),
        ({"dataset": "sample", "keep_columns": ("no",)}, "go with your own table"),
    ],
)
def test_what_cannot_be_is_bad_input(options: dict[str, object], message: str, table: Path) -> None:
    given: dict[str, object] = {"dataset": str(table), **options}
    with pytest.raises(InputError, match=message):
        load(TrainConfig(**given))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message):
        open_stream(ProfileConfig(**given))  # type: ignore[arg-type]


def test_what_is_no_text_is_written_as_one() -> None:
    assert identity_columns(object()) == {}
    rows = pd.DataFrame({"text": ["a"]}, index=pd.Index([17], name="line"))
    assert identity_of(rows).to_dict("list") == {"row_id": ["17"]}


def test_half_a_character_is_mended_where_rows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "halves.jsonl"
    rows = [{"text": f"text {n}" + "\ud83d" * (n % 12 == 0), "label": "ab"[n % 2]} for n in range(48)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = load(TrainConfig(dataset=str(path)))
    assert data.warnings == ("4 texts hold half a character, which is read as U+FFFD",)
    texts = [text for split in data.splits.values() for text in split["text"]]
    assert sum("\ufffd" in text for text in texts) == 4
    "".join(texts).encode()
    stream = open_stream(ProfileConfig(dataset=str(path)))
    for _ in range(2):
        assert stream.read()["text"].str.contains("\ufffd").sum() == 4
        assert stream.remarks == ["4 texts hold half a character, which is read as U+FFFD"]
