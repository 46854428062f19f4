"""Where tables lie: what is opened, and in which words a location is refused."""

import pytest

from newsclf.data.tables.location import opener, public_name, suffix_of
from newsclf.data.tables.row_stream import open_table
from newsclf.errors import InputError


def test_a_file_is_opened_at_its_beginning_each_time(tmp_path):
    (tmp_path / "news.csv").write_bytes(b"text")
    opened = opener(str(tmp_path / "news.csv"))
    for _ in range(2):
        with opened() as file:
            assert file.read() == b"text"


def test_files_that_are_not_there(tmp_path):
    (tmp_path / "headlines.csv").touch()
    with pytest.raises(InputError, match=r'no such file: .*headline.csv; did you mean "headlines.csv"\?'):
        opener(str(tmp_path / "headline.csv"))
    with pytest.raises(InputError, match=r"no such file: .*the folder .* is there, .*/none is not"):
        opener(str(tmp_path / "none" / "news.csv"))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="folder.csv is a folder; name a file in it"):
        opener(str(tmp_path / "folder.csv"))
    with pytest.raises(InputError, match="headlines.csv is empty"):
        opener(str(tmp_path / "headlines.csv"))
    with pytest.raises(InputError, match="cannot read .*null"):
        opener("a\0b.csv")


def test_names_that_are_no_table():
    with pytest.raises(InputError, match="data/news.txt: unknown ending; a table ends in .csv, .parquet, .jsonl"):
        open_table("data/news.txt", {"text": "text"})
    with pytest.raises(InputError) as error:
        opener("https://user:secret@host.example/news.csv?token=secret")
    assert str(error.value) == ("https://host.example/news.csv: only local paths and s3:// are read, not https://")


def test_public_name_keeps_no_secret():
    assert public_name("s3://key:secret@bucket/a/b.csv?X-Signature=secret") == "s3://bucket/a/b.csv"
    assert public_name("data/what?@.csv") == "data/what?@.csv"
    assert suffix_of("s3://bucket/a/b.CSV?X-Signature=secret") == ".csv"
