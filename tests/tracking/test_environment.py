"""What is said of the code, the packages and the machine; git is asked in a repository of the test's own."""

import subprocess
from pathlib import Path

import pytest

from newsclf.tracking import environment
from newsclf.tracking.environment import FREEZE, UNCOMMITTED, described, installed, peak_memory_bytes


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of one commit with one file."""
    monkeypatch.setattr(environment, "PROJECT", tmp_path)
    git(tmp_path, "init", "--quiet", "--initial-branch=trunk")
    (tmp_path / "code.py").write_text("one\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "one")
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_clean_checkout_is_its_commit(project: Path) -> None:
    tags, files = described()
    assert tags["mlflow.source.git.commit"] == git(project, "rev-parse", "HEAD")
    assert (tags["mlflow.source.git.branch"], tags["newsclf.git_dirty"]) == ("trunk", "false")
    assert files.keys() == {FREEZE}


def test_what_is_not_committed_can_be_applied_again(project: Path) -> None:
    (project / "code.py").write_text("two \r\n")
    (project / "new.py").touch()
    tags, files = described()
    assert tags["newsclf.git_dirty"] == "true"
    assert "?? new.py" in files[UNCOMMITTED], "git knows nothing of it but its name"
    diff = files[UNCOMMITTED].split("\n\n", 1)[1]
    git(project, "checkout", "--quiet", "code.py")
    subprocess.run(["git", "-C", str(project), "apply"], input=diff.encode(), check=True)
    assert (project / "code.py").read_bytes() == b"two \r\n"


def test_without_git_there_is_no_word_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "PROJECT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert described()[0].keys() == {"newsclf.python", "newsclf.platform"}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert described()[0].keys() == {"newsclf.python", "newsclf.platform"}


def test_every_package_has_its_version() -> None:
    found = installed()
    assert any(line.startswith("mlflow==") for line in found)
    assert found == sorted(found, key=str.lower)


def test_the_peak_grows_with_what_is_held() -> None:
    before = peak_memory_bytes()
    held = bytearray(200_000_000)
    held[::4096] = b"x" * len(held[::4096])
    assert peak_memory_bytes() >= before
    assert peak_memory_bytes() > 200_000_000
