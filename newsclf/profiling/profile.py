"""A whylogs profile of a table of text: what its columns hold, small, mergeable, and without any text."""

from __future__ import annotations

import hashlib
import io
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from newsclf.errors import InputError, disk_full
from newsclf.files import in_one_step
from newsclf.untrusted import MAX_PROFILE_BYTES, check_regular

# Read when whylogs is imported: by default it tells stats.whylogs.com of every import, and its WhyLabs writer asks a
# bucket of that firm how to write.
os.environ["WHYLOGS_NO_ANALYTICS"] = "true"
os.environ["_WHYLABS_SKIP_CONFIG_READ"] = "true"

from whylogs.core import ColumnProfileView, DatasetProfileView
from whylogs.core.metrics import MetricConfig, StandardMetric
from whylogs.core.metrics.metrics import Metric
from whylogs.core.preprocessing import NumpyView, PandasView, PreprocessedColumn
from whylogs.core.proto import DatasetProfileHeader, DatasetSegmentHeader

# What whylogs has to say of a file that it cannot read, our error says.
logging.getLogger("whylogs").addHandler(logging.NullHandler())

FORMAT = "1"
FORMAT_KEY, REFERENCE_KEY, ENCODER_KEY = "newsclf.format", "newsclf.reference", "newsclf.encoder_sha256"
MAGIC = b"WHY1"

TEXT = "text"  # the column whose values are told apart, but not kept
# Names are the metrics' own in whylogs; its counts and types are what every reader of profiles expects.
NUMBERS = ("counts", "types", "distribution")
LABELS = ("counts", "types", "cardinality", "frequent_items")
IDENTITIES = ("counts", "types", "cardinality")
# A HyperLogLog of 2^18 registers: exact up to about 24,000 texts, within 0.2 % (one standard error) above, 128 KiB.
# whylogs' own 2^12 would be off by 1.6 %, and so would the share of duplicates.
TEXT_CONFIG = MetricConfig(hll_lg_k=18)


class TextProfile:
    """Counts, distributions (KLL), frequent labels and distinct texts of the frames that were logged.

    reference: the id of the reference whose map the columns come from; "" without one. Profiles of different
        references hold different things under the same names, and do not merge.
    encoder_sha256: the encoder behind the columns; "" without one.
    timestamp: the date of the data (with a time zone); now, if not given. A merged profile has the earliest one.

    The file is whylogs' own: `whylogs.core.DatasetProfileView.read` reads it and merges it with any other.
    KLL: Karnin, Lang and Liberty, "Optimal Quantile Approximation in Streams" (FOCS 2016).
    """

    def __init__(self, reference: str = "", encoder_sha256: str = "", timestamp: datetime | None = None) -> None:
        now = datetime.now(UTC)
        metadata = {FORMAT_KEY: FORMAT, REFERENCE_KEY: reference, ENCODER_KEY: encoder_sha256}
        self._columns: dict[str, dict[str, Metric]] = {}
        self._metadata = metadata
        self._timestamps = {"dataset_timestamp": timestamp or now, "creation_timestamp": now}

    @property
    def reference(self) -> str:
        return self._metadata[REFERENCE_KEY]

    @property
    def encoder_sha256(self) -> str:
        return self._metadata[ENCODER_KEY]

    @property
    def timestamp(self) -> datetime:
        return self._timestamps["dataset_timestamp"]

    @property
    def columns(self) -> Mapping[str, Mapping[str, Metric]]:
        """whylogs' metrics by column and by their own names ("counts", "distribution", ...)."""
        return self._columns

    @property
    def rows(self) -> int:
        """Rows logged: those of the column with the most."""
        return max((metrics["counts"].n.value for metrics in self._columns.values() if "counts" in metrics), default=0)

    @property
    def view(self) -> DatasetProfileView:
        """The profile for whylogs' own functions, as it is now."""
        return DatasetProfileView(
            columns={name: ColumnProfileView(metrics) for name, metrics in self._columns.items()},
            metadata=dict(self._metadata),
            **self._timestamps,
        )

    def log(self, frame: pd.DataFrame) -> None:
        """Add the rows of `frame`, any number of them.

        Numeric columns: their distribution; NaN is null, infinite values are counted and left out of it.
        Columns of strings (labels): distinct and frequent values, exact up to 768 different ones; None is null.
        The column `text`: distinct texts, by a hash of 64 bits; None, NaN and blank texts are null.
        Columns of dates are left out: the profile has its timestamp.
        """
        for name in frame.columns:
            values = frame[name]
            if pd.api.types.is_datetime64_any_dtype(values.dtype):
                continue
            if name == TEXT:
                metrics, seen = self._metrics(name, IDENTITIES, TEXT_CONFIG), _identities(values)
            elif pd.api.types.is_numeric_dtype(values.dtype):
                metrics, seen = self._metrics(name, NUMBERS), _numbers(values)
            else:
                metrics, seen = self._metrics(name, LABELS), _labels(values)
            for metric in metrics.values():
                metric.columnar_update(seen)

    def merge(self, other: TextProfile) -> TextProfile:
        """The profile of all rows of both, which stay as they are.

        Raises InputError where they come from different references or encoders.
        """
        for key, what in ((REFERENCE_KEY, "references"), (ENCODER_KEY, "encoders")):
            mine, its = self._metadata[key], other._metadata[key]
            if mine != its:
                raise InputError(
                    f'profiles of different {what} do not merge ("{mine or "none"}" and "{its or "none"}"); '
                    "profile both with the same reference"
                )
        # Through bytes, as a column that only one of them has would be shared.
        return self._of(DatasetProfileView.deserialize(self.view.merge(other.view).serialize()))

    def to_bytes(self) -> bytes:
        return self.view.serialize()

    @classmethod
    def from_bytes(cls, data: bytes, name: str) -> TextProfile:
        """The profile in `data`, the content of a file. Raises InputError that says `name`."""
        if not data.startswith(MAGIC):
            raise InputError(f"{name} is {'no whylogs profile' if data else 'empty'}; give a profile.bin of newsclf")
        try:
            whole = _is_whole(data)
            view = DatasetProfileView.deserialize(data) if whole else None
        except Exception:  # whatever protobuf and the sketches raise over broken bytes
            view = None
        if view is None:
            raise InputError(f"{name} is truncated or damaged; write the profile again")
        found = view.metadata.get(FORMAT_KEY)
        if found != FORMAT:
            raise InputError(
                f"{name} is a profile of format {found}, this version of newsclf reads {FORMAT}; profile the data again"
                if found
                else f"{name} is a whylogs profile, but none of newsclf; profile the data with `-e profile`"
            )
        return cls._of(view)

    def write(self, path: str | Path) -> Path:
        """Write the file, its folder if need be, in one step: a file that is there is whole. Returns its path.

        Raises InputError where it cannot be written, OSError for a full disk.
        """
        path = Path(path)
        data = self.to_bytes()
        try:
            with in_one_step(path) as unfinished:
                unfinished.write_bytes(data)
        except OSError as error:
            if disk_full(error):
                raise
            raise InputError(f"the profile {path} cannot be written ({error.strerror}); give another path") from None
        return path

    @classmethod
    def read(cls, path: str | Path) -> TextProfile:
        """The profile in a file.

        Raises InputError for a file that cannot be read, is empty, truncated, no profile, or of another format.
        """
        try:
            data = check_regular(Path(path), MAX_PROFILE_BYTES).read_bytes()
        except (OSError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) else error
            raise InputError(f"cannot read the profile {path} ({said}); give the path of a file") from None
        return cls.from_bytes(data, str(path))

    @classmethod
    def _of(cls, view: DatasetProfileView) -> TextProfile:
        profile = cls()
        profile._metadata.update(view.metadata)
        for key in profile._timestamps:
            profile._timestamps[key] = getattr(view, key)
        profile._columns = {
            name: {metric.namespace: metric for metric in column.get_metrics()}
            for name, column in view.get_columns().items()
        }
        return profile

    def _metrics(self, name: str, wanted: tuple[str, ...], config: MetricConfig | None = None) -> dict[str, Metric]:
        if name not in self._columns:
            self._columns[name] = {metric: StandardMetric[metric].zero(config) for metric in wanted}
        return self._columns[name]


# whylogs takes a column apart value by value, in Python. These do it in numpy, and leave the counting to its metrics.


def _numbers(values: pd.Series) -> PreprocessedColumn:
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    seen = _seen(values)
    seen.nan_count = seen.null_count = int(np.isnan(numbers).sum())
    seen.inf_count = int(np.isinf(numbers).sum())
    seen.numpy = NumpyView(floats=numbers[np.isfinite(numbers)])
    return seen


def _labels(values: pd.Series) -> PreprocessedColumn:
    present = values[values.notna()]
    seen = _seen(values)
    seen.null_count = len(values) - len(present)
    # A lone surrogate has no bytes that a sketch could keep.
    names = [name if name.isascii() else name.encode("utf-8", "replace").decode("utf-8") for name in present]
    seen.pandas = PandasView(strings=pd.Series(names, dtype=object))
    return seen


def _identities(values: pd.Series) -> PreprocessedColumn:
    # BLAKE2 is the same in every version of every library: profiles of different years still merge.
    digests = [
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for text in values
        if isinstance(text, str) and text and not text.isspace()
    ]
    seen = _seen(values)
    seen.null_count = len(values) - len(digests)
    seen.numpy = NumpyView(ints=np.frombuffer(b"".join(digests), np.int64))
    return seen


def _seen(values: pd.Series) -> PreprocessedColumn:
    seen = PreprocessedColumn()
    seen.len = len(values)
    return seen


def _is_whole(data: bytes) -> bool:
    """Whether the file ends where its header says. Of a cut one, whylogs gives what is left, without a word."""
    stream = io.BytesIO(data)
    stream.seek(len(MAGIC))
    for message in (DatasetSegmentHeader(), DatasetProfileHeader()):
        size = _varint(stream)
        content = stream.read(size)
        if len(content) != size:
            return False
        message.ParseFromString(content)
    length: int = message.length
    return stream.tell() + length == len(data)


def _varint(stream: io.BytesIO) -> int:
    """A whole number as protobuf writes it: 7 bits a byte, the lowest first, the eighth says that more follow."""
    value = shift = 0
    while True:
        byte = stream.read(1)[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7
