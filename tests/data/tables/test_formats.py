import csv
import io

import pandas as pd
import pytest

from newsclf.data.tables.formats import FIRST_LINES, FORMATS, require_columns, strictly
from newsclf.errors import InputError

COLUMNS = ("text", "label")


def read(data: bytes, name: str) -> pd.DataFrame:
    """The columns of a file that is read strictly, with the values that are in the file."""
    kind = FORMATS[name[name.index(".") :]]
    require_columns(kind.columns(io.BytesIO(data), name, COLUMNS), COLUMNS, name)
    rows = dict(strictly(kind.rows(io.BytesIO(data), name, COLUMNS), name))
    return pd.DataFrame(list(rows.values()), columns=list(COLUMNS), index=list(rows), dtype=object)


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


class TestCsv:
    def read(self, text: str | bytes) -> pd.DataFrame:
        return read(text if isinstance(text, bytes) else text.encode(), "news.csv")

    def test_a_blank_line_is_no_row_above_the_header_either(self):
        assert self.read("\n\ntext,label\n\nnews,a\n").index.tolist() == [5]

    def test_words_that_pandas_takes_for_missing_stay_words(self):
        rows = self.read("label,text\n1,NA\n2,null\n3,None\n4,NaN\n")
        assert rows["text"].tolist() == ["NA", "null", "None", "NaN"]
        assert rows["label"].tolist() == ["1", "2", "3", "4"]

    def test_the_index_is_the_line_a_row_starts_on(self):
        rows = self.read('text,label\n"two\nlines",a\n\n"quoted ""word"", here",b\r\nlast,c')
        assert rows.index.tolist() == [2, 5, 6]
        assert rows["text"].tolist() == ["two\nlines", 'quoted "word", here', "last"]

    def test_a_nul_byte_and_a_long_text_come_through(self):
        before = csv.field_size_limit(131_072)
        rows = self.read("text,label\nne\0ws,a\n" + "x" * 10_000_000 + ",b\n")
        assert rows["text"].map(len).tolist() == [5, 10_000_000]
        assert csv.field_size_limit(before) == 131_072, "the limit of the process is put back"

    def test_a_byte_order_mark_is_no_part_of_the_first_name(self):
        assert self.read("\ufefftext,label\nnews,a\n")["text"].tolist() == ["news"]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", "news.csv is empty"),
            ("text,label\n", "news.csv has a header but no rows"),
            ("title,label\nnews,a\n", 'no column "text": it has title, label'),
            ("txt,label\nnews,a\n", 'no column "text": it has txt, label; did you mean "txt"'),
            ("text;label\nnews;a\n", 'no column "text": it has text;label'),
            ("text,text,label\nx,y,a\n", 'the column "text" more than once'),
            ("text,label\nnews,a\none, two,b\n", "line 3: 3 fields where the header has 2"),
            ("text,label\nnews,a\nalone\n", "line 3: 1 fields where the header has 2"),
            ('text,label\nnews,a\n"open,b\nmore,c\n', "starts on line 3: broken quoting"),
            ('text,label\n"a"b,c\n', "starts on line 2: broken quoting"),
            (b"text,label\nnews,a\ncaf\xe9,b\n", r"line 3: not UTF-8 \(byte 0xe9\)"),
            (b"text,label\nnews,a\ncaf\xc3", r"line 3: not UTF-8"),
        ],
    )
    def test_broken_files(self, content, message):
        with pytest.raises(InputError, match=message):
            self.read(content)


class TestJsonLines:
    def read(self, text: str | bytes) -> pd.DataFrame:
        return read(text if isinstance(text, bytes) else text.encode(), "news.jsonl")

    def test_values_and_lines(self):
        rows = self.read(
            '{"text": "a\u2028b", "label": 1, "x": 0}\n\n{"text": "\\ud800", "label": null}\r\n{"text": "c"}'
        )
        assert rows.index.tolist() == [1, 3, 4]
        assert rows["text"].tolist() == ["a\u2028b", "\ud800", "c"]
        assert rows["label"].tolist() == [1, None, None]

    def test_a_column_that_begins_late_is_found_where_it_is_wanted(self):
        lines = ['{"text": "x"}'] * FIRST_LINES + ['{"text": "y", "label": "a"}']
        assert self.read("\n".join(lines))["label"].tolist() == [None] * FIRST_LINES + ["a"]

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
    def test_broken_files(self, content, message):
        with pytest.raises(InputError, match=message):
            self.read(content)


class TestParquet:
    def read(self, data: bytes) -> pd.DataFrame:
        return read(data, "news.parquet")

    def test_values_and_rows(self):
        frame = pd.DataFrame({"text": ["NA", None], "label": pd.array([1, None], dtype="Int64"), "x": [0, 0]})
        rows = self.read(parquet(frame))
        assert rows.index.tolist() == [1, 2]
        assert rows["text"].tolist() == ["NA", None]
        assert rows["label"].tolist() == [1, None]

    def test_a_categorical_column(self):
        frame = pd.DataFrame({"text": ["x", "y"], "label": pd.Categorical(["b", "a"])})
        assert self.read(parquet(frame))["label"].tolist() == ["b", "a"]

    def test_broken_files(self):
        whole = parquet(pd.DataFrame({"text": ["x" * 100], "label": ["a"]}))
        for data in (b"text,label\n", whole[:-20], whole[: len(whole) // 2]):
            with pytest.raises(InputError, match="news.parquet is not a readable Parquet file"):
                self.read(data)

    def test_a_missing_column(self):
        with pytest.raises(InputError, match='no column "label": it has text, labels; did you mean "labels"'):
            self.read(parquet(pd.DataFrame({"text": ["x"], "labels": ["a"]})))
