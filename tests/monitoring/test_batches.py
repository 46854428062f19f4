import gzip
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from newsclf.config.shared import BatchOptions
from newsclf.errors import InputError
from newsclf.monitoring.batches import Batch, batches, name_of


def cut(stream: Path | str, by: str = "auto", count: int = 1000, said: list[str] | None = None) -> list[Batch]:
    """said: gets what is told of the stream as a whole."""
    options = BatchOptions(batch=by, batch_rows=count)
    return list(batches(str(stream), options, ([] if said is None else said).extend))


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
    (tmp_path / "reference").mkdir()  # as simulate writes it
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


def day_of(number: int, folder: Path, name: str = "") -> None:
    """A good file of two rows."""
    (folder / (name or f"2026-01-0{number}.csv")).write_text(f"text,label\none {number},a\ntwo {number},b\n")


def write(name: str, content: str | bytes) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return act


def parquet(columns: dict[str, list[object]]) -> bytes:
    return pd.DataFrame(columns).to_parquet()


GOOD = parquet({"text": ["x", "y"], "label": ["a", "b"]})
PACKED = gzip.compress(b"text,label\n" + b"".join(b"%d,%d\n" % (n**9, n**7) for n in range(2000)))
# What lies between two good days, by what is in the batch of its name, (texts, rows that cannot be read), and what is
# said of it; None: there is no such batch. The same kinds in one table: test_opening.py; by day: below.
ITEMS: dict[str, tuple[Callable[[Path], None], str, tuple[list[str | None], int] | None, str]] = {
    "an empty file": (write("2.csv", ""), "2.csv", ([], 0), "2.csv is empty"),
    "a header alone": (write("2.csv", "text,label\n"), "2.csv", ([], 0), "2.csv has a header but no rows"),
    "blank lines": (write("2.csv", "\n\n"), "2.csv", ([], 0), "2.csv is empty"),
    "Parquet without rows": (write("2.parquet", parquet({"text": [], "label": []})), "2.parquet", ([], 0), "no rows"),
    "JSON Lines without rows": (write("2.jsonl", "\n"), "2.jsonl", ([], 0), "2.jsonl is empty"),
    "an empty list": (write("2.json", "[]"), "2.json", ([], 0), "2.json is empty"),
    "gzip of nothing": (write("2.csv.gz", gzip.compress(b"")), "2.csv.gz", ([], 0), "2.csv.gz is empty"),
    "no column of texts": (write("2.csv", "title\nx\n"), "2.csv", ([], 0), 'has no column "text": it has title'),
    "another separator": (write("2.csv", "text;label\nx;a\n"), "2.csv", ([], 0), 'its separator is ";"'),
    "no Parquet": (write("2.parquet", "text"), "2.parquet", ([], 0), "is not a readable Parquet file"),
    "cut Parquet": (write("2.parquet", GOOD[:-9]), "2.parquet", ([], 0), "is not a readable Parquet file"),
    "half of a Parquet": (write("2.parquet", GOOD[: len(GOOD) // 2]), "2.parquet", ([], 0), "not a readable Parquet"),
    "cut gzip": (write("2.csv.gz", PACKED[:-300]), "2.csv.gz", ([], 0), "cannot read"),
    "broken gzip": (write("2.csv.gz", PACKED[:99] + bytes(99) + PACKED[198:]), "2.csv.gz", ([], 0), "cannot read"),
    "no gzip": (write("2.csv.gz", "text,label\nx,a\n"), "2.csv.gz", ([], 0), "cannot read"),
    "a cut list": (write("2.json", '[{"text": "x"}, {"te'), "2.json", ([], 0), "2.json breaks off at record 2"),
    "a list of nothing": (write("2.json", '{\n"a": 1\n}'), "2.json", ([], 0), "2.json is no table"),
    "Latin-1 in a row": (write("2.csv", b"text\nx\ncaf\xe9\n"), "2.csv", (["x"], 1), "1 rows of"),
    "Latin-1 in the header": (write("2.csv", b"text,pr\xe9nom\nx,y\n"), "2.csv", ([], 0), "not UTF-8 (byte 0xe9)"),
    "no row that can be read": (write("2.jsonl", "{\n[\n"), "2.jsonl", ([], 0), "line 1: not JSON"),
    "no text that can be read": (write("2.jsonl", '{"text": 1}\n' * 3), "2.jsonl", ([], 3), "none of its 3 rows"),
    "still being written": (write("2.csv", "text,label\nx,a\ny"), "2.csv", (["x"], 1), "1 rows of"),
    "written under another name": (write("2.csv.tmp", "text\nx\n"), "2.csv.tmp", None, ""),
    "a spreadsheet": (write("2.xlsx", "PK"), "2.xlsx", None, ""),
    "hidden": (write(".2.csv", "text\nx\n"), ".2.csv", None, ""),
    "a sign of success": (write("_SUCCESS", ""), "_SUCCESS", None, ""),
    "UTF-16": (write("2.csv", "text,label\nx,a\n".encode("utf-16")), "2.csv", (["x"], 0), ""),
    "tabs": (write("2.tsv", "text\tlabel\nx, y\ta\n"), "2.tsv", (["x, y"], 0), ""),
    "gzip": (write("2.csv.gz", gzip.compress(b"text\nx\n")), "2.csv.gz", (["x"], 0), ""),
    "packed JSON Lines": (write("2.jsonl.gz", gzip.compress(b'{"text": "x"}')), "2.jsonl.gz", (["x"], 0), ""),
    "ndjson": (write("2.ndjson", '{"text": "x"}\n'), "2.ndjson", (["x"], 0), ""),
    "a list of records": (write("2.json", '[{"text": "x"}, {"text": "y"}]'), "2.json", (["x", "y"], 0), ""),
    "JSON Lines as .json": (write("2.json", '{"text": "x"}\n{"text": "y"}\n'), "2.json", (["x", "y"], 0), ""),
    "a partition": (write("date=2026-01-02/p.parquet", GOOD), "date=2026-01-02", (["x", "y"], 0), ""),
    "a cut partition": (write("date=2026-01-02/p.parquet", GOOD[:-9]), "date=2026-01-02", ([], 0), "not a readable"),
    "an empty partition": (write("date=2026-01-02/_SUCCESS", ""), "date=2026-01-02", ([], 0), "it has no rows"),
    "a folder": (write("2/a.csv", "text\nx\n"), "2/a.csv", (["x"], 0), ""),
    "a folder called like a table": (write("2.csv/part-0.csv", "text\nx\n"), "2.csv", (["x"], 0), ""),
    "an empty folder called like a table": (lambda folder: (folder / "2.csv").mkdir(), "2.csv", None, ""),
    "a link to nothing": (lambda folder: (folder / "2.csv").symlink_to("no"), "2.csv", ([], 0), "a link to nothing"),
    "a link to itself": (lambda folder: (folder / "2.csv").symlink_to("2.csv"), "2.csv", ([], 0), "cannot read"),
    "a pipe": (lambda folder: os.mkfifo(folder / "2.csv"), "2.csv", ([], 0), "is no regular file"),
    "a date that is none": (write("2.csv", "text,date\nx,soon\ny,2026-01-02\n"), "2.csv", (["x", "y"], 0), '"soon"'),
    "no date": (write("2.csv", "text,date\nx,\n"), "2.csv", (["x"], 0), "1 of 1 rows have no date"),
    "blanks around a date": (write("2.csv", "text, date\nx, 2026-01-02 \n"), "2.csv", (["x"], 0), ""),
    "half a letter": (write("2.jsonl", '{"text": "\\ud83d", "label": "\\ud83d"}'), "2.jsonl", (["\ufffd"], 0), "half"),
}  # fmt: skip


@pytest.mark.parametrize("case", ITEMS)
@pytest.mark.parametrize("last", [True, False])
def test_a_bad_item_stops_no_other(tmp_path, case, last):
    make, name, expected, says = ITEMS[case]
    day_of(1, tmp_path, "1.csv" if last else "z.csv")
    make(tmp_path)
    day_of(3, tmp_path, "3.csv")
    found = {batch.name: batch for batch in cut(tmp_path)}
    good = [found.pop(name) for name in ("1.csv" if last else "z.csv", "3.csv")]
    assert [batch.texts for batch in good] == [["one 1", "two 1"], ["one 3", "two 3"]]
    assert [batch.remarks for batch in good] == [(), ()]
    if expected is None:
        assert found == {}
        return
    (batch,) = found.values()
    assert (batch.name, batch.texts, batch.unreadable) == (name, *expected)
    assert batch.content != batch.rows_digest
    assert len(batch.remarks) == bool(says)
    for remark in batch.remarks:
        assert says in remark
        assert len(remark.splitlines()) == 1
    for label in batch.labels or []:
        assert label is None or label.encode("utf-8")


def test_a_name_that_cannot_be_printed_is_shown_by_its_escapes(tmp_path):
    day_of(1, tmp_path)
    write(os.fsdecode(b"caf\xe9.csv"), "text\nx\n\xe9,y\n")(tmp_path)
    write(os.fsdecode(b"caf\xe8.csv"), "text\n")(tmp_path)
    _, empty, odd = cut(tmp_path)
    assert [(one.name, one.texts) for one in (empty, odd)] == [("caf\\udce8.csv", []), ("caf\\udce9.csv", ["x"])]
    for remark in (*empty.remarks, *odd.remarks):
        assert "caf\\udce" in remark.encode("utf-8").decode()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_stops_no_other(tmp_path):
    for number in (1, 2, 3):
        day_of(number, tmp_path)
    (tmp_path / "2026-01-02.csv").chmod(0)
    assert [len(batch.texts) for batch in cut(tmp_path)] == [2, 0, 2]
    assert "Permission denied" in cut(tmp_path)[1].remarks[0]


def test_what_cannot_be_read_is_another_batch_than_what_is_empty(tmp_path):
    day_of(1, tmp_path)
    contents = set()
    for content in ("text,label\n", "title\nx\n", "text,label\nx,a\n"):
        (tmp_path / "2026-01-02.csv").write_text(content)
        contents.add(cut(tmp_path)[1].content)
    assert len(contents) == 3


def test_rows_without_a_date_are_a_batch_of_their_own(tmp_path):
    (tmp_path / "news.csv").write_text("text,date\na,2026-01-02\nb,\nc, 2026-01-01\nd,soon\n")
    said: list[str] = []
    *days, undated = cut(tmp_path / "news.csv", said=said)
    assert [(batch.name, batch.texts) for batch in days] == [("2026-01-01", ["c"]), ("2026-01-02", ["a"])]
    assert (undated.name, undated.date, undated.texts) == ("without a date", None, ["b", "d"])
    assert said == [
        f'2 of 4 rows have no date: {tmp_path}/news.csv, line 3: "" is no date; write dates as 2024-01-31 or '
        "2024-01-31T18:30:00Z"
    ]


def test_days_over_files_of_which_some_are_bad(tmp_path):
    table(tmp_path / "a.parquet", 1, 2)
    write("b.parquet", GOOD[:-9])(tmp_path)
    write("c.csv", "text,label\n")(tmp_path)
    write("2026-01-03.csv", "text\nof its name\n")(tmp_path)
    write("date=2026-01-02/p.csv", "text\nof its folder\n")(tmp_path)
    said: list[str] = []
    found = cut(tmp_path, "day", said=said)
    assert [(batch.name, batch.texts) for batch in found] == [
        ("2026-01-01", ["text 0"]), ("2026-01-02", ["text 1", "of its folder"]), ("2026-01-03", ["of its name"]),
    ]  # fmt: skip
    assert ["b.parquet is not a readable" in said[0], "c.csv has a header" in said[1]] == [True] * 2
    assert [len(batch.texts) for batch in cut(tmp_path, "count", 3)] == [3, 1]


@pytest.mark.parametrize(
    ("content", "by", "says"),
    [
        ("text,date\nx,2026-13-01\ny,31.12.2025\n", "file", 'a.csv, line 2: "2026-13-01" is no date'),
        ("text,date\nx,\ny,\n", "day", "a.csv, line 2: "),
        ("text,day\nx,2026-01-01\n", "week", 'has no column "date": it has text, day'),
        ("body\nx\n", "file", 'has no column "text": it has body'),
        ("text\n", "day", "a.csv has a header but no rows"),
        ("", "count", "a.csv is empty"),
    ],
)
def test_where_nothing_can_be_read_it_is_an_error(tmp_path, content, by, says):
    """It may be the options, then."""
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(content)
    for stream in (tmp_path, tmp_path / "a.csv"):
        with pytest.raises(InputError) as error:
            cut(stream, by)
        assert says in str(error.value)


def test_a_stream_of_nothing_yet_is_a_batch_of_nothing(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\n")
    assert [batch.texts for batch in cut(tmp_path)] == [[]]


def test_a_separator_is_that_of_every_csv(tmp_path):
    (tmp_path / "a.csv").write_text("text;label\nx, y;a\n")
    (tmp_path / "b.tsv").write_text("text\tlabel\nz;\tb\n")
    (tmp_path / "c.csv").write_text("text,label\nw;,b\n")
    found = batches(str(tmp_path), BatchOptions(separator=";"))
    assert [(batch.texts, batch.labels) for batch in found] == [(["x, y"], ["a"]), (["z;"], ["b"]), (["w;"], ["b"])]


def test_rows_are_the_same_whenever_they_are_from():
    one = Batch("a", None, ["x", "y"], ["1", "2"], [day(1), day(2)])
    assert one.rows_digest == Batch("b", None, ["y", "x"], ["2", "1"], None).rows_digest
    assert one.rows_digest != Batch("b", None, ["y", "x"], ["1", "2"], None).rows_digest
    assert Batch("b", None, [], None, None).rows_digest == ""


def test_bad_streams(tmp_path):
    with pytest.raises(InputError, match="is empty: it has no .csv, .parquet, .jsonl"):
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
