"""How git is asked; what is asked of it is tested where it is needed: test_environment.py, test_checkout.py."""

from pathlib import Path

import pytest

from newsclf.errors import InputError
from newsclf.tracking import git as room
from newsclf.tracking.git import GitError, git, git_line


def test_bytes_come_as_they_are(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    name = git(tmp_path, "hash-object", "-w", "--stdin", given=b"\xe9\r\n\0").decode().strip()
    assert git(tmp_path, "cat-file", "blob", name) == b"\xe9\r\n\0"
    assert git_line(tmp_path, "cat-file", "-t", name) == "blob"


def test_a_failure_is_told_in_gits_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(GitError, match="^fatal: not a git repository"):
        git(tmp_path, "status")
    with pytest.raises(GitError, match="exit code 1"):
        git(tmp_path, "config", "nothing.of.the.kind")


def test_one_that_does_not_end_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(room, "SECONDS", 0.1)
    with pytest.raises(GitError, match="no answer to `git status`"):
        git(tmp_path, "status")


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="git cannot be started"):
        git(tmp_path, "status")
