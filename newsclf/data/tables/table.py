"""A table of the user's own as labelled rows to learn from, read strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from newsclf.data.dataset import RawData
from newsclf.data.tables.location import public_name
from newsclf.data.tables.row_stream import open_table

if TYPE_CHECKING:
    from newsclf.config import DataOptions


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
    columns = {"text": text_column, "label": label_column} | ({"weight": weight_column} if weight_column else {})
    rows = open_table(location, columns, strict=True).read()
    return rows.assign(text=rows["text"].fillna(""))
