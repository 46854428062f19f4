"""Strict and tolerant are one reader: what is refused is what is counted, and all else is equal."""

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.data.tables.opening import open_table
from newsclf.errors import InputError

COLUMNS = {"text": "text", "label": "label"}


@dataclass(frozen=True)
class Entry:
    """What stands in a file in one place. row: (text, label) as they are read; None of a row that cannot be."""

    raw: bytes
    row: tuple[str | None, str | None] | None


texts = st.text(st.characters(codec="utf-8"), max_size=20)
names = st.sampled_from(["art", "law", "1"])


def csv_entry(text: str, label: str) -> Entry:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow([text, label])
    return Entry(line.getvalue().encode(), (text, label))


def jsonl_entry(values: Mapping[str, str | None]) -> Entry:
    text, label = values.get("text"), values.get("label")
    return Entry(json.dumps(values, ensure_ascii=False).encode() + b"\n", (text, label))


broken = st.sampled_from
ENTRIES = {
    "csv": st.one_of(
        st.builds(csv_entry, texts, names),
        broken([b"caf\xe9,a\n", b"\xff\n", b"alone\n", b"one,two,three\n", b'"a"b,c\n']).map(
            lambda raw: Entry(raw, None)
        ),
    ),
    "jsonl": st.one_of(
        st.fixed_dictionaries({}, optional={"text": st.none() | texts, "label": st.none() | names, "other": texts}).map(
            jsonl_entry
        ),
        broken(
            [b"no json\n", b"[1]\n", b'{"text": "\xe9"}\n', b'{"text": 5}\n', b'{"text": "x", "label": [1]}\n', b"{\n"]
        ).map(lambda raw: Entry(raw, None)),
    ),
    "parquet": st.one_of(
        texts.map(lambda text: Entry(text.encode(), (text, "art"))),
        broken([b"\xff", b"caf\xe9"]).map(lambda raw: Entry(raw, None)),
    ),
}
HEADS = {"csv": b"text,label\n", "jsonl": b'{"text": "first", "label": "law"}\n', "parquet": b""}


def write(path: Path, entries: list[Entry]) -> None:
    head = HEADS[path.suffix[1:]]
    if head:
        path.write_bytes(head + b"".join(entry.raw for entry in entries))
    else:
        raw = pa.array([entry.raw for entry in entries], pa.binary())
        pq.write_table(pa.table({"text": raw.view(pa.string()), "label": ["art"] * len(entries)}), path)


def place_of(kind: str, entries: list[Entry], index: int) -> int:
    """The line or row of an entry, counted without the reader."""
    if kind == "parquet":
        return index + 1
    before = HEADS[kind] + b"".join(entry.raw for entry in entries[:index])
    if kind == "jsonl":
        return before.count(b"\n") + 1
    return len(io.StringIO(before.decode("latin-1"), newline="").readlines()) + 1


def rows_of(frame: pd.DataFrame) -> list[tuple[str | None, str | None]]:
    return list(frame.itertuples(index=False, name=None))


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@settings(max_examples=60, deadline=None)
@given(data=st.data(), chunk=st.integers(1, 5))
def test_what_strict_refuses_is_what_tolerant_counts(
    kind: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, chunk: int
) -> None:
    entries = data.draw(st.lists(ENTRIES[kind], min_size=1, max_size=8))
    path = tmp_path_factory.mktemp("t", numbered=True) / f"t.{kind}"
    write(path, entries)
    head = [("first", "law")] if kind == "jsonl" else []
    expected = head + [entry.row for entry in entries if entry.row is not None]
    tolerant = open_table(str(path), COLUMNS)
    if not expected:
        with pytest.raises(InputError, match="can be read"):
            tolerant.read()
        return
    found = pd.concat(list(tolerant.chunks(chunk)))
    assert rows_of(found) == expected
    assert tolerant.unreadable == sum(entry.row is None for entry in entries)

    # Strict refuses the first of them, in one line that names its place; without all of them it reads the rest.
    while bad := [index for index, entry in enumerate(entries) if entry.row is None]:
        with pytest.raises(InputError) as error:
            open_table(str(path), COLUMNS, strict=True).read()
        named = re.search(r"t\.\w+, (?:the row that starts on )?(?:line|row) (\d+): ", str(error.value))
        assert named is not None, error.value
        assert int(named[1]) == place_of(kind, entries, bad[0])
        assert "\n" not in str(error.value)
        del entries[bad[0]]
        write(path, entries)
    strict = open_table(str(path), COLUMNS, strict=True).read()
    assert rows_of(strict) == expected
    pd.testing.assert_frame_equal(strict, open_table(str(path), COLUMNS).read())
