"""What tells a row apart once it has left its table: its id, else file and line, and what is kept with it."""

import pandas as pd

from newsclf.config.shared import IdentityOptions
from newsclf.errors import InputError
from newsclf.messages import one_line

ROW_ID = "row_id"
ID, KEPT = "id", "kept "  # of the columns of a frame of rows; the second before the name in the table
# Columns that the tables of results have of their own.
TAKEN = (ROW_ID, "row", "text", "label", "predicted", "predicted_label", "confidence", "label_probability", "batch")


def identity_columns(options: object) -> dict[str, str]:
    """The columns of a table that are wanted for it, by their names in a frame of rows; none where no option asks.

    Raises InputError for a column that would stand for two things.
    """
    if not isinstance(options, IdentityOptions):
        return {}
    for place, name in enumerate(options.keep_columns):
        if name in options.keep_columns[:place]:
            raise InputError(f'option keep_columns names "{one_line(name)}" twice')
        if name in TAKEN or name.startswith("probability_"):
            raise InputError(f'option keep_columns: the results have a column "{one_line(name)}" already; rename it')
    wanted = {ID: options.id_column} if options.id_column else {}
    return wanted | {KEPT + name: name for name in options.keep_columns}


def identity_of(rows: pd.DataFrame) -> pd.DataFrame:
    """`row_id` and the kept columns of rows, text or None, with a RangeIndex.

    rows: with the columns of `identity_columns`, and `place` (file and line) or an index that tells the row.

    >>> rows = pd.DataFrame({"place": ["a.csv:2", "a.csv:3"], "id": ["x7", " "], "kept desk": ["city", "sport"]})
    >>> identity_of(rows).to_dict("list")
    {'row_id': ['x7', 'a.csv:3'], 'desk': ['city', 'sport']}
    """
    place = rows["place"] if "place" in rows else pd.Series(rows.index.astype(str), rows.index)
    names = rows[ID].where(rows[ID].fillna("").str.strip() != "", place) if ID in rows else place
    kept = {str(name).removeprefix(KEPT): rows[name].tolist() for name in rows if str(name).startswith(KEPT)}
    return pd.DataFrame({ROW_ID: names.tolist(), **kept}, dtype=object)
