"""The code of a run, taken from git again."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from newsclf.errors import InputError
from newsclf.tracking import environment
from newsclf.tracking.environment import UNCOMMITTED, described
from newsclf.tracking.git import git_line
from newsclf.tracking.reproduction import checkout as room
from newsclf.tracking.reproduction.checkout import checkout, patch_of, uncommitted_of

Git = Callable[..., str]


@pytest.fixture(params=["", "models/news"])
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in a repository of its own, at its root and below it."""
    repository = tmp_path / "repository"
    folder = repository / request.param
    (folder / "newsclf").mkdir(parents=True)
    (folder / "newsclf" / "train.py").write_text("RATE = 1\n\n\ndef train():\n    return RATE\n\n")
    (folder / "newsclf" / "weights.bin").write_bytes(b"\0\1\2")
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    for module in (room, environment):
        monkeypatch.setattr(module, "PROJECT", folder)
    commit(folder)
    return folder


def commit(folder: Path) -> str:
    who = ("-c", "user.name=tester", "-c", "user.email=tester@localhost")
    subprocess.run(["git", "-C", str(folder), "add", "."], check=True)
    subprocess.run(["git", "-C", str(folder), *who, "commit", "-q", "-m", "x"], check=True)
    return head(folder)


def head(folder: Path) -> str:
    return git_line(folder, "rev-parse", "HEAD")


def worktrees(folder: Path) -> list[str]:
    return git_line(folder, "worktree", "list").splitlines()


def test_the_commit_and_what_was_changed_come_back_and_nothing_stays_behind(project: Path) -> None:
    before = head(project)
    code, binary = project / "newsclf" / "train.py", project / "newsclf" / "weights.bin"
    code.write_text(code.read_text().replace("RATE = 1", "RATE = 2\r"))
    binary.write_bytes(b"\0\xff\2")
    changed = described()[1][UNCOMMITTED]
    wanted = code.read_bytes(), binary.read_bytes()
    code.write_text("something else\n")
    commit(project)
    with checkout(before, changed) as again:
        assert ((again / "newsclf/train.py").read_bytes(), (again / "newsclf/weights.bin").read_bytes()) == wanted
        assert len(worktrees(project)) == 2
    assert not again.exists()
    assert len(worktrees(project)) == 1
    with checkout(before) as clean:
        assert (clean / "newsclf/train.py").read_text().startswith("RATE = 1\n")


def test_a_commit_that_is_not_here_is_bad_input(project: Path) -> None:
    with pytest.raises(InputError, match="commit 1234567 is not in the repository"), checkout("1234567"):
        pass


def test_changes_that_do_not_apply_are_bad_input_and_leave_nothing_behind(project: Path) -> None:
    diff = b"M newsclf/cli.py\n\ndiff --git a/gone.py b/gone.py\n--- a/gone.py\n+++ b/gone.py\n@@ -1 +1 @@\n-a\n+b\n"
    with pytest.raises(InputError, match="do not apply to commit"), checkout(head(project), diff):
        pass
    assert len(worktrees(project)) == 1


def test_code_that_git_did_not_know_is_bad_input_and_notes_are_not() -> None:
    status = b" M newsclf/train.py\n?? notes.txt\n?? newsclf/new.py\n?? newsclf/room/"
    with pytest.raises(InputError, match=r"git did not know.*newsclf/new.py, newsclf/room/"):
        patch_of(status + b"\n\n\n")
    assert patch_of(b"?? notes.txt\n?? outputs/newsclf/a\n\n\n") == b""
    assert patch_of(b"?? models/news/notes.txt\n\n\n", b"models/news/") == b""
    for name in (b"models/news/newsclf/new.py", b"models/"):  # a folder of which git knows nothing has all of it
        with pytest.raises(InputError):
            patch_of(b"?? " + name + b"\n\n\n", b"models/news/")


@pytest.mark.parametrize("diff", [b"", b"\x1b[1mdiff --git a/newsclf/x.py b/newsclf/x.py\x1b[m\n\x1b[31m-a\x1b[m\n"])
def test_changes_without_a_diff_that_can_be_applied_are_bad_input(diff: bytes) -> None:
    with pytest.raises(InputError, match="made with changes of newsclf/x.py, and has logged no diff of them"):
        patch_of(b" M newsclf/x.py\n\n" + diff + b"\n")


@pytest.mark.parametrize("setting", ["core.hooksPath=hooks", "apply.whitespace=error-all", "color.ui=always"])
def test_the_users_settings_do_not_change_the_code_of_a_run(project: Path, setting: str) -> None:
    hook = project / "hooks" / "post-checkout"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    git_line(project, "config", *setting.split("="))
    (project / "newsclf" / "train.py").write_bytes(b"caf\xe9  \n")
    with checkout(head(project), described()[1][UNCOMMITTED]) as again:
        assert (again / "newsclf/train.py").read_bytes() == b"caf\xe9  \n"


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({}, "git did not tell .it did not say whether"),
        ({"newsclf.git_dirty": "unknown", "newsclf.git_error": "dubious"}, "git did not tell .dubious."),
        ({"newsclf.git_dirty": "true"}, "its file environment/uncommitted.diff cannot be had"),
        ({"newsclf.git_dirty": "true", "newsclf.git_diff": "masked"}, "held secrets, which are masked.*cannot be run"),
        ({"newsclf.git_dirty": "true", "newsclf.git_diff": "not logged"}, "not logged .log_diff=false."),
    ],
)
def test_changes_that_are_not_known_are_bad_input(server: MlflowClient, tags: dict[str, str], message: str) -> None:
    run = server.create_run("0", tags=tags)
    with pytest.raises(InputError, match=message):
        uncommitted_of(server.get_run(run.info.run_id))


def test_changes_are_read_byte_by_byte(server: MlflowClient, tmp_path: Path) -> None:
    run_id = server.create_run("0", tags={"newsclf.git_dirty": "true"}).info.run_id
    (tmp_path / "uncommitted.diff").write_bytes(b" M a\n\n\xe9\r\n")
    server.log_artifact(run_id, str(tmp_path / "uncommitted.diff"), "environment")
    assert uncommitted_of(server.get_run(run_id)) == b" M a\n\n\xe9\r\n"
    server.set_tag(run_id, "newsclf.git_dirty", "false")
    assert uncommitted_of(server.get_run(run_id)) == b""
