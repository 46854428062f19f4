"""sync: each journal by itself, and what cannot be sent is said once, with what to do.

What may be wrong with one journal and must not hold up another: its store, its two notes, a run that was deleted on the
server, one that the server refuses, one that another process has, and a server that hangs. Where journals are read
besides: when a run is looked for by its id, and by the sender in its spare time.
"""

import contextlib
import random
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from newsclf.config import SyncConfig
from newsclf.errors import InputError, Unsent
from newsclf.files import read_json, write_json
from newsclf.tracking import server as limits
from newsclf.tracking.journal.damage import DAMAGE_TAG
from newsclf.tracking.journal.store import DAMAGED, Journal, find, journals, root
from newsclf.tracking.journal.upload import RunUpload
from newsclf.tracking.runs import earlier_run
from newsclf.verbs import sync as verb
from newsclf.verbs.sync import sync
from tests.tracking.conftest import Begin
from tests.tracking.journal.test_upload import fill

Waiting = Callable[[], Journal]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is a database, and nobody waits for long."""
    monkeypatch.setattr(verb, "is_server", lambda uri: True)
    monkeypatch.setattr(verb, "PAUSE", 0.0)
    monkeypatch.setattr(limits, "FIRST_CONTACT_SECONDS", 5)


@pytest.fixture
def waiting(begin: Begin, server: MlflowClient) -> Waiting:
    """A journal of a run that has ended, with one of everything."""

    def make() -> Journal:
        journal = begin(experiment_id="0")
        write_json(journal.folder / "run.json", {**journal.note, "server": server.tracking_uri})
        fill(journal)
        MlflowClient(journal.uri).set_terminated(journal.id, "FINISHED", 99)
        journal.release()
        return journal

    return make


def statuses(server: MlflowClient) -> dict[str, str]:
    """By the id of the journal."""
    return {run.data.tags["newsclf.journal"]: run.info.status for run in server.search_runs(["0"])}


def flip(data: bytearray, dice: random.Random) -> None:
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def cut(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(len(data)) :]


def noise(data: bytearray, dice: random.Random) -> None:
    place = dice.randrange(len(data))
    data[place : place + 4096] = dice.randbytes(min(4096, len(data) - place))


def zeros(data: bytearray, dice: random.Random) -> None:
    place = dice.randrange(len(data))
    data[place : place + 8192] = bytes(min(8192, len(data) - place))


def damage_by_chance(journal: Journal, seed: int) -> str:
    """Damage a file of the journal; the name of the file."""
    dice = random.Random(seed)
    name = dice.choice(["store.db"] * 6 + ["run.json", "sent.json"])
    data = bytearray((journal.folder / name).read_bytes())
    dice.choice([flip, cut, noise, zeros])(data, dice)
    (journal.folder / name).write_bytes(data)
    if dice.random() < 0.5:
        for log in ("store.db-wal", "store.db-shm"):
            (journal.folder / log).unlink(missing_ok=True)
    return name


SEEDS = range(8)  # by hand: range(100)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_damaged_journal_holds_up_no_other(
    seed: int, waiting: Waiting, server: MlflowClient, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged, sound = waiting(), waiting()
    damage_by_chance(damaged, seed)
    assert earlier_run(sound.id) is not None, "it is found beside the damaged one"
    with contextlib.suppress(InputError, Unsent):
        sync(SyncConfig())
    said = capsys.readouterr().out
    assert statuses(server)[sound.id] == "FINISHED"
    assert damaged.id in said
    with contextlib.suppress(InputError, Unsent):
        sync(SyncConfig())
    assert statuses(server)[sound.id] == "FINISHED"


def drop_table(journal: Journal) -> None:
    journal.write(("DROP TABLE tags", ()))


def no_run(journal: Journal) -> None:
    journal.write(("DELETE FROM runs", ()))


def text_in_a_number(journal: Journal) -> None:
    journal.write(("UPDATE metrics SET value = 'half' WHERE step = 1", ()))


def foreign(journal: Journal) -> None:
    (journal.folder / "store.db").write_bytes(b"no database\n" * 1000)


def file(name: str, text: str | None) -> Callable[[Journal], None]:
    def change(journal: Journal) -> None:
        if text is None:
            (journal.folder / name).unlink()
        else:
            (journal.folder / name).write_text(text)

    change.__name__ = f"{name}: {text}"
    return change


LOSES_THE_RUN = [no_run, foreign, file("store.db", ""), file("store.db", None)]
LOSES_LITTLE = [drop_table, text_in_a_number, file("run.json", ""), file("run.json", "[]"), file("run.json", "{}")]
LOSES_LITTLE += [file("run.json", '{"verb": "train", "created": "yesterday"}'), file("sent.json", '{"run_id": "aa')]
LOSES_LITTLE += [file("sent.json", '{"metrics": "7"}'), file("sent.json", '{"models": [1]}'), file("sent.json", None)]
LOSES_LITTLE += [file("sent.json", '{"metrics": 7, "checksum": 1}'), file("run.json", None)]


@pytest.mark.parametrize("change", LOSES_THE_RUN + LOSES_LITTLE, ids=lambda change: change.__name__)
def test_what_can_be_read_is_sent_and_the_rest_put_aside(
    change: Callable[[Journal], None], waiting: Waiting, server: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged, sound = waiting(), waiting()
    change(damaged)
    if "None" in change.__name__ and "sent" in change.__name__:
        assert sync(SyncConfig()) == {"sent": 2, "busy": 0, "left": 0}
    else:
        with pytest.raises(InputError, match=f"run {damaged.id}: its journal was damaged"):
            sync(SyncConfig())
        assert (root() / DAMAGED / damaged.id).is_dir()
    assert sync(SyncConfig()) == {"sent": 0, "busy": 0, "left": 0}
    expected = "FAILED" if change in LOSES_THE_RUN else "FINISHED"
    assert statuses(server) == {damaged.id: expected, sound.id: "FINISHED"}
    (run,) = server.search_runs(["0"], f"tags.`newsclf.journal` = '{damaged.id}'")
    assert (Path(run.info.artifact_uri) / "config.yaml").is_file()
    assert (DAMAGE_TAG in run.data.tags) == (root() / DAMAGED / damaged.id).is_dir()
    if change is text_in_a_number:
        points = server.get_metric_history(run.info.run_id, "loss")
        assert [(point.step, point.value) for point in points] == [(0, 0.5)]
    elif change in LOSES_LITTLE:
        assert run.data.metrics == {"loss": 0.25, "accuracy": 0.75}
        assert len(run.outputs.model_outputs) == 1  # type: ignore[union-attr]


def test_a_run_of_the_servers_is_found_again_where_its_note_is_lost(waiting: Waiting, server: MlflowClient) -> None:
    """As `mlflow run` makes it: it has no tag of the journal's."""
    journal, known = waiting(), server.create_run("0").info.run_id
    journal.rename(known, "0")
    journal.write(("UPDATE metrics SET run_uuid = ?", (known,)), ("UPDATE latest_metrics SET run_uuid = ?", (known,)))
    (journal.folder / "sent.json").unlink()
    sync(SyncConfig())
    (run,) = server.search_runs(["0"])
    assert (run.info.run_id, run.info.status) == (known, "FINISHED")


def test_a_deleted_run_is_said_once_and_can_be_dropped(
    waiting: Waiting, server: MlflowClient, capsys: pytest.CaptureFixture[str]
) -> None:
    deleted, sound = waiting(), waiting()
    upload = RunUpload(deleted, str(server.tracking_uri))
    upload.create_remote_run()
    there = upload.sent.run_id
    server.delete_run(there)
    with pytest.raises(InputError, match=rf"run {deleted.id}: it was deleted on .* sync -P drop={there} removes"):
        sync(SyncConfig())
    assert statuses(server) == {sound.id: "FINISHED"}
    assert sync(SyncConfig()) == {"sent": 0, "busy": 0, "left": 0}
    assert "1 deleted on their server" in capsys.readouterr().out
    with pytest.raises(InputError, match=f"no run {'e' * 32} is in .*; there are: {deleted.id}"):
        sync(SyncConfig(drop="e" * 32))
    deleted.take()
    with pytest.raises(InputError, match="another process writes or sends"):
        sync(SyncConfig(drop=there))
    deleted.release()
    sync(SyncConfig(drop=there))
    assert journals() == []


def test_a_deleted_run_that_is_restored_is_sent(waiting: Waiting, server: MlflowClient) -> None:
    journal = waiting()
    upload = RunUpload(journal, str(server.tracking_uri))
    upload.create_remote_run()
    server.delete_run(upload.sent.run_id)
    with pytest.raises(InputError, match="it was deleted"):
        sync(SyncConfig())
    server.restore_run(upload.sent.run_id)
    assert sync(SyncConfig())["sent"] == 1
    assert statuses(server) == {journal.id: "FINISHED"}


@pytest.fixture
def other(server: MlflowClient, empty: Path, tmp_path: Path) -> MlflowClient:
    """Another server, which has nothing."""
    (tmp_path / "other.db").write_bytes(empty.read_bytes())
    uri = f"sqlite:///{tmp_path / 'other.db'}"
    return MlflowClient(uri, uri)


def test_a_run_half_sent_goes_whole_to_another_server(
    waiting: Waiting, server: MlflowClient, other: MlflowClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The servers are told apart by their paths; an experiment's number is that of the first one alone."""
    journal = waiting()
    news = server.create_experiment("news", str(tmp_path / "artifacts"))
    write_json(journal.folder / "run.json", {**journal.note, "experiment_id": news})
    other.create_experiment("first", str(tmp_path / "elsewhere"))
    sending = RunUpload(journal, str(server.tracking_uri)).send_pending()
    assert [next(sending) for _ in range(4)]
    there = journal.sent.run_id
    other.rename_experiment("0", "Default")
    made = other.create_experiment("news", str(tmp_path / "elsewhere"))
    assert sync(SyncConfig(server=str(other.tracking_uri)))["sent"] == 1
    (run,) = other.search_runs([made])
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"loss": 0.25, "accuracy": 0.75})
    assert run.info.run_id != there
    assert len(run.data.params) == 1


def test_a_server_that_has_moved_goes_on_with_what_it_has(
    waiting: Waiting, server: MlflowClient, tmp_path: Path
) -> None:
    journal = waiting()
    sending = RunUpload(journal, str(server.tracking_uri)).send_pending()
    assert [next(sending) for _ in range(4)]
    (tmp_path / "moved.db").write_bytes((tmp_path / "server.db").read_bytes())
    moved = MlflowClient(f"sqlite:///{tmp_path / 'moved.db'}")
    assert sync(SyncConfig(server=str(moved.tracking_uri)))["sent"] == 1
    (run,) = moved.search_runs(["0"])
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"loss": 0.25, "accuracy": 0.75})


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(32)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_server_that_hangs_is_asked_once_for_all_of_its_runs(
    waiting: Waiting, silent: str, server: MlflowClient, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(limits, "FIRST_CONTACT_SECONDS", 1)
    hung, sound = [waiting() for _ in range(3)], waiting()
    for journal in hung:
        write_json(journal.folder / "run.json", {**journal.note, "server": silent})
    with pytest.raises(Unsent, match="3 runs wait"):
        sync(SyncConfig())
    said = capsys.readouterr().out
    for journal in hung:
        assert f"run {journal.id} waits: " in said
    assert statuses(server) == {sound.id: "FINISHED"}


def test_the_whole_call_has_a_bound(
    waiting: Waiting, server: MlflowClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, never = waiting(), waiting(), threading.Event()
    monkeypatch.setattr(verb, "send", lambda *_: never.wait())
    with pytest.raises(Unsent, match="2 runs wait"):
        sync(SyncConfig(send_timeout=1))
    said = capsys.readouterr().out
    assert f"run {first.id} waits: it was not sent to its end" in said
    assert f"run {second.id} waits: its turn has not come" in said


def test_a_race_that_is_lost_is_run_again(
    waiting: Waiting, server: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, create, lost = waiting(), RunUpload.create_remote_run, list[int]()

    def race(upload: RunUpload) -> None:
        if len(lost) < 2:
            lost.append(1)
            raise RuntimeError("(sqlite3.IntegrityError) UNIQUE constraint failed: datasets.name")
        create(upload)

    monkeypatch.setattr(RunUpload, "create_remote_run", race)
    assert sync(SyncConfig())["sent"] == 1
    assert statuses(server) == {journal.id: "FINISHED"}


def test_a_journal_is_its_users_alone(waiting: Waiting, empty: Path) -> None:
    journal = waiting()
    kept = [path for path in root().rglob("*") if path.name in ("store.db", "run.json", "sent.json")]
    assert {path.stat().st_mode & 0o777 for path in [*kept, empty]} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (root(), journal.folder)} == {0o700}
    journal.sent.keep(params=["seed"])
    assert (journal.folder / "sent.json").stat().st_mode & 0o777 == 0o600
    assert read_json(journal.folder / "sent.json")["params"] == ["seed"]
    assert find(journal.id) is not None
