import io

import pytest

from newsclf.data.tables.rows import column_name, decoded, encoding_of, require_columns
from newsclf.errors import InputError


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_the_encodings_of_spreadsheets_and_shells(encoding):
    file = io.BytesIO("text,é\r\n".encode(encoding))
    with decoded(file) as text:
        assert text.read() == "text,é\r\n"
    assert not file.closed


@pytest.mark.parametrize("data", [b"", b"\xff", b"\0", b"a\0b\0\0", b"\0\0\0\0", b"tex", b"caf\xe9"])
def test_what_begins_as_no_other_encoding_is_utf8(data):
    expected = "utf-16-le" if data.startswith(b"a\0b\0") else "utf-8-sig"
    assert encoding_of(io.BytesIO(data)) == expected


def test_a_name_is_compared_without_what_is_around_it():
    assert [column_name(name) for name in (" a\t", "\ufeffa", "a\u200b ", "\u00a0a b ", "")] == [
        "a",
        "a",
        "a",
        "a b",
        "",
    ]


def test_columns_that_are_not_there():
    assert require_columns(["id", "label", "text"], ["text", "label"], "t") == [2, 1]
    with pytest.raises(InputError, match='t has no column "text": it has '):
        require_columns(["\udcff\n"], ["text"], "t")
