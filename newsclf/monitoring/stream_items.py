"""What lies in a stream: the files and folders that are a batch each."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from newsclf.data.tables.formats import FORMATS, is_table_name
from newsclf.data.tables.location import file_name, public_name
from newsclf.data.tables.table_files import Found, TableFile, is_many, table_files
from newsclf.errors import InputError
from newsclf.messages import listed, one_line, quoted

DATE = re.compile(r"(?<!\d)(\d{4})([-_./]?)(\d{2})\2(\d{2})(?!\d)")
HIVE_KEY = re.compile(r"\b(?:year|month|day)=(\d+)", re.IGNORECASE)  # year=2026/month=1/day=31
# What simulate writes beside its batches: the truth about them, and the rows that are normal.
NO_BATCHES = ("truth.json", "reference/")


@dataclass(frozen=True)
class Item:
    """What becomes a batch where batches are files.

    name: of its file, or of its folder and that folder's path; source: what messages call it.
    files: its tables; one_file: whether it is a file and not a folder.
    """

    name: str
    source: str
    files: Found
    one_file: bool

    @property
    def date(self) -> datetime | None:
        return date_in(self.name)


def items_of(stream: str) -> tuple[list[Item], list[str]]:
    """(the items of a stream in the order of their names, a line for people for each kind of what is left out).

    Of a folder, a glob or an S3 prefix, each table is an item. So is a folder as a whole that is a table of many files
    or stands for a time: one that is called like a table (news.csv/), has a date in its name, or is a partition
    (date=2026-01-02/, year=2026/month=01/day=02/) - with a date, even if no table is in it.
    Raises InputError where there is no table at all.
    """
    if not is_many(stream):
        if not is_table_name(stream):
            raise InputError(f"stream {one_line(stream)} is no folder that is there, and no table ({listed(FORMATS)})")
        found = table_files(stream)
        return [Item(file_name(stream), public_name(stream), found, True)], []
    found = table_files(stream)
    files = [file for file in found.files if not file.name.startswith(NO_BATCHES)]
    apart = {file.name.partition("/")[0] for file in found.files} - {file.name.partition("/")[0] for file in files}
    left_out = [*found.left_out, *(f"{name} (of a simulated stream)" for name in sorted(apart))]
    items = []
    for name, group in groupby(files, key=_item_name):
        parts = list(group)
        alone = parts[0].name == name
        source = parts[0].location if alone else name
        items.append(Item(name, quoted(public_name(source), 200), Found(parts), alone))
    for folder in found.empty:
        if date_in(folder) and not any(folder.startswith(f"{item.name}/") for item in items):
            items.append(Item(quoted(folder, 200), quoted(folder, 200), Found([]), False))
        elif not folder.startswith(NO_BATCHES):
            left_out.append(f"{folder}/ (no table in it)")
    if not items:
        raise InputError(f"the stream {public_name(stream)} has no table but those of a simulated stream's reference")
    items.sort(key=lambda item: item.name.split("/"))
    return items, Found([], left_out).remarks


def date_in(name: str) -> datetime | None:
    """The last date (UTC) in a path's parts, of the file's own name before the folders', None without one.

    >>> for name in ("2026-01-02.csv", "date=2026-01-02", "year=2026/month=1/day=2", "2026/01/02/news.csv", "id_12"):
    ...     print(date_in(name))
    2026-01-02 00:00:00+00:00
    2026-01-02 00:00:00+00:00
    2026-01-02 00:00:00+00:00
    2026-01-02 00:00:00+00:00
    None
    """
    plain = HIVE_KEY.sub(lambda found: found[1].zfill(2), name)
    own = plain.rpartition("/")[2]
    for match in [*reversed(list(DATE.finditer(own))), *reversed(list(DATE.finditer(plain)))]:
        try:
            return datetime(int(match[1]), int(match[3]), int(match[4]), tzinfo=UTC)
        except ValueError:
            continue
    return None


def _item_name(file: TableFile) -> str:
    """The folder that is a batch with this file in it, else the file itself."""
    folders = file.name.split("/")[:-1]
    for depth, folder in enumerate(folders, start=1):
        path = "/".join(folders[:depth])
        partition = "=" in folder
        dated = date_in(path) is not None and (partition or date_in(file.file) is None)
        if is_table_name(folder) or dated or (partition and depth == len(folders)):
            return path
    return file.name
