import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsclf.errors import InputError
from newsclf.monitoring.batches import Batch
from newsclf.monitoring.state import (
    Record,
    State,
    by_date,
    key_of,
    newest,
    read_records,
    repeated_by,
    scope_of,
    write_records,
)


def record(number: int, name: str = "", date: str | None = None) -> Record:
    return Record(
        number=number,
        name=name or f"batch {number}",
        key=key_of(str(number), "scope"),
        date=date,
        time=date or "2026-01-05T00:00:00+00:00",
        rows=100,
        numbers={"rows": 100.0, "drifted": 0.0},
        verdict={"drifted": False, "kind": None, "kinds": {}},
    )


def test_what_is_kept_comes_back_in_the_order_of_judging(tmp_path):
    state, scope = State(tmp_path), scope_of("reference", {"alpha": "0.05"})
    assert (state.records(scope), state.header) == ([], {})
    records = [record(number) for number in (1, 2, 3)]
    for one in reversed(records):
        state.keep(scope, one)
    again = State(tmp_path)
    assert again.records(scope) == records
    assert [path.name for path in (tmp_path / "state").rglob("*") if path.name.startswith(".")] == []


def test_another_reference_or_setting_starts_afresh(tmp_path):
    state, scope = State(tmp_path), scope_of("reference", {"alpha": "0.05"})
    state.keep(scope, record(1))
    for other in (scope_of("other", {"alpha": "0.05"}), scope_of("reference", {"alpha": "0.01"})):
        assert state.records(other) == []
        assert key_of("content", other) != key_of("content", scope)


def batch(name: str, *texts: str, times: list[datetime | None] | None = None) -> Batch:
    return Batch(name, None, list(texts), None, times)


def judged(number: int, one: Batch) -> Record:
    known = record(number, one.name)
    return dataclasses.replace(known, key=key_of(one.content, "scope"), rows_digest=one.rows_digest)


def test_batches_of_one_content_are_as_many_as_their_names(tmp_path):
    state = State(tmp_path)
    days = [judged(number, batch(f"day {number}", "x", "y")) for number in (1, 2, 3)]
    assert len({one.key for one in days}) == 1
    for one in days:
        state.keep("s", one)
    assert State(tmp_path).records("s") == days
    assert len({one.identity for one in days}) == 3


def test_a_batch_repeats_the_last_that_has_its_rows():
    days = [judged(1, batch("day 1", "x", "y")), judged(2, batch("day 2", "x", "y")), judged(3, batch("day 3", "z"))]

    def repeated(one: Batch) -> str | None:
        found = repeated_by(one, key_of(one.content, "scope"), days)
        return found.name if found else None

    assert repeated(batch("day 4", "y", "x")) == "day 2", "in any order"
    assert repeated(batch("day 2", "x", "y")) == "day 1", "a batch that comes again repeats others, not itself"
    now = datetime(2026, 1, 4, tzinfo=UTC)
    assert repeated(batch("day 4", "x", "y", times=[now, now])) == "day 2", "with new dates"
    assert repeated(batch("day 4", "x", "y", "new")) is None
    assert repeated(batch("day 4")) is None, "nothing repeats nothing"


def test_what_an_earlier_version_kept_is_known_and_repeated(tmp_path):
    """Its files are called by the key and have no digest of rows."""
    old = judged(1, batch("day 1", "x", "y"))
    values = {name: value for name, value in dataclasses.asdict(old).items() if name != "rows_digest"}
    (tmp_path / "state" / "s").mkdir(parents=True)
    (tmp_path / "state" / "s" / f"{old.key}.json").write_text(json.dumps(values))
    (known,) = State(tmp_path).records("s")
    assert known == dataclasses.replace(old, rows_digest="")
    assert known.identity == ("day 1", key_of(batch("day 1", "x", "y").content, "scope"))
    again = batch("day 2", "x", "y")
    assert repeated_by(again, key_of(again.content, "scope"), [known]) == known
    other = batch("day 2", "x", "z")
    assert repeated_by(other, key_of(other.content, "scope"), [known]) is None


def test_a_batch_that_grew_replaces_the_one_of_its_name(tmp_path):
    state = State(tmp_path)
    for one in (record(1, "Monday"), record(2, "Tuesday"), record(3, "Monday")):
        state.keep("s", one)
    judged = state.records("s")
    assert [one.number for one in judged] == [1, 2, 3], "what it was before is not judged again either"
    assert [(one.number, one.name) for one in newest(judged)] == [(2, "Tuesday"), (3, "Monday")]
    assert newest([]) == []


def test_the_header_is_added_to(tmp_path):
    State(tmp_path).keep_header(stream="s", run_id="1")
    State(tmp_path).keep_header(run_id="2")
    assert State(tmp_path).header == {"stream": "s", "run_id": "2"}


def test_late_batches_have_their_place_by_date():
    records = [record(1, date="2026-01-02T00:00:00+00:00"), record(2, date="2026-01-01T23:00:00-05:00"), record(3)]
    early = record(4, date="2026-01-01T00:00:00+00:00")
    assert [one.number for one in by_date([*records, early])] == [4, 1, 2, 3]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"number": 1}'])
def test_a_broken_file_is_named(tmp_path, content):
    state = State(tmp_path)
    state.keep("s", record(1))
    (path,) = (tmp_path / "state" / "s").iterdir()
    path.write_text(content)
    with pytest.raises(InputError) as error:
        state.records("s")
    assert str(path) in str(error.value)
    assert "delete it" in str(error.value)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "state").touch()
    with pytest.raises(InputError, match="cannot be written .*: give another output_dir"):
        State(tmp_path).keep_header(stream="s")


def test_dates_are_times():
    assert record(1).when is None
    assert dataclasses.replace(record(1), date="2026-01-01T00:00:00+00:00").when is not None


def test_a_file_is_read_once(tmp_path, monkeypatch):
    state = State(tmp_path)
    state.keep_header(stream="s")
    for number in (1, 2, 3):
        state.keep("s", record(number))
    read = []

    def counted(path: Path, encoding: str) -> str:
        read.append(path.name)
        return path.read_bytes().decode(encoding)

    monkeypatch.setattr(Path, "read_text", counted)
    again = State(tmp_path)
    assert len(again.records("s")) == 3
    assert len(read) == 3
    for _ in range(3):
        again.keep_header(told={"console": {"m": again.header["stream"]}})
    assert read.count("monitor.json") == 1


def test_the_records_of_a_stream_are_handed_on_whole(tmp_path):
    records = [record(2, date="2026-01-02T00:00:00+00:00"), record(1)]
    write_records(tmp_path / "records.json", records, "scope")
    assert read_records(tmp_path / "records.json") == (records, "scope")
