"""The code of a run, taken from git again."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from newsclf.errors import InputError
from newsclf.tracking import environment
from newsclf.tracking.reproduction import checkout as room
from newsclf.tracking.reproduction.checkout import checkout, patch_of

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
    return environment._git("rev-parse", "HEAD")


def logged(folder: Path) -> str:
    """What a run logs of uncommitted changes."""
    status = environment._git("status", "--porcelain")
    diff = environment._git("diff", "--binary", "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/", "HEAD")
    return f"{status}\n\n{diff}\n"


def test_the_commit_and_what_was_changed_come_back_and_nothing_stays_behind(project: Path) -> None:
    head = environment._git("rev-parse", "HEAD")
    code, binary = project / "newsclf" / "train.py", project / "newsclf" / "weights.bin"
    code.write_text(code.read_text().replace("RATE = 1", "RATE = 2\r"))
    binary.write_bytes(b"\0\xff\2")
    changed = logged(project)
    wanted = code.read_bytes(), binary.read_bytes()
    code.write_text("something else\n")
    commit(project)
    with checkout(head, changed) as again:
        assert ((again / "newsclf/train.py").read_bytes(), (again / "newsclf/weights.bin").read_bytes()) == wanted
        assert "tree" in environment._git("worktree", "list")
    assert not again.exists()
    assert len(environment._git("worktree", "list").splitlines()) == 1
    with checkout(head) as clean:
        assert (clean / "newsclf/train.py").read_text().startswith("RATE = 1\n")


def test_a_commit_that_is_not_here_is_bad_input(project: Path) -> None:
    with pytest.raises(InputError, match="commit 1234567 is not in the repository"), checkout("1234567"):
        pass


def test_changes_that_do_not_apply_are_bad_input_and_leave_nothing_behind(project: Path) -> None:
    diff = "M newsclf/cli.py\n\ndiff --git a/gone.py b/gone.py\n--- a/gone.py\n+++ b/gone.py\n@@ -1 +1 @@\n-a\n+b\n"
    with (
        pytest.raises(InputError, match="do not apply to commit"),
        checkout(environment._git("rev-parse", "HEAD"), diff),
    ):
        pass
    assert len(environment._git("worktree", "list").splitlines()) == 1


def test_code_that_git_did_not_know_is_bad_input_and_notes_are_not() -> None:
    status = " M newsclf/train.py\n?? notes.txt\n?? newsclf/new.py\n?? newsclf/room/"
    with pytest.raises(InputError, match="git did not know.*newsclf/new.py, newsclf/room/"):
        patch_of(f"{status}\n\n\n")
    assert patch_of("?? notes.txt\n?? outputs/newsclf/a\n\n\n") == b""
    assert patch_of("?? models/news/notes.txt\n\n\n", "models/news/") == b""
    with pytest.raises(InputError):
        patch_of("?? models/news/newsclf/new.py\n\n\n", "models/news/")
