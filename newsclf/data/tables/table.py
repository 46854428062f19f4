"""A table of the user's own: CSV, Parquet or JSON Lines, in a local file or in an S3 store."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pandas as pd

from newsclf.data.dataset import RawData
from newsclf.data.tables.formats import read_csv, read_jsonl, read_parquet
from newsclf.errors import InputError
from newsclf.messages import did_you_mean, one_line

if TYPE_CHECKING:
    from newsclf.config import DataOptions

MOST_WEIGHT = 1000
READERS = {".csv": read_csv, ".parquet": read_parquet, ".jsonl": read_jsonl}


def is_table(dataset: str) -> bool:
    """Whether `dataset` names a table and not a built-in source: it has an ending, a folder or a scheme."""
    return suffix_of(dataset) in READERS or "://" in dataset or "/" in dataset or os.sep in dataset


def read(options: DataOptions, weight_column: str = "") -> RawData:
    """The table `dataset`, and `test_dataset` as its test split where that is given."""
    test = options.test_dataset
    return RawData(
        source=public_name(options.dataset),
        train=read_table(options.dataset, options.text_column, options.label_column, weight_column),
        test=read_table(test, options.text_column, options.label_column) if test else None,
        tags={"test_source": public_name(test)} if test else {},
    )


def read_table(location: str, text_column: str, label_column: str, weight_column: str = "") -> pd.DataFrame:
    """The columns `text` (str), `label` (str or None) and, where it is asked for, `weight` (int) of one table."""
    name = one_line(public_name(location), 200)
    reader = READERS.get(suffix_of(location))
    if reader is None:
        raise InputError(f"{name}: unknown ending; a table ends in {', '.join(READERS)}")
    if text_column == label_column:
        raise InputError(f'text_column and label_column are both "{one_line(text_column)}"; name two columns')
    wanted = (text_column, label_column, weight_column) if weight_column else (text_column, label_column)
    rows = reader(read_bytes(location), wanted, name)
    places = [f"{name}, {rows.index.name} {place}" for place in rows.index]
    found = pd.DataFrame(
        {
            "text": [text_of(value, place) for value, place in zip(rows[text_column], places, strict=True)],
            "label": [label_of(value, place) for value, place in zip(rows[label_column], places, strict=True)],
        },
        index=rows.index,
        dtype=object,
    )
    if weight_column:
        weights = [weight_of(value, place) for value, place in zip(rows[weight_column], places, strict=True)]
        found["weight"] = pd.Series(weights, index=rows.index, dtype="int64")
    return found


def weight_of(value: object, place: str) -> int:
    """How often a row counts. Raises InputError for anything but a whole number from 1 to MOST_WEIGHT."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = 0.0
    if not (1 <= number <= MOST_WEIGHT and number.is_integer()):
        raise InputError(
            f"{place}: the weight is {one_line(repr(value), 40)}, not a whole number from 1 to {MOST_WEIGHT}"
        )
    return int(number)


def text_of(value: object, place: str) -> str:
    """A text; none is an empty one. Raises InputError for anything else but a string."""
    if value is None or value != value:  # NaN
        return ""
    if not isinstance(value, str):
        raise InputError(f"{place}: the text is {one_line(repr(value), 40)}, not a string")
    return value


def label_of(value: object, place: str) -> str | None:
    """A class name, None where it is missing.

    1.0 is "1", because a column of whole numbers with gaps is often written as floats.
    """
    if value is None or value != value:  # NaN
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, (str, int, float)):
        raise InputError(f"{place}: the label is {one_line(repr(value), 40)}, neither text nor a number")
    return str(value).strip() or None


def read_bytes(location: str) -> bytes:
    """The whole content of a local file or an S3 object. Raises InputError where there is none."""
    scheme = location.partition("://")[0] if "://" in location else ""
    if scheme == "s3":
        from newsclf.data.tables.s3 import read_object

        return read_object(location)
    if scheme:
        raise InputError(f"{one_line(public_name(location))}: only local paths and s3:// are read, not {scheme}://")
    path = Path(location).expanduser()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"no such file: {one_line(location)}{_nearest(path)}") from None
    except IsADirectoryError:
        raise InputError(f"{one_line(location)} is a folder; name a file in it") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise InputError(f"cannot read {one_line(location)} ({one_line(error)})") from None
    if not data.strip():
        raise InputError(f"{one_line(location)} is empty")
    return data


def public_name(location: str) -> str:
    """`location` without what may be secret in a URI: user, password and query."""
    scheme, mark, rest = location.partition("://")
    if not mark:
        return location
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


def suffix_of(location: str) -> str:
    return PurePosixPath(public_name(location).replace(os.sep, "/")).suffix.lower()


def _nearest(path: Path) -> str:
    for folder in path.parents:
        if folder.is_dir():
            if folder != path.parent:
                return f"; the folder {folder} is there, {path.parent} is not"
            names = sorted(entry.name for entry in folder.iterdir() if entry.suffix.lower() in READERS)
            return did_you_mean(path.name, names)
    return ""
