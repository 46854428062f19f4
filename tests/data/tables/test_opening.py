"""Tables of many files: every form that exports have, by what must come out.

The same kinds elsewhere: in a stream, where a bad file stops no other (tests/monitoring/test_batches.py); in S3
(test_s3.py).
"""

import gzip
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newsclf.config import DataOptions
from newsclf.data import load_split, open_stream
from newsclf.data.tables.row_stream import place_names
from newsclf.errors import InputError

COLUMNS = ["text", "label"]


def part(path: Path, *rows: tuple[str, str | None], columns: list[str] | None = None) -> None:
    """A file of these rows, in the format of its ending; none: a header alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(rows, columns=columns or COLUMNS, dtype=object)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pandas(frame.astype("string")), path)
    elif path.suffix in (".jsonl", ".json"):
        frame.to_json(path, orient="records", lines=path.suffix == ".jsonl")
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")


def every_format(folder: Path) -> None:
    for letter, ending in zip("abcdef", ("csv", "parquet", "jsonl", "tsv", "json", "csv.gz"), strict=True):
        part(folder / f"part-{letter}.{ending}", (f"text {letter}", letter))


def empty_parts(folder: Path) -> None:
    part(folder / "a.csv")
    (folder / "b.csv").touch()
    part(folder / "c.parquet")
    (folder / "d.jsonl").write_text("\n")
    part(folder / "e.csv", ("text e", "e"))
    (folder / "f.json").write_text("[]")


def labels_in_folders(folder: Path) -> None:
    for name in ("Sci%2FTech", "World"):
        part(folder / f"label={name}" / "part-0.parquet", (f"text {name}", "1"), columns=["text", "id"])


def another_order(folder: Path) -> None:
    part(folder / "a.csv", ("text a", "a"))
    part(folder / "b.csv", ("b", "text b"), columns=["label", "text"])


def half_labelled(folder: Path) -> None:
    part(folder / "a.csv", ("text a", "1"), columns=["text", "id"])
    part(folder / "b.csv", ("text b", "b"))


def half_unlabelled(folder: Path) -> None:
    part(folder / "a.csv", ("text a", "a"))
    part(folder / "b.csv", ("text b", "1"), columns=["text", "id"])


def a_broken_part(folder: Path) -> None:
    part(folder / "a.parquet", ("text a", "a"))
    (folder / "b.parquet").write_bytes((folder / "a.parquet").read_bytes()[:-20])


def a_part_in_semicolons(folder: Path) -> None:
    part(folder / "a.csv", ("text a", "a"))
    (folder / "b.csv").write_text("text;label\ntext b;b\n")


def no_part_with_rows(folder: Path) -> None:
    part(folder / "a.csv")
    part(folder / "b.parquet")


# Makes a folder: the rows that come out of it, or the message.
FOLDERS: dict[Callable[[Path], None], list[tuple[str, str | None]] | str] = {
    every_format: [(f"text {letter}", letter) for letter in "abcdef"],
    empty_parts: [("text e", "e")],
    labels_in_folders: [("text Sci%2FTech", "Sci/Tech"), ("text World", "World")],
    another_order: [("text a", "a"), ("text b", "b")],
    half_labelled: 'b.csv has a column "label" and a.csv has none: the files of one table need the same columns',
    half_unlabelled: 'a.csv has a column "label" and b.csv has none: the files of one table need the same columns',
    a_broken_part: "b.parquet is not a readable Parquet file",
    a_part_in_semicolons: 'b.csv: its separator is ";"; give separator=";"',
    no_part_with_rows: "is empty: it has no rows",
}


@pytest.mark.parametrize("make", FOLDERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("location", ["{}", "{}/", "{}/*", "{}/**/*"])
def test_a_folder_or_a_glob_is_a_table(tmp_path, make, location):
    make(tmp_path / "parts")
    expected, dataset = FOLDERS[make], location.format(tmp_path / "parts")
    if isinstance(expected, str):
        with pytest.raises(InputError) as error:
            open_stream(DataOptions(dataset=dataset)).read()
        assert expected in str(error.value)
        assert len(str(error.value).splitlines()) == 1
        return
    tolerant = open_stream(DataOptions(dataset=dataset)).read()
    assert list(tolerant[COLUMNS].itertuples(index=False, name=None)) == expected
    strict = load_split(DataOptions(dataset=dataset), "all").splits["all"]
    assert list(strict[COLUMNS].itertuples(index=False, name=None)) == expected


def test_a_row_has_the_name_of_its_file(tmp_path):
    part(tmp_path / "date=2026-01-02" / "part-0.csv", ("one", "a"), ("two", "b"))
    part(tmp_path / "part-1.jsonl", ("three", "a"))
    stream = open_stream(DataOptions(dataset=str(tmp_path)))
    rows = stream.read()
    expected = ["date=2026-01-02/part-0.csv:2", "date=2026-01-02/part-0.csv:3", "part-1.jsonl:1"]
    assert place_names(rows, stream.source) == rows.index.tolist() == expected


def test_messages_name_the_file_and_the_row(tmp_path):
    part(tmp_path / "a.csv", ("one", "a"), ("two", "b"))
    (tmp_path / "b.csv").write_text("text,label\nthree,a\nfour\n")
    with pytest.raises(InputError, match=f"{tmp_path}, b.csv, line 3: 1 fields where the header has 2"):
        load_split(DataOptions(dataset=str(tmp_path)), "all")
    stream = open_stream(DataOptions(dataset=str(tmp_path)))
    assert (len(stream.read()), stream.unreadable) == (3, 1)
    (tmp_path / "b.csv").write_text('text,label\nthree,a\n"",a\none,a\n')
    with pytest.raises(
        InputError, match=r"with an empty text \(row b.csv:3\); 1 that repeat an earlier row \(row b.csv:4\)"
    ):
        load_split(DataOptions(dataset=str(tmp_path)), "all")


def test_what_is_left_out_is_told(tmp_path):
    empty_parts(tmp_path)
    part(tmp_path / "g.csv", ("text g", "g"))
    (tmp_path / "old.xlsx").touch()
    data = load_split(DataOptions(dataset=str(tmp_path)), "all")
    assert data.warnings == (
        "left out: old.xlsx (a spreadsheet)",
        "without rows: a.csv, b.csv, c.parquet, d.jsonl, f.json",
    )


def test_the_order_of_parts_is_that_of_their_names(tmp_path):
    for number in (2, 10, 1):
        part(tmp_path / f"part-{number}.csv", (f"text {number}", "a"))
    found = [open_stream(DataOptions(dataset=str(tmp_path))).read()["text"].tolist() for _ in range(2)]
    assert found == [["text 1", "text 10", "text 2"]] * 2


def test_parts_and_one_file_are_the_same_data(tmp_path):
    rows = [(f"text {number}", "ab"[number % 2]) for number in range(10)]
    part(tmp_path / "parts" / "a.csv", *rows[:4])
    part(tmp_path / "parts" / "b.parquet", *rows[4:])
    part(tmp_path / "whole.csv", *rows)
    found = [load_split(DataOptions(dataset=str(tmp_path / name)), "all") for name in ("parts", "whole.csv")]
    assert found[0].fingerprint == found[1].fingerprint
