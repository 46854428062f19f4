"""Profiles of several processes, cut by time: merged, complete, and of one reference."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from newsclf.errors import InputError
from newsclf.monitoring.profile_batches import of_profiles, profile_batches
from newsclf.profiling.profile import TextProfile

NOW = datetime(2026, 3, 5, 12, 30, tzinfo=UTC)  # a Thursday


def write(folder: Path, moment: str, rows: int, process: int = 1, reference: str = "a reference") -> None:
    profile = TextProfile(reference, "encoder", datetime.fromisoformat(moment).replace(tzinfo=UTC))
    profile.log(pd.DataFrame({"characters": [float(row) for row in range(rows)]}))
    profile.write(folder / f"requests_{moment[:13]}_host-{process}-{reference[:3]}.bin")


def cut(folder: Path, by: str, now: datetime = NOW) -> dict[str, int]:
    return {batch.name: batch.profile.rows for batch in profile_batches(str(folder), "a reference", by, now)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "2026-03-05T11:00", 3)
    write(tmp_path, "2026-03-01T23:00", 5)
    write(tmp_path, "2026-03-05T11:00", 4, process=2)
    write(tmp_path, "2026-03-02T00:00", 6)
    write(tmp_path, "2026-03-05T12:00", 7)  # its hour is not over
    return tmp_path


@pytest.mark.parametrize("by", ["hour", "auto"])
def test_hours_that_are_over_with_all_processes(folder: Path, by: str) -> None:
    assert cut(folder, by) == {"2026-03-01T23": 5, "2026-03-02T00": 6, "2026-03-05T11": 7}


def test_days_and_weeks(folder: Path) -> None:
    assert cut(folder, "day") == {"2026-03-01": 5, "2026-03-02": 6}
    assert cut(folder, "day", NOW + timedelta(days=1)) == {"2026-03-01": 5, "2026-03-02": 6, "2026-03-05": 14}
    assert cut(folder, "week") == {"2026-W09": 5}


def test_the_first_span_must_be_over(tmp_path: Path) -> None:
    write(tmp_path, "2026-03-05T12:00", 7)
    with pytest.raises(InputError, match=r"the first hour of .* is not over: call again after 2026-03-05 13:00 UTC$"):
        cut(tmp_path, "hour")


def test_the_content_tells_whether_files_have_come(folder: Path) -> None:
    def contents() -> list[str]:
        return [batch.content for batch in profile_batches(str(folder), "a reference", "hour", NOW)]

    before = contents()
    assert contents() == before
    write(folder, "2026-03-02T00:00", 1, process=3)
    assert [old == new for old, new in zip(before, contents(), strict=True)] == [True, False, True]


def test_profiles_of_another_model_are_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "2026-03-02T00:00", 9, reference="the next one")
    assert cut(folder, "hour")["2026-03-02T00"] == 6
    assert "1 profiles are of another reference" in capsys.readouterr().out
    with pytest.raises(InputError, match="no profile in .* is of this reference"):
        list(profile_batches(str(folder), "nobody's", "hour", NOW))


def test_what_is_a_folder_of_profiles(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "table.csv").write_text("text\na\n")
    (other / ".hidden.bin").write_bytes(b"")
    assert of_profiles(str(folder))
    assert not of_profiles(str(other))
    assert not of_profiles(str(other / "absent"))


@pytest.mark.parametrize("by", ["file", "count"])
def test_profiles_are_cut_by_time_alone(folder: Path, by: str) -> None:
    with pytest.raises(InputError, match=f"option batch is {by}: .* hour, day, week"):
        list(profile_batches(str(folder), "a reference", by, NOW))


def test_a_file_that_is_no_profile_is_named(folder: Path) -> None:
    (folder / "broken.bin").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"broken\.bin is no whylogs profile"):
        list(profile_batches(str(folder), "a reference", "hour", NOW))
