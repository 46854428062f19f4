"""A file is sent when it is new or has changed, and with the server's ids in it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from newsclf.tracking.journal.sent import FileStates
from newsclf.tracking.journal.upload_files import AT_ONCE, changed, upload
from newsclf.tracking.server import NotStored


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a journal, with more files than are sent at once."""
    (tmp_path / "here" / "model").mkdir(parents=True)
    for number in range(AT_ONCE):
        (tmp_path / "here" / "model" / f"{number}.txt").write_text(f"{number} of run a1")
    (tmp_path / "here" / "config.yaml").write_text("run: a1\n")
    (tmp_path / "here" / "plot.png").write_bytes(b"a1 \xff")
    return tmp_path / "here"


def test_what_has_changed_is_what_differs_in_size_or_time(folder: Path) -> None:
    sent = changed(folder, {})
    assert list(sent) == ["config.yaml", "model/0.txt", "model/1.txt", "model/2.txt", "model/3.txt", "plot.png"]
    assert changed(folder, sent) == {}
    (folder / "config.yaml").write_text("run: a1, longer\n")
    about = (folder / "plot.png").stat()
    os.utime(folder / "plot.png", ns=(about.st_atime_ns, about.st_mtime_ns + 1))
    assert changed(folder, sent) == {
        "config.yaml": [16, (folder / "config.yaml").stat().st_mtime_ns],
        "plot.png": [about.st_size, about.st_mtime_ns + 1],
    }


def test_texts_get_the_names_of_the_server_and_nothing_else_is_touched(folder: Path, tmp_path: Path) -> None:
    sent: FileStates = {}
    repository = LocalArtifactRepository(str(tmp_path / "there"))
    assert list(upload(folder, repository, sent, {"a1": "b2"})) == [2, AT_ONCE]
    assert sent == changed(folder, {})
    there = tmp_path / "there"
    assert (there / "config.yaml").read_text() == "run: b2\n"
    assert (there / "plot.png").read_bytes() == b"a1 \xff"
    assert (there / "model" / "3.txt").read_text() == "3 of run a1"
    assert (folder / "config.yaml").read_text() == "run: a1\n"
    assert list(upload(folder, repository, sent, {})) == []


def test_what_was_sent_before_an_error_is_known(folder: Path, tmp_path: Path) -> None:
    class Full(LocalArtifactRepository):
        def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
            if local_file.endswith(".png"):
                raise OSError("no room")
            super().log_artifact(local_file, artifact_path)

    sent: FileStates = {}
    with pytest.raises(OSError, match="no room"):
        list(upload(folder, Full(str(tmp_path / "there")), sent, {}))
    assert list(sent) == ["config.yaml"]


class Portal(LocalArtifactRepository):
    """Says yes to everything, and stores but the files whose names begin with none of `swallowed`."""

    swallowed: tuple[str, ...] = ()

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        if not Path(local_file).name.startswith(self.swallowed):
            super().log_artifact(local_file, artifact_path)


def test_a_file_that_was_taken_and_is_not_there_is_not_sent(folder: Path, tmp_path: Path) -> None:
    """Neither one that is not there at all, nor one that is there as it was before, of whatever size."""
    sent: FileStates = {}
    portal = Portal(str(tmp_path / "there"))
    portal.swallowed = ("2.", "plot")
    with pytest.raises(NotStored, match=r"stored plot\.png, and has not"):
        list(upload(folder, portal, sent, {}))
    portal.swallowed = ("2.",)
    with pytest.raises(NotStored, match=r"stored model/2\.txt, and has not"):
        list(upload(folder, portal, sent, {}))
    assert list(changed(folder, sent)) == ["model/2.txt"]
    portal.swallowed = ()
    assert list(upload(folder, portal, sent, {})) == [1]
    for text in ("run: c3\n", "run: longer\n"):
        (folder / "config.yaml").write_text(text)
        portal.swallowed = ("config",)
        with pytest.raises(NotStored, match=r"config\.yaml"):
            list(upload(folder, portal, sent, {}))
        portal.swallowed = ()
        assert list(upload(folder, portal, sent, {})) == [1]
        assert (tmp_path / "there" / "config.yaml").read_text() == text


def test_a_file_that_was_cut_on_its_way_is_not_sent(folder: Path, tmp_path: Path) -> None:
    class Cutting(LocalArtifactRepository):
        def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
            super().log_artifact(local_file, artifact_path)
            stored = tmp_path / "there" / (artifact_path or "") / Path(local_file).name
            stored.write_bytes(stored.read_bytes()[:-1])

    sent: FileStates = {}
    with pytest.raises(NotStored):
        list(upload(folder, Cutting(str(tmp_path / "there")), sent, {}))
    assert sent == {}


def test_an_upload_that_hangs_does_not_keep_the_process_from_its_end() -> None:
    code = """
import threading
from pathlib import Path
from newsclf.tracking.journal.upload_files import upload
class Hanging:
    def log_artifact(self, *_): threading.Event().wait()
folder = Path.cwd()
threading.Thread(target=lambda: list(upload(folder, Hanging(), {}, {})), daemon=True).start()
while threading.active_count() < 3: pass
"""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "one.txt").touch()
        root = str(Path(__file__).parents[3])
        environment = {**os.environ, "PYTHONPATH": root}
        done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, timeout=120)
    assert done.returncode == 0
