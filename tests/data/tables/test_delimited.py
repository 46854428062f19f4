import csv
import io

import pytest

from newsclf.data.tables.delimited import delimited
from newsclf.errors import InputError


def test_a_blank_line_is_no_row_above_the_header_either(read_rows):
    assert read_rows("\n\ntext,label\n\nnews,a\n", "news.csv").index.tolist() == [5]


def test_words_that_pandas_takes_for_missing_stay_words(read_rows):
    rows = read_rows("label,text\n1,NA\n2,null\n3,None\n4,NaN\n", "news.csv")
    assert rows["text"].tolist() == ["NA", "null", "None", "NaN"]
    assert rows["label"].tolist() == ["1", "2", "3", "4"]


def test_the_index_is_the_line_a_row_starts_on(read_rows):
    rows = read_rows('text,label\n"two\nlines",a\n\n"quoted ""word"", here",b\r\nlast,c', "news.csv")
    assert rows.index.tolist() == [2, 5, 6]
    assert rows["text"].tolist() == ["two\nlines", 'quoted "word", here', "last"]


def test_a_nul_byte_and_a_long_text_come_through(read_rows):
    before = csv.field_size_limit(131_072)
    rows = read_rows("text,label\nne\0ws,a\n" + "x" * 10_000_000 + ",b\n", "news.csv")
    assert rows["text"].map(len).tolist() == [5, 10_000_000]
    assert csv.field_size_limit(before) == 131_072, "the limit of the process is put back"


def test_a_byte_order_mark_is_no_part_of_the_first_name(read_rows):
    assert read_rows("\ufefftext,label\nnews,a\n", "news.csv")["text"].tolist() == ["news"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "news.csv is empty"),
        ("text,label\n", "news.csv has a header but no rows"),
        ("title,label\nnews,a\n", 'no column "text": it has title, label'),
        ("txt,label\nnews,a\n", 'no column "text": it has txt, label; did you mean "txt"'),
        ("text;label\nnews;a\n", 'its separator is ";"; give separator=";"'),
        ("text,text,label\nx,y,a\n", 'the column "text" more than once'),
        ("text,label\nnews,a\none, two,b\n", "line 3: 3 fields where the header has 2"),
        ("text,label\nnews,a\nalone\n", "line 3: 1 fields where the header has 2"),
        ('text,label\nnews,a\n"open,b\nmore,c\n', "starts on line 3: broken quoting"),
        ('text,label\n"a"b,c\n', "starts on line 2: broken quoting"),
        (b"text,label\nnews,a\ncaf\xe9,b\n", r"line 3: not UTF-8 \(byte 0xe9\)"),
        (b"text,label\nnews,a\ncaf\xc3", r"line 3: not UTF-8"),
    ],
)
def test_broken_files(read_rows, content, message):
    with pytest.raises(InputError, match=message):
        read_rows(content, "news.csv")


TWO = [("news, and more", "a"), ("two\nlines", "b")]
BODY = '"news, and more";a\n"two\nlines";b\n'
# Headers and fields as spreadsheets and databases export them: content, separator given, what comes out.
SHAPES = {
    "semicolons": ("text;label\n" + BODY, ";", TWO),
    "quoted names": ('"text";"label"\n' + BODY, ";", TWO),
    "tabs in a .csv": ("text\tlabel\n" + BODY.replace(";", "\t"), "\t", TWO),
    "pipes": ("text|label\n" + BODY.replace(";", "|"), "|", TWO),
    "commas where another separator is meant for other tables": ("text,label\n" + BODY.replace(";", ","), ";", TWO),
    "a line for Excel": ("sep=;\ntext;label\n" + BODY, ",", TWO),
    "a quoted line for Excel": ('"sep=;"\r\ntext;label\n' + BODY, ",", TWO),
    "a line for Excel, commas": ("sep=,\ntext,label\n" + BODY.replace(";", ","), ",", TWO),
    "blanks around names": (" text ; label\n" + BODY, ";", TWO),
    "a hard blank behind a name": ("text\u00a0;label\u200b\n" + BODY, ";", TWO),
    "blanks behind each separator": ("text, label\n" + BODY.replace(";", ", "), ",", TWO),
    "blanks in the header alone": (" text, label\n" + BODY.replace(";", ","), ",", TWO),
    "two marks, as of files put together": ("\ufeff\ufefftext;label\n" + BODY, ";", TWO),
    "an empty column at the end": ("text;label;\n" + BODY.replace(";a", ";a;").replace(";b", ";b;"), ";", TWO),
    "old Mac line ends": ("text;label\rnews;a\rmore;b\r", ";", [("news", "a"), ("more", "b")]),
    "a header of three lines": ('"text";"label";"of\nthree\nlines"\n"two\nlines";b;\n', ";", TWO[1:]),
}  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_exports(shape, encoding):
    content, separator, expected = SHAPES[shape]
    if encoding == "utf-16-be" or encoding == "utf-16-le":
        content = content.lstrip("\ufeff")
    file, kind = io.BytesIO(content.encode(encoding)), delimited(separator)
    assert set(kind.columns(file, "news.csv", ("text", "label"))) >= {"text", "label"}
    assert [values for _, values in kind.rows(file, "news.csv", ("text", "label"))] == expected


@pytest.mark.parametrize(
    ("content", "separator", "message"),
    [
        ("text;label\nx;a\n", ",", 'news.csv: its separator is ";"; give separator=";"'),
        ("text\tlabel\nx\ta\n", ",", "news.csv: its separator is a tab; give separator=tab"),
        ("text|label\nx|a\n", ";", 'news.csv: its separator is "|"; give separator="|"'),
        ("title;label\nx;a\n", ",", 'its separator is ";"'),
        ("te xt,label\nx,a\n", ",", 'no column "text": it has te xt, label; did you mean "te xt"'),
        ("te  xt,label\nx,a\n", ",", 'it has te  xt, label; did you mean "te  xt"'),
        ("te\u200bxt,label\nx,a\n", ",", 'it has te\\u200bxt, label; did you mean "te\\u200bxt"'),
        ("te\u00a0xt,label\nx,a\n", ",", 'it has te\\xa0xt, label; did you mean "te\\xa0xt"'),
        ("text , text,label\nx,y,a\n", ",", 'the column "text" more than once'),
    ],
)
def test_what_is_quoted_is_what_was_compared(content, separator, message):
    with pytest.raises(InputError) as error:
        list(delimited(separator).rows(io.BytesIO(content.encode()), "news.csv", ("text", "label")))
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_line_keeps_its_number_below_a_line_for_excel():
    rows = delimited(",").rows(io.BytesIO(b"sep=;\ntext;label\n\nx;a\ny\n"), "news.csv", ("text",))
    (line, values), (last, broken) = rows
    assert (line, values, last) == (4, ("x",), 5)
    assert str(broken).startswith("line 5: 1 fields where the header has 2")
