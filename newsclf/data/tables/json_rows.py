"""JSON Lines, and files that hold one list of records."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from newsclf.data.tables.rows import (
    BOM,
    NOT_UTF8,
    Broken,
    EmptyTable,
    Format,
    Row,
    column_name,
    decoded,
    encoding_of,
    not_utf8,
)
from newsclf.errors import InputError
from newsclf.messages import listed, one_line

# Lines of a JSON Lines file that tell which columns there are, as there is no header to tell.
FIRST_LINES = 1000
CHUNK = 1 << 16  # characters of a list that are read at a time
MAX_RECORD = 1 << 25  # characters of one record of a list
SPACE, GAP = re.compile(r"\s*"), re.compile(r"\s*,?\s*")

Objects = Iterator[tuple[int, dict[str, Any] | Broken]]


def json_of(file: BinaryIO, name: str) -> Format:
    """LINES or LIST, by how a .json begins. Raises EmptyTable for one that is neither: it has no rows."""
    with decoded(file) as text:
        first = next((line for line in iter(lambda: text.readline(1 << 16), "") if line.strip()), "").strip()
    file.seek(0)
    if first.startswith("["):
        return LIST
    if first == "{" or first.endswith((",", ":", ": {", "[")):
        raise EmptyTable(f"{name} is no table: neither a list of records, [{{...}}, ...], nor one record a line")
    return LINES


def _columns_of_lines(file: BinaryIO, name: str, wanted: Sequence[str]) -> list[str]:
    return _columns(_lines(file, wanted), name, wanted)


def _columns_of_list(file: BinaryIO, name: str, wanted: Sequence[str]) -> list[str]:
    return _columns(_records(file, name), name, wanted)


def _columns(objects: Objects, name: str, wanted: Sequence[str]) -> list[str]:
    there: dict[str, None] = {}
    first = None
    for number, (_, value) in enumerate(objects):
        if number >= FIRST_LINES and (not there or all(column in there for column in wanted)):
            break
        if isinstance(value, Broken):
            first = first or value
        else:
            there |= dict.fromkeys(map(column_name, value))
    objects.close()  # type: ignore[attr-defined]
    if first and not there:
        raise InputError(f"{name}, {first}")
    if not there:
        raise EmptyTable(f"{name} is empty: it has no rows")
    return list(there)


def _read_lines(file: BinaryIO, _: str, columns: Sequence[str]) -> Iterator[Row]:
    yield from _values(_lines(file, columns), columns)


def _read_list(file: BinaryIO, name: str, columns: Sequence[str]) -> Iterator[Row]:
    yield from _values(_records(file, name), columns)


def _values(objects: Objects, columns: Sequence[str]) -> Iterator[Row]:
    for place, value in objects:
        if isinstance(value, Broken):
            yield place, value
        elif all(column in value for column in columns):
            yield place, tuple([value[column] for column in columns])
        else:
            named = {column_name(key): found for key, found in value.items()}
            yield place, tuple([named.get(column) for column in columns])


def _lines(file: BinaryIO, columns: Sequence[str]) -> Objects:
    """(line, object) of each line that is not blank."""
    for line, raw in enumerate(_utf8_lines(file), start=1):
        if not raw.strip():
            continue
        try:
            value = json.loads(raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            yield line, not_utf8(f"line {line}", raw[error.start])
            continue
        except (ValueError, RecursionError) as error:
            reason = f"not JSON ({one_line(error)})"
        else:
            reason = "" if isinstance(value, dict) else f"not a JSON object; each line is one, with {listed(columns)}"
        yield line, Broken(f"line {line}", reason) if reason else value


def _utf8_lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines as "\\n" ends them, without a byte order mark, in UTF-8 whatever the file's encoding."""
    if encoding_of(file) == "utf-8-sig":
        for number, line in enumerate(file):
            yield line if number else line.removeprefix(BOM.encode())
        return
    with decoded(file) as text:
        text.reconfigure(newline="\n")
        for line_of_text in text:
            yield line_of_text.encode("utf-8")


def _records(file: BinaryIO, name: str) -> Objects:
    """(number from 1, object) of each record of a list, of which no more than some are in memory.

    Raises InputError where the list breaks off.
    """
    decoder, number = json.JSONDecoder(), 0
    with decoded(file) as text:
        buffer = ""
        while "[" not in buffer:
            buffer += text.read(CHUNK)
        at = buffer.index("[") + 1
        while True:
            at = _end_of(GAP if number else SPACE, buffer, at)
            if buffer.startswith("]", at):
                if (buffer[at + 1 :] + text.read(CHUNK)).strip():
                    raise InputError(f"{name}: more stands behind the end of its list; a .json holds one list")
                return
            try:
                value, end = decoder.raw_decode(buffer, at)
            except (ValueError, RecursionError) as error:
                rest = buffer[at:]
                more = text.read(max(CHUNK, len(rest))) if len(rest) < MAX_RECORD else ""
                if not more:
                    where = f"record {number + 1}"
                    raise InputError(f"{name} breaks off at {where}: not JSON ({one_line(error)})") from None
                buffer, at = rest + more, 0
                continue
            number += 1
            raw, at = buffer[at:end], end
            match = None if raw.isascii() else NOT_UTF8.search(raw)
            if match:
                yield number, not_utf8(f"record {number}", ord(match[0]) - 0xDC00)
            else:
                yield number, value if isinstance(value, dict) else Broken(f"record {number}", "not a JSON object")


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


LINES = Format("line", _columns_of_lines, _read_lines)
LIST = Format("record", _columns_of_list, _read_list)
