from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from newsclf.config.shared import BatchOptions
from newsclf.errors import InputError
from newsclf.monitoring.batches import Batch, batches, name_of


def cut(stream: Path | str, by: str = "auto", count: int = 1000) -> list[Batch]:
    return list(batches(str(stream), BatchOptions(batch=by, batch_rows=count)))


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def table(path: Path, *days: int, texts: str = "text", labels: bool = True) -> Path:
    rows: dict[str, list[object]] = {"text": [f"{texts} {place}" for place in range(len(days))]}
    if labels:
        rows["label"] = ["a"] * len(days)
    rows["date"] = [date(2026, 1, number) for number in days]
    pd.DataFrame(rows).to_parquet(path)
    return path


def test_files_of_a_folder_in_the_order_of_their_names(tmp_path):
    table(tmp_path / "b.parquet", 3, 2)
    (tmp_path / "a.csv").write_text("text,label\nx,1\n,2\n")
    (tmp_path / "c_2026-01-09.jsonl").write_text('{"text": "y"}\n{"text": null}\n')
    (tmp_path / "truth.json").write_text("{}")
    (tmp_path / ".hidden.csv").write_text("x")
    (tmp_path / "reference").mkdir()
    table(tmp_path / "reference" / "r.parquet", 1)
    first, second, third = cut(tmp_path)
    assert first == Batch("a.csv", None, ["x", ""], ["1", "2"], None)
    assert second == Batch("b.parquet", day(2), ["text 0", "text 1"], ["a", "a"], [day(3), day(2)])
    assert third == Batch("c_2026-01-09.jsonl", day(9), ["y", None], None, None)


def test_days_of_a_table(tmp_path):
    found = cut(table(tmp_path / "news.parquet", 2, 1, 2, 4))
    assert [(batch.name, batch.date, batch.texts) for batch in found] == [
        ("2026-01-01", day(1), ["text 1"]),
        ("2026-01-02", day(2), ["text 0", "text 2"]),
        ("2026-01-04", day(4), ["text 3"]),
    ]


def test_days_over_files(tmp_path):
    table(tmp_path / "a.parquet", 1, 2)
    table(tmp_path / "b.parquet", 2, labels=False)
    assert [(batch.name, batch.labels) for batch in cut(tmp_path, "day")] == [
        ("2026-01-01", ["a"]),
        ("2026-01-02", ["a", None]),
    ]


def test_weeks_begin_on_monday(tmp_path):
    found = cut(table(tmp_path / "news.parquet", 4, 5, 11, 12), "week")  # 5 January 2026 is a Monday
    assert [(batch.name, batch.date, len(batch.texts)) for batch in found] == [
        ("2026-W01", datetime(2025, 12, 29, tzinfo=UTC), 1),
        ("2026-W02", day(5), 2),
        ("2026-W03", day(12), 1),
    ]


def test_count(tmp_path):
    found = cut(table(tmp_path / "news.parquet", 1, 2, 3, 4, 5), "count", 2)
    assert [(batch.name, batch.date, len(batch.texts)) for batch in found] == [
        ("rows 1 to 2", day(1), 2),
        ("rows 3 to 4", day(3), 2),
        ("rows 5 to 6", day(5), 1),
    ]
    (tmp_path / "plain.csv").write_text("text\nx\ny\nz\n")
    assert [(batch.name, batch.date, batch.labels) for batch in cut(tmp_path / "plain.csv", "count", 2)] == [
        ("rows 1 to 2", None, None),
        ("rows 3 to 4", None, None),
    ]


def test_rows_that_cannot_be_read_are_counted(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "x"}\nnot json\n{"text": 3}\n\xff\n')
    (batch,) = cut(tmp_path)
    assert (batch.texts, batch.unreadable) == (["x"], 3)


def test_content_is_what_is_in_it_and_not_what_it_is_called(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    table(one / "a.parquet", 1, 2)
    table(other / "b.parquet", 1, 2)
    assert cut(one)[0].content == cut(other)[0].content
    (other / "b.parquet").unlink()
    (other / "b.csv").write_text("text,label,date\ntext 0,a,2026-01-01\ntext 1,a,2026-01-02\n")
    assert cut(one)[0].content == cut(other)[0].content, "nor how it is written"


@pytest.mark.parametrize(
    "other",
    [
        Batch("n", None, ["a", "c"], ["x", "y"], None),
        Batch("n", None, ["ab", ""], ["x", "y"], None),
        Batch("n", None, ["ab", None], ["x", "y"], None),
        Batch("n", None, ["a", "b"], ["x", None], None),
        Batch("n", None, ["a", "b"], None, None),
        Batch("n", None, ["a", "b"], ["x", "y"], [day(1), day(1)]),
        Batch("n", None, ["b", "a"], ["x", "y"], None),
        Batch("n", None, ["a", "b", "b"], ["x", "y", "y"], None),
        Batch("n", None, ["a", "b"], ["x", "y"], None, 7),
    ],
)
def test_content_differs_with_anything_that_is_judged(other):
    assert other.content != Batch("n", None, ["a", "b"], ["x", "y"], None).content


def test_content_is_the_same_in_any_order():
    one = Batch("n", None, ["a", "b", "a"], ["x", "y", "x"], [day(1), day(2), day(3)])
    other = Batch("m", day(1), ["b", "a", "a"], ["y", "x", "x"], [day(2), day(3), day(1)])
    assert one.content == other.content
    labelled, bare = Batch("n", None, ["a"], [None], None), Batch("n", None, ["a"], None, None)
    assert labelled.content == bare.content


@pytest.mark.parametrize(
    ("name", "expected"),
    [("news_20260131.csv", (2026, 1, 31)), ("2026-01-31.csv", (2026, 1, 31)), ("20261399.csv", None),
     ("batch_0001.csv", None), ("id_120260131.csv", None), ("2026-0131.csv", None)],
)  # fmt: skip
def test_dates_in_names(tmp_path, name, expected):
    (tmp_path / name).write_text("text\nx\n")
    date = cut(tmp_path)[0].date
    assert date == (datetime(*expected).replace(tzinfo=UTC) if expected else None)


@pytest.mark.parametrize(
    ("content", "by", "says"),
    [
        ("text,date\nx,2026-01-01\ny,31.12.2025\n", "file", 'a.csv, line 3: "31.12.2025" is no date'),
        ("text,date\nx,2026-01-01\ny,\n", "day", "a.csv, line 3: "),
        ("text,day\nx,2026-01-01\n", "week", 'has no column "date": it has text, day'),
        ("body\nx\n", "file", 'has no column "text": it has body'),
        ("text\n", "file", "a.csv has a header but no rows"),
        ("", "file", "a.csv is empty"),
    ],
)
def test_bad_tables(tmp_path, content, by, says):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(InputError) as error:
        cut(tmp_path, by)
    assert says in str(error.value)


def test_bad_streams(tmp_path):
    with pytest.raises(InputError, match="the stream folder .* is empty: it has no .csv, .parquet, .jsonl"):
        cut(tmp_path)
    with pytest.raises(InputError, match="is no folder that is there, and no table"):
        cut(tmp_path / "nothing")
    with pytest.raises(InputError, match="no such file"):
        cut(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match='text_column and label_column are both "text"; name two columns'):
        list(batches(str(table(tmp_path / "a.parquet", 1)), BatchOptions(label_column="text")))


def test_names(tmp_path):
    assert name_of(str(tmp_path / "my.stream")) == "my.stream"
    assert name_of(str(tmp_path / "news.parquet")) == "news"
    assert name_of("s3://bucket/path/news.csv") == "news"
