"""The first contact of a run with its server, where it is broken off; with a real server: tests/integration."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from newsclf.errors import Stopped
from newsclf.tracking.journal import session
from newsclf.tracking.journal.sender import send_rest
from newsclf.tracking.journal.session import journalled
from newsclf.tracking.journal.store import journals
from newsclf.tracking.journal.upload import RunUpload


def test_a_stop_at_the_first_contact_is_kept_for_the_server(
    server: MlflowClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may have made the run by then: what it is told later finds that one again, and ends it."""
    made, uri = RunUpload.remote_run, str(server.tracking_uri)

    def stop(upload: RunUpload, deleted: str = "") -> None:
        made(upload)  # and the answer has not come
        raise Stopped(15)

    with monkeypatch.context() as patch:
        patch.setattr(session.RunUpload, "remote_run", stop)
        with pytest.raises(Stopped) as stopped, journalled("train", uri, "", offline=False, send_timeout=1):
            pass
    assert stopped.value.marked
    assert "wait in" in capsys.readouterr().out
    (waiting,) = journals()
    assert MlflowClient(waiting.uri).get_run(waiting.id).info.status == "KILLED"
    waiting.note["server"] = uri
    list(send_rest(waiting, uri))
    (there,) = server.search_runs(["0"])
    assert (there.info.status, there.data.tags["newsclf.failure"]) == ("KILLED", "stopped by signal 15")
    assert journals() == []


def test_all_of_a_journal_is_for_its_user_alone(
    server: MlflowClient, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its files as well, which are as open as those that they are copies of."""
    (tmp_path / "open.txt").write_text("text")
    (tmp_path / "open.txt").chmod(0o644)
    with journalled("train", str(server.tracking_uri), "", offline=True, send_timeout=1) as (run_id, store):
        MlflowClient(store).log_artifact(run_id, str(tmp_path / "open.txt"), "notes")
        MlflowClient(store).set_terminated(run_id)
    (waiting,) = journals()
    assert {path.stat().st_mode & 0o777 for path in waiting.folder.rglob("*") if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in waiting.folder.rglob("*") if path.is_dir()} == {0o700}
    waiting.release()
    list(send_rest(waiting, str(server.tracking_uri)))
    (note,) = (folder / "sent").iterdir()
    assert (note.stat().st_mode & 0o777, note.parent.stat().st_mode & 0o777) == (0o600, 0o700)
