"""Where a table lies: a local file or an object in an S3 store, by its path or URI."""

import io
import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from newsclf.data.tables.formats import FORMATS
from newsclf.data.tables.s3 import read_object
from newsclf.errors import InputError
from newsclf.messages import did_you_mean, one_line


def is_table(dataset: str) -> bool:
    """Whether `dataset` names a table and not a built-in source: it has an ending, a folder or a scheme.

    >>> is_table("news.csv"), is_table("data/news"), is_table("ag_news")
    (True, True, False)
    """
    return suffix_of(dataset) in FORMATS or "://" in dataset or "/" in dataset or os.sep in dataset


def opener(location: str) -> Callable[[], BinaryIO]:
    """What opens the table at its beginning, as often as it is called; an S3 object is read once, into memory.

    Raises InputError where there is none, or nothing in it.
    """
    scheme = location.partition("://")[0] if "://" in location else ""
    if scheme == "s3":
        data = read_object(location)
        return lambda: io.BytesIO(data)
    if scheme:
        raise InputError(f"{one_line(public_name(location))}: only local paths and s3:// are read, not {scheme}://")
    path = Path(location).expanduser()
    try:
        with path.open("rb") as file:
            is_empty = not file.read(1)
    except FileNotFoundError:
        raise InputError(f"no such file: {one_line(location)}{_nearest(path)}") from None
    except IsADirectoryError:
        raise InputError(f"{one_line(location)} is a folder; name a file in it") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise InputError(f"cannot read {one_line(location)} ({one_line(error)})") from None
    if is_empty:
        raise InputError(f"{one_line(location)} is empty")
    return lambda: path.open("rb")


def public_name(location: str) -> str:
    """`location` without what may be secret in a URI: user, password and query.

    >>> public_name("s3://key:secret@bucket/a/b.csv?X-Signature=secret")
    's3://bucket/a/b.csv'
    """
    scheme, mark, rest = location.partition("://")
    if not mark:
        return location
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


def suffix_of(location: str) -> str:
    """The ending of the table's name, in small letters.

    >>> suffix_of("s3://bucket/News.CSV?versionId=1")
    '.csv'
    """
    return PurePosixPath(public_name(location).replace(os.sep, "/")).suffix.lower()


def _nearest(path: Path) -> str:
    for folder in path.parents:
        if folder.is_dir():
            if folder != path.parent:
                return f"; the folder {folder} is there, {path.parent} is not"
            names = sorted(entry.name for entry in folder.iterdir() if entry.suffix.lower() in FORMATS)
            return did_you_mean(path.name, names)
    return ""
