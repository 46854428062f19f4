import io

import pytest

from newsclf.data.tables.formats import ending_of, format_of, is_table_name, separator_of, why_no_table
from newsclf.errors import InputError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", True), ("a.CSV", True), ("a.tsv.gz", True), ("2026.01.02.jsonl.xz", True), ("a.ndjson.bz2", True),
        ("a.json", True), ("part-0.snappy.parquet", True), ("a.parquet.gz", False), ("a.gz", False), ("a.xlsx", False),
        ("csv", False), ("a.csv.part", False), ("", False), ("s3://bucket/a.csv?versionId=1", True),
    ],
)  # fmt: skip
def test_names_of_tables(name, expected):
    assert is_table_name(name) == expected


def test_endings():
    assert ending_of("s3://bucket/a/b.CSV.gz?X-Signature=secret") == (".csv", ".gz")
    assert why_no_table("news.xlsx") == "a spreadsheet; save it as .csv"
    assert why_no_table("news.txt").startswith("unknown ending; a table ends in .csv, .parquet, .jsonl")


@pytest.mark.parametrize(
    ("option", "separator"), [("auto", ","), (";", ";"), ("semicolon", ";"), ("tab", "\t"), ("\t", "\t"), ("\\t", "\t")]
)
def test_separators(option, separator):
    assert separator_of(option) == separator


@pytest.mark.parametrize("option", ["", ";;", '"', "\n", "none"])
def test_what_is_no_separator(option):
    with pytest.raises(InputError, match="give one character, or auto, comma, semicolon, tab, pipe"):
        separator_of(option)


def test_a_json_is_told_by_how_it_begins():
    units = [format_of(io.BytesIO(data), "a.json", "a.json").unit for data in (b'{"text": "x"}', b' [{"text": "x"}]')]
    assert units == ["line", "record"]
