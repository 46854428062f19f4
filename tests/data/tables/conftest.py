"""What the tests of formats share."""

import io
from collections.abc import Callable

import pandas as pd
import pytest

from newsclf.data.tables.formats import format_of
from newsclf.data.tables.rows import require_columns, strictly

COLUMNS = ("text", "label")


@pytest.fixture
def read_rows() -> Callable[[str | bytes, str], pd.DataFrame]:
    """The columns of a file that is read strictly, with the values that are in the file; the index says where."""

    def read(content: str | bytes, name: str) -> pd.DataFrame:
        data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        file = io.BytesIO(data)
        kind = format_of(file, name, name)
        require_columns(kind.columns(file, name, COLUMNS), COLUMNS, name)
        file.seek(0)
        rows = dict(strictly(kind.rows(file, name, COLUMNS), name))
        return pd.DataFrame(list(rows.values()), columns=list(COLUMNS), index=list(rows), dtype=object)

    return read
