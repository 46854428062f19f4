"""A run is sent while it goes on, and what earlier ones have left with it; the server is a database."""

from collections.abc import Iterator

import pytest
from mlflow import MlflowClient

from newsclf.tracking.journal import sender
from newsclf.tracking.journal.sender import Sender, send_rest
from newsclf.tracking.journal.store import Journal, find, journals
from newsclf.tracking.journal.upload import RunUpload
from tests.tracking.conftest import Begin


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PAUSE", "LONGEST_PAUSE", "LONGEST_AT_THE_END"):
        monkeypatch.setattr(sender, name, 0.01)


def ended(journal: Journal) -> Journal:
    client = MlflowClient(journal.uri)
    client.log_metric(journal.id, "loss", 0.5)
    client.set_terminated(journal.id)
    return journal


def statuses(server: MlflowClient) -> list[str]:
    return sorted(run.info.status for run in server.search_runs(["0"]))


def uri(server: MlflowClient) -> str:
    return str(server.tracking_uri)


def test_the_rest_is_sent_and_its_journal_goes(begin: Begin, server: MlflowClient) -> None:
    journal = ended(begin(experiment_id="0"))
    assert sum(send_rest(journal, uri(server))) > 0
    assert statuses(server) == ["FINISHED"]
    assert list(journals()) == []


def test_a_run_whose_process_is_gone_is_sent_as_failed(begin: Begin, server: MlflowClient) -> None:
    journal = begin(experiment_id="0")
    MlflowClient(journal.uri).log_metric(journal.id, "loss", 0.5)
    list(send_rest(journal, uri(server)))
    assert statuses(server) == ["FAILED"]


def test_it_ends_when_all_is_there(begin: Begin, server: MlflowClient) -> None:
    journal = begin(experiment_id="0")
    thread = Sender(RunUpload(journal, uri(server)))
    thread.start()
    ended(journal)
    thread.end(30)
    assert not thread.is_alive()
    assert thread.upload.whole
    assert statuses(server) == ["FINISHED"]
    assert find(journal.id) is not None, "its own process removes it"


def test_it_tries_again_until_the_server_is_there(
    begin: Begin, server: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, tries = ended(begin(experiment_id="0")), 0
    pending = RunUpload.send_pending

    def away(upload: RunUpload) -> object:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ConnectionError("refused")
        return pending(upload)

    monkeypatch.setattr(RunUpload, "send_pending", away)
    thread = Sender(RunUpload(journal, uri(server)))
    thread.start()
    thread.end(30)
    assert (thread.trouble, tries >= 3, statuses(server)) == (None, True, ["FINISHED"])


def test_a_refusal_that_lasts_ends_it(begin: Begin, server: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(Exception):
        def get_http_status_code(self) -> int:
            return 403

    def refuse(upload: RunUpload) -> object:
        raise Refused("no")

    monkeypatch.setattr(RunUpload, "send_pending", refuse)
    thread = Sender(RunUpload(ended(begin(experiment_id="0")), uri(server)))
    thread.start()
    thread.end(30)
    assert not thread.is_alive()
    assert thread.trouble is not None
    assert thread.trouble.lasting


@pytest.mark.parametrize(("server", "theirs"), [("http://127.0.0.1:1", 2), ("http://127.0.0.1:2", 0)])
def test_in_its_spare_time_it_sends_what_earlier_runs_have_left_for_its_server(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, server: str, theirs: int
) -> None:
    sent: list[str] = []

    def send(journal: Journal, to: str) -> Iterator[int]:
        assert to == server
        sent.append(journal.id)
        yield 1

    busy, *earlier = (ended(begin()) for _ in range(3))  # whoever makes one holds its lock
    for one in earlier:
        one.release()
    monkeypatch.setattr(sender, "send_rest", send)
    assert list(Sender(RunUpload(busy, server))._earlier()) == [1] * theirs
    assert set(sent) == ({one.id for one in earlier} if theirs else set())
