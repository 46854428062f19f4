"""Which files are a table, and which are left out, by name.

The same kinds elsewhere: in streams (test_stream_items.py), in S3 (test_s3.py).
"""

import bz2
import gzip
import lzma
import os
from pathlib import Path

import pytest

from newsclf.data.tables.rows import EmptyTable
from newsclf.data.tables.table_files import Found, is_many, is_table, table_files
from newsclf.errors import InputError


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.write_text("text\nx\n")
    return folder


def names(found: Found) -> list[str]:
    return [file.name for file in found.files]


def content(found: Found) -> bytes:
    with found.files[0].open() as file:
        return file.read()


def test_a_file_is_opened_at_its_beginning_each_time(tmp_path):
    (tmp_path / "news.csv").write_bytes(b"text")
    found = table_files(str(tmp_path / "news.csv"))
    assert [content(found) for _ in range(2)] == [b"text", b"text"]


@pytest.mark.parametrize(("ending", "packed"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_what_is_packed_is_unpacked(tmp_path, ending, packed):
    (tmp_path / f"news.csv.{ending}").write_bytes(packed(b"text"))
    assert content(table_files(str(tmp_path / f"news.csv.{ending}"))) == b"text"
    (tmp_path / f"cut.csv.{ending}").write_bytes(packed(os.urandom(5000))[:3000])
    (tmp_path / f"no.csv.{ending}").write_bytes(b"plain text")
    for name in ("cut", "no"):
        with pytest.raises(InputError, match=f"cannot read .*{name}.csv.{ending} "):
            content(table_files(str(tmp_path / f"{name}.csv.{ending}")))


def test_files_that_are_not_there(tmp_path):
    tree(tmp_path, "headlines.csv")
    for name, says in {
        "headline.csv": r'no such file: .*headline.csv; did you mean "headlines.csv"\?',
        "none/news.csv": r"no such file: .*the folder .* is there, .*/none is not",
        "a\0b.csv": "cannot read .*null",
        "news.txt": "news.txt: unknown ending; a table ends in .csv, .parquet, .jsonl",
        "news.xlsx": "news.xlsx: a spreadsheet; save it as .csv",
        "*.jsonl": r"no table fits .*\*.jsonl",
    }.items():
        with pytest.raises(InputError, match=says) as error:
            table_files(str(tmp_path / name))
        assert len(str(error.value).splitlines()) == 1
    with pytest.raises(InputError) as error:
        table_files("https://user:secret@host.example/news.csv?token=secret")
    assert str(error.value) == "https://host.example/news.csv: only local paths and s3:// are read, not https://"


def test_files_that_cannot_be_opened(tmp_path):
    (tmp_path / "empty.csv").touch()
    (tmp_path / "link.csv").symlink_to("nothing")
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    for name, says in {
        "empty.csv": "empty.csv is empty",
        "link.csv": "cannot read .*link.csv: it was removed, or is a link to nothing",
        "loop.csv": "cannot read .*loop.csv",
        "pipe.csv": "pipe.csv is no regular file",
    }.items():
        with pytest.raises(EmptyTable if name == "empty.csv" else InputError, match=says):
            content(table_files(str(tmp_path / name)))


def test_a_folder_is_its_tables_in_the_order_of_their_names(tmp_path):
    tree(
        tmp_path, "part-2.csv", "part-10.parquet", "sub/z.jsonl", "sub/deep/a.csv.gz", "b.tsv", "c.json", "d.ndjson",
        "_SUCCESS", ".part-2.csv.crc", "_temporary/0/part-0.csv", ".git/x.csv", "_hidden.csv", ".swp.csv",
        "notes.txt", "news.xlsx", "half.csv.part", "x.csv/part-0.csv", "empty/", "only/notes.md",
    )  # fmt: skip
    found = table_files(str(tmp_path))
    assert names(found) == [
        "b.tsv", "c.json", "d.ndjson", "part-10.parquet", "part-2.csv", "sub/deep/a.csv.gz", "sub/z.jsonl",
        "x.csv/part-0.csv",
    ]  # fmt: skip
    assert found.left_out == [
        '.swp.csv (its name begins with ".")', '_hidden.csv (its name begins with "_")',
        "half.csv.part (unknown ending)", "news.xlsx (a spreadsheet)", "notes.txt (unknown ending)",
        "only/notes.md (unknown ending)",
    ]  # fmt: skip
    assert found.empty == ["empty", "only"]
    assert found.remarks[0].startswith("left out: .swp.csv (its name")


def test_a_folder_without_tables_names_what_is_in_it(tmp_path):
    tree(tmp_path, "a.xlsx", "b.txt")
    with pytest.raises(InputError, match=r"is empty: it has no \.csv.*left out: a.xlsx \(a spreadsheet\), b.txt"):
        table_files(str(tmp_path))


def test_what_the_folders_say_of_the_rows(tmp_path):
    tree(tmp_path, "date=2026-01-02/label=Sci%2FTech/part-0.csv", "date=__HIVE_DEFAULT_PARTITION__/part-0.csv")
    found = table_files(str(tmp_path))
    assert [dict(file.partition) for file in found.files] == [
        {"date": "2026-01-02", "label": "Sci/Tech"}, {"date": None},
    ]  # fmt: skip


def test_links_to_folders_are_followed_once(tmp_path):
    tree(tmp_path, "real/a.csv", "stream/b.csv")
    (tmp_path / "stream" / "linked").symlink_to(tmp_path / "real")
    (tmp_path / "stream" / "round").symlink_to(tmp_path / "stream")
    assert names(table_files(str(tmp_path / "stream"))) == ["b.csv", "linked/a.csv"]


def test_a_delta_table_is_refused(tmp_path):
    tree(tmp_path, "part-0.parquet", "_delta_log/00000.json")
    with pytest.raises(InputError, match="belongs to a Delta table"):
        table_files(str(tmp_path))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("2026-*.csv", ["2026-01.csv", "2026-02.csv"]),
        ("2026-0[1].csv", ["2026-01.csv"]),
        ("2026-0?.*", ["2026-01.csv", "2026-02.csv", "2026-03.jsonl"]),
        ("date=*", ["date=1/a.csv", "date=2/a.csv"]),
        ("date=*/a.csv", ["date=1/a.csv", "date=2/a.csv"]),
        ("**/a.csv", ["date=1/a.csv", "date=2/a.csv"]),
    ],
)
def test_globs(tmp_path, monkeypatch, pattern, expected):
    tree(tmp_path, "2026-01.csv", "2026-02.csv", "2026-03.jsonl", "2026-04.txt", "date=1/a.csv", "date=2/a.csv")
    assert names(table_files(f"{tmp_path}/{pattern}")) == expected
    monkeypatch.chdir(tmp_path)
    assert names(table_files(pattern)) == expected, "of the current folder"


def test_a_name_with_brackets_is_a_name(tmp_path):
    tree(tmp_path, "news[1].csv", "news1.csv")
    assert not is_many(str(tmp_path / "news[1].csv"))
    assert names(table_files(str(tmp_path / "news[1].csv"))) == [str(tmp_path / "news[1].csv")]


def test_what_is_a_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tree(tmp_path, "parts/a.csv"))
    assert [is_table(name) for name in ("parts", "a.csv.gz", "s3://b/", "x/y", "*.csv")] == [True] * 5
    assert [is_table(name) for name in ("ag_news", "smaple", "a.xlsx", "a\0b")] == [False] * 4
