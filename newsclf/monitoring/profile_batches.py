"""A folder of profiles, as a served model writes them, cut into batches by hour, day or week. No text is needed."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path

from newsclf.data.tables.s3 import list_objects, read_object
from newsclf.errors import InputError
from newsclf.monitoring.periods import LENGTHS, begin_of, name_of_period
from newsclf.profiling.profile import TextProfile

ENDING = ".bin"


@dataclass(frozen=True)
class ProfileBatch:
    """The profile of all rows of one period.

    name: "2026-01-31T15", "2026-01-31" or "2026-W05"; date: its begin, UTC; content: SHA-256 (hex) of its files.
    """

    name: str
    date: datetime
    profile: TextProfile
    content: str


def of_profiles(stream: str) -> bool:
    """Whether `stream` is a folder, or an S3 prefix that ends in "/", with profiles in it."""
    if stream.startswith("s3://"):
        return stream.endswith("/") and bool(_files(stream))
    folder = Path(stream).expanduser()
    return folder.is_dir() and bool(_files(stream))


def profile_batches(
    stream: str, reference: str, by: str = "auto", now: datetime | None = None
) -> Iterator[ProfileBatch]:
    """The periods that are over, in their order, each with the profiles of all processes merged.

    by: "hour", "day", "week" (ISO weeks; all by UTC) or "auto" for hours. reference: the id of the reference; profiles
    of another one (of a model that was served before) are left out. now: the time; a span that has not ended is left
    for a later call. Raises InputError for a file that is no profile, where none is of this reference, and
    where the first span is not over.
    """
    by = "hour" if by == "auto" else by
    if by not in LENGTHS:
        raise InputError(f"option batch is {by}: a stream of profiles is cut by {', '.join(LENGTHS)}")
    periods: dict[datetime, list[tuple[bytes, TextProfile]]] = {}
    others = 0
    for name in _files(stream):
        data = read_object(name) if "://" in name else Path(name).read_bytes()
        profile = TextProfile.from_bytes(data, name)
        if profile.reference != reference:
            others += 1
            continue
        periods.setdefault(begin_of(profile.timestamp, by), []).append((data, profile))
    if others:
        print(f"{others:,} profiles are of another reference (another model) and are left out", flush=True)
    if not periods:
        raise InputError(
            f"no profile in {stream} is of this reference: give the run or model that was served when they were written"
        )
    if (end := min(periods) + LENGTHS[by]) > (now or datetime.now(UTC)):
        raise InputError(f"the first {by} of {stream} is not over: call again after {end:%Y-%m-%d %H:%M} UTC")
    for begin in sorted(periods):
        if begin + LENGTHS[by] <= (now or datetime.now(UTC)):
            parts = periods[begin]
            content = hashlib.sha256(b"".join(sorted(hashlib.sha256(data).digest() for data, _ in parts))).hexdigest()
            yield ProfileBatch(
                name_of_period(begin, by), begin, reduce(TextProfile.merge, (one for _, one in parts)), content
            )


def _files(stream: str) -> list[str]:
    if stream.startswith("s3://"):
        return [uri for uri in list_objects(stream) if uri.endswith(ENDING)]
    found = Path(stream).expanduser().iterdir()
    return sorted(str(path) for path in found if path.suffix == ENDING and path.name[0] != "." and path.is_file())
