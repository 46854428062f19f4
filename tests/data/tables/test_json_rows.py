import json

import pytest

from newsclf.data.tables import json_rows
from newsclf.data.tables.json_rows import FIRST_LINES
from newsclf.errors import InputError


def test_values_and_lines(read_rows):
    rows = read_rows(
        '{"text": "a\u2028b", "label": 1, "x": 0}\n\n{"text": "\\ud800", "label": null}\r\n{"text": "c"}', "news.jsonl"
    )
    assert rows.index.tolist() == [1, 3, 4]
    assert rows["text"].tolist() == ["a\u2028b", "\ud800", "c"]
    assert rows["label"].tolist() == [1, None, None]


def test_a_column_that_begins_late_is_found_where_it_is_wanted(read_rows):
    lines = ['{"text": "x"}'] * FIRST_LINES + ['{"text": "y", "label": "a"}']
    assert read_rows("\n".join(lines), "news.jsonl")["label"].tolist() == [None] * FIRST_LINES + ["a"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\n", "news.jsonl is empty"),
        ('{"text": "x", "label": "a"}\n{"text": \n', "line 2: not JSON"),
        ('{"text": "x", "label": "a"}\n["x", "a"]\n', "line 2: not a JSON object"),
        ("[" * 100_000, "line 1: not JSON"),
        ('{"text": "x", "lable": "a"}\n', 'no column "label": it has text, lable; did you mean "lable"'),
        (b'{"text": "x", "label": "a"}\n{"text": "\xff"}\n', r"line 2: not UTF-8 \(byte 0xff\)"),
        (b'no json\n{"text": "x"}\n', 'no column "label"'),
    ],
)
def test_broken_files(read_rows, content, message):
    with pytest.raises(InputError, match=message):
        read_rows(content, "news.jsonl")


def test_keys_with_blanks_around_are_the_columns_they_mean(read_rows):
    rows = read_rows('{" text": "x", "label\\u00a0": "a"}\n{"text": "y"}\n', "news.jsonl")
    assert rows.to_dict("list") == {"text": ["x", "y"], "label": ["a", None]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("name", ["news.ndjson", "news.jsonl", "news.json"])
def test_lines_in_any_encoding(read_rows, name, encoding):
    rows = read_rows('{"text": "é 東", "label": 1}\r\n\n{"text": "b", "label": 2}\n'.encode(encoding), name)
    assert (rows.index.tolist(), rows["text"].tolist()) == ([1, 3], ["é 東", "b"])


RECORDS = [{"text": "one ] , }", "label": "a"}, {"label": "b", "text": "two\n\\lines"}, {"text": "é \ud83d", "x": [1]}]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("chunk", [1, 7, 1 << 16])
def test_a_list_of_records_is_read_by_and_by(read_rows, monkeypatch, indent, encoding, chunk):
    monkeypatch.setattr(json_rows, "CHUNK", chunk)
    content = "\n " + json.dumps(RECORDS, indent=indent) + "\n"
    rows = read_rows(content.encode(encoding), "news.json")
    assert rows.index.tolist() == [1, 2, 3]
    assert rows["text"].tolist() == ["one ] , }", "two\n\\lines", "é \ud83d"]
    assert rows["label"].tolist() == ["a", "b", None]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "news.json is empty"),
        ("", "news.json is empty"),
        ('[{"text": "x", "label": "a"}, {"text": "y"', "news.json breaks off at record 2: not JSON"),
        ('[{"text": "x", "label": "a"}, {"text": y}]', "news.json breaks off at record 2: not JSON"),
        ('[{"text": "x", "label": "a"}', "news.json breaks off at record 2: not JSON"),
        ('[{"text": "x", "label": "a"}] [{}]', "more stands behind the end of its list"),
        ('[{"text": "x", "label": "a"}, 3]', "record 2: not a JSON object"),
        (b'[{"text": "x", "label": "a"}, {"text": "\xff"}]', r"record 2: not UTF-8 \(byte 0xff\)"),
        ("[" * 100_000, "record 1: not JSON"),
        ('{\n  "kind": "covariate"\n}\n', "news.json is no table: neither a list of records"),
        ('{"kind": "covariate",\n "x": 1}\n', "news.json is no table: neither a list of records"),
        ('{"kind": "covariate"}\n', 'no column "text": it has kind'),
    ],
)
def test_files_that_are_no_list(read_rows, content, message):
    with pytest.raises(InputError, match=message):
        read_rows(content, "news.json")
