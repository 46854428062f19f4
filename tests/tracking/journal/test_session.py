"""The first contact of a run with its server, where it is broken off; with a real server: tests/integration."""

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
