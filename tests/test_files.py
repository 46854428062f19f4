"""A file is there whole or not at all."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from newsclf.errors import InputError
from newsclf.files import file_checksum, filled_in_one_step, in_one_step, read_json, write_json


def test_it_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "file.txt"
    for text in ("first", "second"):
        with in_one_step(file) as unfinished:
            unfinished.write_text(text)
            assert file.is_file() == (text == "second")
        assert file.read_text() == text
    assert list(file.parent.iterdir()) == [file]


def test_what_was_there_stays_after_an_error(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    file.write_text("before")
    with pytest.raises(KeyboardInterrupt):
        stop_in_the_middle(file)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("file.txt", "before")]


def test_who_may_read_a_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    file.touch(0o600)
    with in_one_step(file) as unfinished:
        unfinished.write_text("secret")
    assert file.stat().st_mode & 0o777 == 0o600


def test_it_is_on_the_disk_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the new name may be there after a power cut, and the file behind it empty or cut."""
    done = list[str]()
    fsync, put = os.fsync, os.replace

    def written(opened: int) -> None:
        done.append("written")
        fsync(opened)

    def placed(*paths: Path) -> None:
        done.append("in its place")
        put(*paths)

    monkeypatch.setattr(os, "fsync", written)
    monkeypatch.setattr(os, "replace", placed)
    write_json(tmp_path / "sent.json", {"run_id": "a"})
    assert done == ["written", "in its place", "written"]


def test_two_threads_that_write_a_file_at_once_leave_a_whole_one(tmp_path: Path) -> None:
    with in_one_step(tmp_path / "file.txt") as first, ThreadPoolExecutor(1) as other:
        first.write_text("first")
        other.submit(write_json, tmp_path / "file.txt", {"second": 2}).result()
        assert read_json(tmp_path / "file.txt") == {"second": 2}
    assert (tmp_path / "file.txt").read_text() == "first"


def stop_in_the_middle(file: Path) -> None:
    with in_one_step(file) as unfinished:
        unfinished.write_text("half")
        raise KeyboardInterrupt


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(OSError, match="taken"), in_one_step(tmp_path / "taken" / "file.txt"):
        pytest.fail("there is nothing to write to")


def test_a_folder_is_whole_with_its_last_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[str] = []
    replace = Path.replace

    def noted(path: Path, to: Path) -> Path:
        moved.append(path.name)
        return replace(path, to)

    monkeypatch.setattr(Path, "replace", noted)
    (tmp_path / ".unfinished").mkdir()
    (tmp_path / ".unfinished" / "of a process that was killed").touch()
    with filled_in_one_step(tmp_path, last="b.json") as unfinished:
        for name in ("b.json", "a.txt", "c.txt"):
            (unfinished / name).write_text(name)
        (unfinished / "folder").mkdir()
        assert list(tmp_path.iterdir()) == [unfinished]
    assert moved == ["a.txt", "c.txt", "folder", "b.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(moved)


def test_nothing_is_left_of_a_folder_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        stop_in_the_middle_of(tmp_path)
    assert list(tmp_path.iterdir()) == []


def stop_in_the_middle_of(folder: Path) -> None:
    with filled_in_one_step(folder, last="b.json") as unfinished:
        (unfinished / "a.txt").touch()
        raise KeyboardInterrupt


def test_the_checksum_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"news" * 300_000)
    assert file_checksum(tmp_path / "file") == hashlib.sha256(b"news" * 300_000).hexdigest()
    assert file_checksum(tmp_path / "file", "md5") == hashlib.md5(b"news" * 300_000).hexdigest()


def test_json_is_written_and_read(tmp_path: Path) -> None:
    write_json(tmp_path / "a" / "file.json", {"name": [1, None]})
    assert (tmp_path / "a" / "file.json").read_text() == '{"name": [1, null]}\n'
    assert read_json(tmp_path / "a" / "file.json") == {"name": [1, None]}
    assert read_json(tmp_path / "absent.json") == {}


@pytest.mark.parametrize(("option", "error"), [("output_dir", InputError), ("journal", InputError), ("", OSError)])
def test_json_that_cannot_be_written(option: str, error: type[Exception], tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(error, match=f"give another {option}$" if option else "taken"):
        write_json(tmp_path / "taken" / "file.json", {}, option=option)
