import csv
import io
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newsclf.data import open_stream
from newsclf.data.tables import delimited
from newsclf.data.tables.opening import open_table
from newsclf.data.tables.row_stream import RowStream, escaped, place_names
from newsclf.errors import InputError

TEXTS = ["plain", "", None, "plain", "a\0b", 'two\nlines, "quoted"', "é 東 😀", "x" * 300_000]


def read(opened: RowStream, rows: int = 10_000) -> pd.DataFrame:
    return pd.concat(list(opened.chunks(rows)))


def written(path: Path, rows: Sequence[Mapping[str, object]]) -> str:
    """A table in the format of its ending."""
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=3)
    return str(path)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("rows", [1, 3, 10_000])
def test_no_row_of_a_table_is_refused(tmp_path, options, ending, rows):
    table = [{"n": n, "text": text, "label": "ab"[n % 2] if n else None} for n, text in enumerate(TEXTS)]
    opened = open_stream(options(dataset=written(tmp_path / f"t.{ending}", table)))
    chunks = list(opened.chunks(rows))
    assert max(map(len, chunks)) <= rows
    found = pd.concat(chunks)
    missing = "" if ending == "csv" else None  # a CSV file knows no null
    assert found["text"].tolist() == [missing if text is None else text for text in TEXTS]
    assert found["label"].tolist() == [None, *("ab"[n % 2] for n in range(1, len(TEXTS)))]
    assert (opened.columns, opened.unreadable) == (("text", "label"), 0)
    assert opened.name == opened.source == str(tmp_path / f"t.{ending}")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_labels_may_be_absent_but_not_misspelt(tmp_path, options, ending):
    path = written(tmp_path / f"t.{ending}", [{"body": "one", "other": "x"}])
    opened = open_stream(options(dataset=path, text_column="body"))
    assert opened.columns == ("text",)
    assert list(read(opened).columns) == ["text"]
    with pytest.raises(InputError, match='no column "othre": it has body, other; did you mean "other"'):
        open_stream(options(dataset=path, text_column="body", label_column="othre"))
    with pytest.raises(InputError, match='no column "text"'):
        open_stream(options(dataset=path))
    with pytest.raises(InputError, match='text_column and label_column are both "body"; name two columns'):
        open_stream(options(dataset=path, text_column="body", label_column="body"))


def test_places_are_lines_or_rows(tmp_path, options):
    (tmp_path / "t.csv").write_text('text,label\n"a\nb",x\n\nc,y\n')
    found = read(open_stream(options(dataset=str(tmp_path / "t.csv"))))
    assert (found.index.name, found.index.tolist()) == ("line", [2, 5])
    found = read(open_stream(options(dataset=written(tmp_path / "t.parquet", [{"text": "a"}, {"text": "b"}]))))
    assert (found.index.name, found.index.tolist()) == ("row", [1, 2])


def test_a_row_can_be_told_by_its_place(tmp_path, options):
    (tmp_path / "t.csv").write_text('text,label\n"a\nb",x\n\nc,y\nd,y\n')
    opened = open_stream(options(dataset=str(tmp_path / "t.csv")))
    chunks = list(opened.chunks(2))
    assert [place_names(chunk, opened.source) for chunk in chunks] == [["t.csv:2", "t.csv:5"], ["t.csv:6"]]
    assert place_names(chunks[0].iloc[[1]], opened.source) == ["t.csv:5"]
    assert place_names(pd.DataFrame(index=["part-0.csv:17"]), "of several files") == ["part-0.csv:17"]


def test_half_a_character_in_a_label_is_shown_and_refused_where_it_would_be_learnt(tmp_path, options):
    lines = ['{"text": "good", "label": "Sport\\ud83d"}', '{"text": "half \\ud83d", "label": "Sport"}'] * 2
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    found = read(open_stream(options(dataset=str(tmp_path / "t.jsonl"))))
    assert found["label"].tolist() == ["Sport\\ud83d", "Sport"] * 2
    found["label"].str.encode("utf-8")
    assert escaped(None) is None
    assert open_table(str(tmp_path / "t.jsonl"), {"label": "label"}, strict=True).read()["label"][1] == "Sport\ud83d"


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_unreadable_rows_of_a_csv_file_are_counted(tmp_path, options, rows):
    lines = [
        b"text,label,more",
        b"good 1,a,",
        b"not utf-8 \xff,a,",
        b"good 2,a,",
        b"not utf-8,a,where nobody looks \xff",
        b"too few,a",
        b"too,many,fields,here",
        b'"broken" quoting,a,',
        b"good 3,b,",
        b'"good, 4",b,',
        b'"never closed,b,',
        b"swallowed 1,b,",
        b"swallowed 2,b,",
    ]
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(lines))
    opened = open_stream(options(dataset=str(tmp_path / "t.csv")))
    for _ in range(2):  # from the beginning each time
        assert read(opened, rows)["text"].tolist() == ["good 1", "good 2", "good 3", "good, 4"]
        assert opened.unreadable == 8
    assert csv.field_size_limit() == 131_072


def test_a_quote_that_never_closes_does_not_take_the_whole_file(tmp_path, options, monkeypatch):
    monkeypatch.setattr(delimited, "MAX_FIELD", 1000)
    (tmp_path / "t.csv").write_text('text\ngood\n"never closed\n' + "swallowed or good\n" * 500)
    opened = open_stream(options(dataset=str(tmp_path / "t.csv")))
    found = read(opened)["text"].tolist()
    assert found[0] == "good"
    assert len(found) > 400
    assert len(found) + opened.unreadable == 502


def test_unreadable_lines_of_json_are_counted(tmp_path, options):
    lines = [
        b'{"text": "good 1", "label": 1.0}',
        b'{"text": "cut',
        b"[1, 2]",
        b"",
        b'{"text": "\xff"}',
        b'{"text": 5, "label": "a text that is a number"}',
        b'{"text": "x", "label": ["no", "name"]}',
        b"[" * 100_000,
        b'{"label": "no text"}',
        b'{"text": "good 2 \\ud800", "label": null}',
    ]
    (tmp_path / "t.jsonl").write_bytes(b"\xef\xbb\xbf" + b"\n".join(lines))
    opened = open_stream(options(dataset=str(tmp_path / "t.jsonl")))
    found = read(opened)
    assert found["text"].tolist() == ["good 1", None, "good 2 \ufffd"]
    assert found["label"].tolist() == ["1", "no text", None]
    assert (found.index.tolist(), opened.unreadable) == ([1, 9, 10], 6)


def test_unreadable_rows_of_parquet_are_counted(tmp_path, options):
    binary = pa.array([b"good", b"\xff", None, "\u00e9".encode()], pa.binary())
    for texts in (binary, binary.view(pa.string()), binary.cast(pa.large_binary())):
        pq.write_table(pa.table({"text": texts}), tmp_path / "t.parquet")
        opened = open_stream(options(dataset=str(tmp_path / "t.parquet")))
        assert read(opened)["text"].tolist() == ["good", None, "é"]
        assert opened.unreadable == 1
    coded = pa.table({"text": pa.array(["a", "b", "a"]).dictionary_encode(), "label": [1, None, 2]})
    pq.write_table(coded, tmp_path / "coded.parquet")
    found = read(open_stream(options(dataset=str(tmp_path / "coded.parquet"))))
    assert found.to_dict("list") == {"text": ["a", "b", "a"], "label": ["1", None, "2"]}


def parquet_of(columns: dict[str, pa.Array]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b"\n\n", "is empty"),
        ("t.csv", b"text,label\n", "has a header but no rows"),
        ("t.csv", b"te\xffxt,label\na,b\n", r"line 1: not UTF-8 \(byte 0xff\)"),
        ("t.csv", b"text,text\na,b\n", "more than once"),
        ("t.csv", b"text,label\n\xff,a\nb\n", "none of its 2 rows can be read"),
        ("t.jsonl", b"", "is empty"),
        ("t.jsonl", b"no json\nat all\n", "line 1: not JSON"),
        ("t.jsonl", b'{"text": 1}\n{"text": []}\n', "none of its 2 rows can be read"),
        ("t.parquet", b"", "is empty"),
        ("t.parquet", parquet_of({"text": pa.array([], pa.string())}), "is empty: it has no rows"),
        ("t.parquet", b"PAR1 and more PAR1", "not a readable Parquet file"),
    ],
)
def test_files_in_which_nothing_is_readable(tmp_path, options, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        read(open_stream(options(dataset=str(tmp_path / name))))
    assert len(str(error.value).splitlines()) == 1


def test_a_damaged_parquet_file_is_an_input_error(tmp_path, options):
    path = Path(written(tmp_path / "t.parquet", [{"text": f"text {n} " * 50} for n in range(5000)]))
    data = bytearray(path.read_bytes())
    data[50 : len(data) // 2] = b"\xff" * (len(data) // 2 - 50)
    path.write_bytes(data)
    with pytest.raises(InputError, match="not a readable Parquet file"):
        read(open_stream(options(dataset=str(path))))


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_dates(tmp_path, options, ending):
    dates = ["2024-01-31", "2024-01-31T18:30:00", "2024-01-31T18:30:00+02:00", "2024-01-31 18:30:00.5Z", "20240131"]
    path = written(tmp_path / f"t.{ending}", [{"text": "x", "label": "a", "when": when} for when in dates])
    opened = open_stream(options(dataset=path), date_column="when")
    assert opened.columns == ("text", "label", "date")
    found = read(opened, 2)["date"]
    day, evening = datetime(2024, 1, 31, tzinfo=UTC), datetime(2024, 1, 31, 18, 30, tzinfo=UTC)
    half = timedelta(milliseconds=500)
    assert found.tolist() == [day, evening, evening - timedelta(hours=2), evening + half, day]
    assert str(found.dtype) == "datetime64[ns, UTC]"


def test_dates_of_a_date_type(tmp_path, options):
    for kind in (pa.date32(), pa.timestamp("us"), pa.timestamp("ns", "Europe/Berlin")):
        table = pa.table({"text": ["x"], "when": pa.array([date(2024, 1, 31)], pa.date32()).cast(kind)})
        pq.write_table(table, tmp_path / "t.parquet")
        found = read(open_stream(options(dataset=str(tmp_path / "t.parquet")), date_column="when"))
        assert found["date"].iloc[0] == pd.Timestamp("2024-01-31", tz="UTC")


def test_a_date_column_may_be_absent_where_it_is_not_needed(tmp_path, options):
    path = written(tmp_path / "t.csv", [{"text": "x", "when": "2024-01-31"}])
    assert open_stream(options(dataset=path), date_column="day", needs_date=False).columns == ("text",)
    assert open_stream(options(dataset=path), date_column="when", needs_date=False).columns == ("text", "date")


@pytest.mark.parametrize(
    "bad", ["31/01/2024", "yesterday", "", None, 1_706_659_200, 20_240_131, True, "2024-02-30", "99999-01-01"]
)
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_date_that_does_not_parse_is_named_with_its_place(tmp_path, options, ending, bad):
    if ending == "csv" and bad == 20_240_131:
        pytest.skip("in a CSV file it is the text 20240131, which ISO 8601 allows")
    rows = [{"text": "x", "when": when} for when in ["2024-01-31", bad, " 2024-02-01 ", bad]]
    opened = open_stream(options(dataset=written(tmp_path / f"t.{ending}", rows)), date_column="when")
    for size in (1, 100):
        assert read(opened, size)["date"].isna().tolist() == [False, True, False, True], "the row stays"
        assert opened.undated == 2
        assert f"t.{ending}, line {3 if ending == 'csv' else 2}: " in opened.first_undated
        assert "; write dates as 2024-01-31 or " in opened.first_undated


def test_a_date_column_that_is_not_there(tmp_path, options):
    path = written(tmp_path / "t.csv", [{"text": "x", "date": "2024-01-31"}])
    with pytest.raises(InputError, match='no column "day"'):
        open_stream(options(dataset=path), date_column="day")
    with pytest.raises(InputError, match='sample has no column "day"'):
        open_stream(options(), date_column="day")


# Of the process alone: getrusage counts what the test that started it takes.
MEASURED = """
import re, sys
from pathlib import Path
from newsclf.config import DataOptions
from newsclf.data import open_stream
import pyarrow.parquet
stream = open_stream(DataOptions(dataset=sys.argv[1]))
rows = sum(len(chunk) for chunk in stream.chunks(2000))
print(rows, re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.integration
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_memory_is_flat(tmp_path, ending):
    peaks = []
    random = np.random.default_rng(0)
    for rows in (20_000, 200_000):
        texts = [{"text": random.bytes(100).hex() * 2} for _ in range(rows)]
        path = tmp_path / f"{rows}.{ending}"
        if ending == "parquet":  # all in one row group
            pq.write_table(pa.Table.from_pylist(texts), path, row_group_size=rows)
        else:
            written(path, texts)
        del texts
        ran = subprocess.run([sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, check=True)
        found, peak = map(int, ran.stdout.split())
        assert found == rows
        peaks.append(peak)
    assert peaks[1] < 1.15 * peaks[0]  # the file is 80 MB; its rows in memory would be more
