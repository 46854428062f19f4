"""What a monitor has judged already: one small file a batch, so that it can be stopped and taken up at any point."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from newsclf.errors import InputError
from newsclf.files import write_json
from newsclf.messages import one_line
from newsclf.monitoring.batches import Batch
from newsclf.monitoring.profile_batches import ProfileBatch

FORMAT = 1


@dataclass(frozen=True)
class Record:
    """A judged batch.

    number: its place in the order of judging, from 1. key: what it is judged by (see `key_of`); with its name it tells
    it from all others. rows_digest: of its texts and labels, see Batch; empty of earlier versions, and without rows.
    date: ISO 8601, or None; time: of the batch, or of its judging where it has no date, ISO 8601.
    numbers: everything that can be watched, by name; verdict: `Verdict.as_dict()`.
    """

    number: int
    name: str
    key: str
    date: str | None
    time: str
    rows: int
    numbers: Mapping[str, float]
    verdict: Mapping[str, Any]
    rows_digest: str = ""

    @property
    def identity(self) -> tuple[str, str]:
        return self.name, self.key

    @property
    def when(self) -> datetime | None:
        return datetime.fromisoformat(self.date) if self.date else None


def scope_of(reference: str, settings: Mapping[str, str]) -> str:
    """SHA-256 (hex) of all that a judgement depends on but the batch: the reference's id and the settings."""
    return hashlib.sha256(json.dumps([FORMAT, reference, dict(settings)], sort_keys=True).encode()).hexdigest()


def key_of(content: str, scope: str) -> str:
    return hashlib.sha256(f"{content} {scope}".encode()).hexdigest()


class State:
    """The files of one output folder: one in `state/<scope>/` for each batch, `state/monitor.json` for the rest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "state"

    @cached_property
    def header(self) -> dict[str, Any]:
        """What was kept by `keep_header`, {} in a new folder."""
        path = self.folder / "monitor.json"
        return _read(path) if path.exists() else {}

    def keep_header(self, **values: Any) -> None:
        """Add or replace values: of the stream, the run, the options, what people have been told."""
        self.header.update(values)
        write_json(self.folder / "monitor.json", self.header)

    def records(self, scope: str) -> list[Record]:
        """Every batch that was ever judged in this scope, in the order of judging; see `newest`.

        Raises InputError for a file that cannot be read.
        """
        found = [_record(path, _read(path)) for path in (self.folder / scope[:16]).glob("*.json")]
        return sorted(found, key=lambda record: record.number)

    def keep(self, scope: str, record: Record) -> None:
        """Keep a batch, so that it is not judged again."""
        name = hashlib.sha256("\0".join(record.identity).encode("utf-8", "surrogatepass")).hexdigest()
        write_json(self.folder / scope[:16] / f"{name}.json", asdict(record))


def repeated_by(batch: Batch | ProfileBatch, key: str, records: Iterable[Record]) -> Record | None:
    """The last of the records whose texts and labels are those of this batch of another name; None if they are new."""
    if isinstance(batch, ProfileBatch) or not (digest := batch.rows_digest):
        return None
    same = [one for one in records if one.name != batch.name and (one.rows_digest or digest) == digest]
    return next((one for one in reversed(same) if one.rows_digest or one.key == key), None)


def newest(records: Sequence[Record]) -> list[Record]:
    """The records without those that a later one of the same name replaces, as a day that has got more rows since."""
    last = {record.name: record.number for record in records}
    return [record for record in records if last[record.name] == record.number]


def by_date(records: Sequence[Record]) -> list[Record]:
    """The records in the order of their dates; those without one where they were judged."""
    return sorted(records, key=lambda record: (datetime.fromisoformat(record.time), record.number))


def write_records(path: Path, records: Sequence[Record], scope: str) -> None:
    """The judged batches of a stream in one file, for who goes on with them. Raises InputError."""
    write_json(path, {"scope": scope, "records": [asdict(record) for record in records]})


def read_records(path: Path) -> tuple[list[Record], str]:
    """(the records that `write_records` wrote, their scope, by which `key_of` finds the record of a batch)."""
    content = _read(path)
    return [_record(path, values) for values in content["records"]], content["scope"]


def _record(path: Path, values: dict[str, Any]) -> Record:
    try:
        return Record(**values)
    except TypeError:
        raise InputError(f"{path} is none of this version's; delete it and its batch is judged again") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read ({one_line(error)}); delete it, and what it stands for is done again"
        ) from None
    if not isinstance(values, dict):
        raise InputError(f"{path} holds no JSON object; delete it, and what it stands for is done again")
    return values
