"""up.sh, backup.sh and restore.sh with a stand-in of `docker` that writes down what it is asked for.

What they do to real servers is in tests/integration/.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

Script = Callable[..., subprocess.CompletedProcess[str]]
Begun = tuple[subprocess.Popen[bytes], Path]
# Answers as an empty stack would. $FAIL names a word of the call that fails.
DOCKER = """#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$SEEN"
case "$*" in *"${SLOW:-nothing is slow}"*) sleep 30 ;; esac
case "$*" in *"${FAIL:-nothing fails}"*) exit 1 ;; esac
case "$*" in
  *"mysqldump"*) echo "CREATE TABLE runs" ;;
  *" mysql "*) sql=$(cat); case $sql in *"SELECT COUNT"*) echo 0 ;; esac ;;
  *"mirror.py count"*) echo "${OBJECTS:-0}" ;;
  *"mirror.py pull"*) echo "objects" ;;
  *"login.py count"*) echo "${USERS:-1}" ;;
  *"login.py dump"*) echo "users" ;;
  *"mirror.py push"* | *"login.py load"*) cat > /dev/null ;;
  "compose cp "*) touch "${@: -1}" ;;
esac
"""


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    return tmp_path / "seen"


@pytest.fixture
def run(call: Script, tmp_path: Path, seen: Path) -> Script:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").write_text(DOCKER)
    (tmp_path / "bin" / "docker").chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return lambda script, *arguments, **other: call(script, *arguments, PATH=path, SEEN=str(seen), **other)


@pytest.fixture
def backup(run: Script, tmp_path: Path, seen: Path) -> Path:
    done = run("backup.sh", tmp_path / "backups")
    assert done.returncode == 0, done.stderr
    seen.unlink()
    return Path(done.stdout.splitlines()[-1])


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stdout + done.stderr
    return done.stderr.splitlines()[-1]


def calls(seen: Path, *words: str) -> list[str]:
    """The words of `words` in the order in which docker was asked for them."""
    lines = seen.read_text().splitlines() if seen.exists() else []
    return [next(word for word in words if word in line) for line in lines if any(word in line for word in words)]


def test_up_writes_settings_starts_and_says_what_to_export(run: Script, folder: Path) -> None:
    done = run("up.sh")
    assert done.returncode == 0, done.stderr
    assert "export MLFLOW_TRACKING_URI=https://localhost\n" in done.stdout
    assert f"export MLFLOW_TRACKING_SERVER_CERT_PATH={folder}/ca.crt\n" in done.stdout
    password = dict(line.split("=") for line in (folder / ".env").read_text().splitlines() if "=" in line)[
        "NEWSCLF_ADMIN_PASSWORD"
    ]
    assert password not in done.stdout
    exports = subprocess.run(
        ["bash", "-c", done.stdout.replace("\n# ", "\n: # ") + "\necho $MLFLOW_TRACKING_PASSWORD"],
        capture_output=True,
        text=True,
    )
    assert exports.stdout.split()[-1] == password


def test_up_names_a_public_site_and_no_certificate(run: Script, call: Script) -> None:
    call("init-env.sh", "NEWSCLF_SITE=mlflow.example.org", "NEWSCLF_TLS=acme", "NEWSCLF_PORT=8443")
    done = run("up.sh")
    assert "export MLFLOW_TRACKING_URI=https://mlflow.example.org:8443\n" in done.stdout
    assert "CERT_PATH" not in done.stdout


def test_up_starts_nothing_with_broken_settings(run: Script, call: Script, folder: Path, seen: Path) -> None:
    call("init-env.sh")
    (folder / ".env").write_text((folder / ".env").read_text().replace("NEWSCLF_PORT=443", "NEWSCLF_PORT 443"))
    assert ".env line 7: this is not NAME=value" in refused(run("up.sh"))
    assert calls(seen, " up ") == []


@pytest.mark.parametrize(
    ("fail", "said"),
    [
        ("compose version", "needs Docker with Compose"),
        ("info", "Docker does not answer"),
        (" up ", "the stack is not healthy"),
        ("compose cp", "the certificate of the proxy's authority is not there yet"),
    ],
)
def test_up_says_what_is_wrong_with_docker(run: Script, fail: str, said: str) -> None:
    assert said in refused(run("up.sh", FAIL=fail))


def test_a_backup_is_whole_for_its_owner_alone_and_in_the_right_order(run: Script, tmp_path: Path, seen: Path) -> None:
    done = run("backup.sh", tmp_path / "backups")
    folder = Path(done.stdout.splitlines()[-1])
    assert {path.name for path in folder.iterdir()} == {"login.db", "database.sql.gz", "bucket.tar", "SHA256SUMS"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in (folder, *folder.iterdir()))
    assert calls(seen, "login.py dump", "mysqldump", "mirror.py pull") == [
        "login.py dump",
        "mysqldump",
        "mirror.py pull",
    ]
    assert "--single-transaction" in seen.read_text()


@pytest.mark.parametrize("fail", ["login.py dump", "mysqldump", "mirror.py pull"])
def test_half_a_backup_leaves_nothing(run: Script, tmp_path: Path, fail: str) -> None:
    assert "could not be" in refused(run("backup.sh", tmp_path / "backups", FAIL=fail))
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_backup_leaves_that_of_another_alone(run: Script, tmp_path: Path) -> None:
    """`date` always says the same here, as it does to two who begin in the same second."""
    (tmp_path / "bin" / "date").write_text("#!/bin/sh\necho 2026-01-31T02-00-00Z\n")
    (tmp_path / "bin" / "date").chmod(0o755)
    part = tmp_path / "backups" / ".2026-01-31T02-00-00Z.part"
    part.mkdir(parents=True)
    assert "another backup is being made" in refused(run("backup.sh", tmp_path / "backups"))
    assert part.is_dir()
    part.rmdir()
    assert run("backup.sh", tmp_path / "backups").returncode == 0
    assert "is there already" in refused(run("backup.sh", tmp_path / "backups"))


@pytest.fixture
def begun(run: Script, call: Script, folder: Path, tmp_path: Path, seen: Path) -> Iterator[Callable[[str], Begun]]:
    """`begun("mysqldump")`: a backup that has come as far as that, which takes its time; (process, its folder)."""
    processes: list[subprocess.Popen[bytes]] = []

    def begin(slow: str) -> Begun:
        seen.unlink(missing_ok=True)
        environment = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}
        processes.append(
            subprocess.Popen(
                [folder / "backup.sh", tmp_path / "backups"],
                env=environment | {"SEEN": str(seen), "SLOW": slow},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        )
        while not (seen.exists() and slow in seen.read_text()):
            assert processes[-1].poll() is None
            time.sleep(0.01)
        (part,) = set((tmp_path / "backups").glob(".*.part")) - {other for _, other in made}
        made.append((processes[-1], part))
        return made[-1]

    made: list[Begun] = []
    yield begin
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("at", ["login.py dump", "mysqldump", "mirror.py pull"])
def test_a_backup_that_is_ended_leaves_nothing(begun, tmp_path: Path, number: signal.Signals, at: str) -> None:
    """Neither files nor processes, wherever it was, and at once."""
    process, _ = begun(at)
    process.send_signal(number)
    assert process.wait(10) == 128 + number
    assert list((tmp_path / "backups").iterdir()) == []
    assert process.stderr.read() == b"", "all that writes there has ended"


def test_what_a_killed_backup_leaves_is_removed_by_the_next(begun, run: Script, tmp_path: Path) -> None:
    process, part = begun("mirror.py pull")
    process.kill()
    process.wait()
    assert (part / "database.sql.gz").exists()
    done = run("backup.sh", tmp_path / "backups")
    assert done.returncode == 0
    assert f"{part} is removed: a backup was killed" in done.stderr
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [Path(done.stdout.strip()).name]


def test_what_a_backup_is_just_making_is_left_to_it(begun, run: Script, tmp_path: Path) -> None:
    process, part = begun("mirror.py pull")
    while f".{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}.part" == part.name:
        time.sleep(0.05)  # each second has a name of its own
    assert run("backup.sh", tmp_path / "backups").returncode == 0
    assert (part / "database.sql.gz").exists()
    assert process.poll() is None


def test_half_a_backup_is_not_restored(begun, run: Script, seen: Path) -> None:
    _, part = begun("mirror.py pull")
    for sums in ("", "0  login.db\n"):  # as far as they were written
        (part / "SHA256SUMS").write_text(sums)
        seen.unlink(missing_ok=True)
        assert "is not whole" in refused(run("restore.sh", part, "--force"))
        assert not seen.exists()


def test_a_backup_is_removed_as_a_whole(run: Script, tmp_path: Path) -> None:
    """The removal is killed: what is left of the old one has no name of a backup, and goes with the next."""
    old = tmp_path / "backups" / "2020-01-01T00-00-00Z"
    old.mkdir(parents=True)
    (tmp_path / "bin" / "rm").write_text(
        '#!/bin/sh\ncase "$*" in *2020*) kill -9 $PPID ;; *) exec /bin/rm "$@" ;; esac\n'
    )
    (tmp_path / "bin" / "rm").chmod(0o755)
    run("backup.sh", tmp_path / "backups", NEWSCLF_BACKUPS_KEPT="1")
    assert not old.exists()
    (tmp_path / "bin" / "rm").unlink()
    run("backup.sh", tmp_path / "backups")
    assert not [path for path in (tmp_path / "backups").iterdir() if path.name.startswith(".")]


def test_settings_that_were_half_written_do_not_stay(call: Script, folder: Path) -> None:
    (folder / ".init-env.AbC123").mkdir()
    (folder / ".init-env.AbC123" / ".env").write_text("NEWSCLF_ADMIN_PASSWORD=secret")
    assert call("init-env.sh").returncode == 0
    assert [path.name for path in folder.glob(".*")] == [".env"]


def test_old_backups_go_when_the_new_one_is_whole(run: Script, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    for name in ("2020-01-01T00-00-00Z", "2021-01-01T00-00-00Z", "2022-01-01T00-00-00Z", "mine"):
        (folder / name).mkdir(parents=True)
    run("backup.sh", folder, NEWSCLF_BACKUPS_KEPT="2", FAIL="mysqldump")
    assert len(list(folder.iterdir())) == 4
    new = Path(run("backup.sh", folder, NEWSCLF_BACKUPS_KEPT="2").stdout.splitlines()[-1])
    assert {path.name for path in folder.iterdir()} == {"2022-01-01T00-00-00Z", "mine", new.name}
    assert "a number" in refused(run("backup.sh", folder, NEWSCLF_BACKUPS_KEPT="all"))


def test_a_restore_stops_the_server_and_fills_the_database_last(run: Script, backup: Path, seen: Path) -> None:
    done = run("restore.sh", backup)
    assert done.returncode == 0, done.stderr
    words = ("compose stop", "mirror.py push", "login.py load", " mysql ", " up ")
    order = calls(seen, *words)
    assert [*dict.fromkeys(order[order.index("compose stop") :])] == list(words)


@pytest.mark.parametrize("there", [{"OBJECTS": "1"}, {"USERS": "2"}])
def test_what_is_there_is_replaced_by_force_only(run: Script, backup: Path, seen: Path, there: dict[str, str]) -> None:
    assert "the backend is not empty" in refused(run("restore.sh", backup, **there))
    assert calls(seen, "stop", "push", "load") == []
    assert run("restore.sh", backup, "--force", **there).returncode == 0
    assert "mirror.py push --force" in seen.read_text()


@pytest.mark.parametrize("name", ["login.db", "database.sql.gz", "bucket.tar", "SHA256SUMS"])
def test_a_damaged_backup_changes_nothing(run: Script, backup: Path, seen: Path, name: str) -> None:
    path = backup / name
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert "nothing was changed" in refused(run("restore.sh", backup, "--force")) or name == "SHA256SUMS"
    assert not seen.exists()
    path.unlink()
    refused(run("restore.sh", backup, "--force"))
    assert not seen.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((), "which backup?"), (("nowhere",), "nowhere is no backup"), (("--now", "x"), "--now is no option")],
)
def test_a_restore_without_its_backup_is_one_line(run: Script, arguments: tuple[str, ...], said: str) -> None:
    done = run("restore.sh", *arguments)
    assert said in refused(done)
    assert len(done.stderr.splitlines()) == 1


def test_plain_endpoints_without_their_settings_are_one_line(run: Script, tmp_path: Path) -> None:
    (tmp_path / "options").touch()
    assert "there is no file" in refused(run("backup.sh", NEWSCLF_DB_OPTIONS=str(tmp_path / "none")))
    assert "NEWSCLF_LOGIN_DATABASE is empty" in refused(run("backup.sh", NEWSCLF_DB_OPTIONS=str(tmp_path / "options")))
