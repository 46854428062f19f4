"""The files of a table: one, or those of a folder, a glob or an S3 prefix, in the order of their names."""

import contextlib
import io
import lzma
import os
import re
import stat
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from newsclf.data.tables.formats import FORMATS, format_of, is_table_name, plain, why_no_table
from newsclf.data.tables.location import file_name, public_name, scheme_of
from newsclf.data.tables.rows import EmptyTable, Format
from newsclf.data.tables.s3 import S3File, list_prefix
from newsclf.errors import InputError
from newsclf.messages import did_you_mean, listed, one_line, quoted

HIDDEN = (".", "_")  # begins the names of what is no data: _SUCCESS, .part-0.csv.crc, _temporary/
WILDCARDS = "*?["
NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"
DELTA_LOG = "_delta_log"
BUFFER = 1 << 20  # bytes of an object in a store that are handed on at a time


@dataclass(frozen=True)
class TableFile:
    """A file of rows.

    name: as messages call it: its path below the folder it was found in, or all of it; location: path or URI;
    file: its last part. partition: what the names of its folders say of its rows, as in label=Sports/part-0.parquet;
    None for a null.
    """

    name: str
    location: str
    file: str
    partition: Mapping[str, str | None] = field(default_factory=dict)

    def format_of(self, file: BinaryIO, separator: str) -> Format:
        """The format of the opened file. separator: of .csv."""
        return format_of(file, self.name, self.file, separator)

    @contextlib.contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file at its beginning. Raises EmptyTable, and InputError for what cannot be read, here and inside."""
        with _readable(self.name):
            if scheme_of(self.location):
                source: Path | BinaryIO = io.BufferedReader(S3File(self.location), BUFFER)
            else:
                source = Path(self.location).expanduser()
                found = source.stat()
                if not stat.S_ISREG(found.st_mode):
                    raise InputError(f"{self.name} is no regular file")
                if not found.st_size:
                    raise EmptyTable(f"{self.name} is empty")
            with plain(source, self.file) as file:
                yield file


@dataclass(frozen=True)
class Found:
    """files: of a table, in order; left_out: what lies beside them and is none, each with the reason.

    empty: the folders that have no table in them or below.
    """

    files: list[TableFile]
    left_out: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    @property
    def remarks(self) -> list[str]:
        """One line for people that names what was left out; none where nothing was."""
        return [f"left out: {listed(self.left_out, 10)}"] if self.left_out else []


def is_many(location: str) -> bool:
    """Whether it is a folder, a glob, or an S3 prefix, and not one file."""
    if scheme_of(location) == "s3":
        return location.endswith("/") or "*" in location or not is_table_name(location)
    if scheme_of(location) or not location:
        return False
    return Path(location).expanduser().is_dir() or _is_glob(location)


def table_files(location: str) -> Found:
    """The files of the table at `location`: a file, a folder with all below it, a glob, or an S3 prefix or glob.

    They stand in the order of their names, character by character ("10" before "2"), folder by folder. Of a folder,
    what begins with "." or "_" is no data; what else is no table is told in `left_out`.
    Raises InputError where there is none.
    """
    name, scheme = one_line(public_name(location), 200), scheme_of(location)
    if scheme not in ("", "s3"):
        raise InputError(f"{name}: only local paths and s3:// are read, not {scheme}://")
    if not is_many(location):
        if not is_table_name(location):
            raise InputError(f"{name}: {why_no_table(location)}")
        if not scheme:
            _require_file(location)
        return Found([TableFile(name, location, file_name(location))])
    found = _sorted_out(_in_s3(location) if scheme else _local(location))
    if not found.files:
        beside = f" ({found.remarks[0]})" if found.remarks else ""
        what = f"no table fits {name}" if "*" in name or (not scheme and _is_glob(location)) else f"{name} is empty"
        raise InputError(f"{what}: it has no {listed(FORMATS)}{beside}")
    return found


def is_table(dataset: str) -> bool:
    """Whether `dataset` names a table and not a built-in source: by an ending, a folder, a scheme or a wildcard.

    >>> is_table("news.csv"), is_table("data/news"), is_table("news-*"), is_table("ag_news")
    (True, True, True, False)
    """
    return is_table_name(dataset) or "/" in dataset or os.sep in dataset or is_many(dataset)


def _sorted_out(paths: Iterable[tuple[str, str]]) -> Found:
    """Of (path below the folder, location) of all there is, the tables in their order and the rest.

    The path of a folder ends in "/"; its location is the reason why it cannot be opened, if it cannot.
    """
    found, seen, filled = Found([]), set[str](), set[str]()
    for name, location in sorted(paths, key=lambda path: path[0].split("/")):
        *folders, file = name.split("/")
        if any(folder.startswith(HIDDEN) for folder in folders):
            if DELTA_LOG in folders:
                raise InputError(
                    f"{name} belongs to a Delta table, whose files are not all of it: write it out as Parquet first"
                )
            continue
        above = {"/".join(folders[:depth]) for depth in range(1, len(folders) + 1)}
        seen |= above
        if file.startswith(HIDDEN) and is_table_name(file):
            found.left_out.append(f'{name} (its name begins with "{file[0]}")')
        elif not file and location:
            found.left_out.append(f"{name} ({location})")
        elif file and not file.startswith(HIDDEN) and not is_table_name(file):
            found.left_out.append(f"{name} ({why_no_table(file).partition(';')[0]})")
        elif file and not file.startswith(HIDDEN):
            found.files.append(TableFile(quoted(name, 200), location, file, _partition(folders)))
            filled |= above
    found.empty.extend(sorted(seen - filled))
    return found


def _partition(folders: Iterable[str]) -> dict[str, str | None]:
    pairs = (folder.partition("=") for folder in folders if "=" in folder)
    return {unquote(key).strip(): None if value == NO_PARTITION else unquote(value) for key, _, value in pairs}


def _local(location: str) -> Iterator[tuple[str, str]]:
    root = Path(location).expanduser()
    if root.is_dir():
        yield from _below(root, "", frozenset())
        return
    before = str(root)[: next(place for place, letter in enumerate(str(root)) if letter in WILDCARDS)]
    base = Path(before.rpartition("/")[0] or root.anchor)
    found = dict[str, str]()
    for match in base.glob(str(root.relative_to(base))):
        name = match.relative_to(base).as_posix()
        found |= dict(_below(match, f"{name}/", frozenset())) if match.is_dir() else {name: str(match)}
    yield from found.items()


def _below(folder: Path, name: str, above: frozenset[str]) -> Iterator[tuple[str, str]]:
    """All files and folders below a folder; a link to a folder above it is not followed."""
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        yield name, f"cannot be opened: {error.strerror}"
        return
    above |= {os.path.realpath(folder)}
    for entry in entries:
        if not Path(entry.path).is_dir():  # entry.is_dir() raises for a link to itself
            yield f"{name}{entry.name}", entry.path
            continue
        yield f"{name}{entry.name}/", ""
        if os.path.realpath(entry.path) not in above and (not entry.name.startswith(HIDDEN) or entry.name == DELTA_LOG):
            yield from _below(Path(entry.path), f"{name}{entry.name}/", above)


def _in_s3(location: str) -> Iterator[tuple[str, str]]:
    path = location.removeprefix("s3://")
    folder = f"{path.partition('*')[0].rpartition('/')[0] if '*' in path else path.rstrip('/')}/"
    pattern = _pattern(path[len(folder) :]) if "*" in path else None
    for uri in list_prefix(f"s3://{folder}"):
        name = uri.removeprefix(f"s3://{folder}")
        if name and (pattern is None or pattern.match(name)):
            yield name, "" if name.endswith("/") else uri


def _pattern(wildcards: str) -> re.Pattern[str]:
    """Of paths that a glob fits, and of what lies below them: "*" is anything within a name, "**" folders as well.

    >>> pattern = _pattern("2026-*.csv")
    >>> [bool(pattern.match(path)) for path in ("2026-01.csv", "2026-01.csv/part-0.csv", "2025/2026-01.csv")]
    [True, True, False]
    """
    within = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", wildcards)
    return re.compile("".join(within.get(part) or re.escape(part) for part in parts) + "(?:/|$)", re.DOTALL)


def _is_glob(location: str) -> bool:
    return any(letter in location for letter in WILDCARDS) and not os.path.lexists(Path(location).expanduser())


@contextlib.contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"cannot read {name}: it was removed, or is a link to nothing") from None
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read {name} ({one_line(reason)})") from None


def _require_file(location: str) -> None:
    """Raises InputError, with the nearest name, where no such file is."""
    path = Path(location).expanduser()
    if "\0" in location:
        raise InputError(f"cannot read {quoted(location)}: no name of a file has a null character")
    if not os.path.lexists(path):
        raise InputError(f"no such file: {one_line(location)}{_nearest(path)}")


def _nearest(path: Path) -> str:
    for folder in path.parents:
        if folder.is_dir():
            if folder != path.parent:
                return f"; the folder {folder} is there, {path.parent} is not"
            return did_you_mean(
                path.name, sorted(entry.name for entry in folder.iterdir() if is_table_name(entry.name))
            )
    return ""
