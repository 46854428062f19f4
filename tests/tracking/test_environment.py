"""What is said of the code, the packages and the machine; git is asked in a repository of the test's own."""

import os
import re
import subprocess
from collections.abc import Callable
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
    tags, files, warnings = described()
    assert tags["mlflow.source.git.commit"] == git(project, "rev-parse", "HEAD")
    assert (tags["mlflow.source.git.branch"], tags["newsclf.git_dirty"]) == ("trunk", "false")
    assert (files.keys(), warnings) == ({FREEZE}, [])


def apply(project: Path, logged: bytes) -> None:
    """Undo what was changed, and make it again from what was logged, with no setting of the user's."""
    for name in git(project, "config", "--local", "--list", "--name-only").split():
        if not name.startswith(("core.repo", "core.filemode", "core.bare", "core.log")):
            git(project, "config", "--unset-all", name)
    for path in (project / ".gitattributes", project / ".git/info/attributes"):
        path.unlink(missing_ok=True)
    git(project, "checkout", "--quiet", "--force", "HEAD", "--", ".")
    diff = logged[logged.index(b"diff --git ") :]
    subprocess.run(["git", "-C", str(project), "apply", "-"], input=diff, check=True)


def test_what_is_not_committed_can_be_applied_again(project: Path) -> None:
    (project / "code.py").write_bytes(b"two \r\n# caf\xe9\n")  # Latin-1, whatever Python makes of it
    (project / "new.py").touch()
    tags, files, warnings = described()
    assert (tags["newsclf.git_dirty"], tags["newsclf.git_diff"], warnings) == ("true", "logged", [])
    assert b"?? new.py" in files[UNCOMMITTED], "git knows nothing of it but its name"
    apply(project, files[UNCOMMITTED])
    assert (project / "code.py").read_bytes() == b"two \r\n# caf\xe9\n"


# What can change git's words: settings (any file of them, or the environment), other variables of the environment,
# attributes, the language, programs that it starts. Another kind would be a flag of a file: see below.
SETTINGS = [
    "color.ui=always",
    "color.diff=always",
    "color.status=always",
    "diff.external=true",
    "diff.noprefix=true",
    "diff.mnemonicPrefix=true",
    "diff.srcPrefix=x/",
    "diff.context=0",
    "diff.interHunkContext=50",
    "diff.relative=true",
    "diff.renames=copies",
    "diff.ignoreSubmodules=all",
    "diff.submodule=log",
    "diff.algorithm=patience",
    "diff.wsErrorHighlight=all",
    "diff.colorMoved=zebra",
    "diff.suppressBlankEmpty=true",
    "diff.py.textconv=true",
    "diff.py.command=true",
    "core.fsmonitor=true",
    "core.pager=false",
    "core.quotePath=true",
    "core.abbrev=4",
    "core.safecrlf=true",
    "status.short=false",
    "status.branch=true",
    "status.relativePaths=true",
    "status.showUntrackedFiles=no",
    "status.showStash=true",
    "i18n.logOutputEncoding=UTF-16",
    "pager.diff=false",
    "apply.whitespace=error",
    "log.showSignature=true",
]
VARIABLES = {
    "GIT_DIR": "elsewhere",
    "GIT_WORK_TREE": "/",
    "GIT_INDEX_FILE": "elsewhere",
    "GIT_EXTERNAL_DIFF": "true",
    "GIT_DIFF_OPTS": "-u0",
    "GIT_PAGER": "false",
    "GIT_NAMESPACE": "other",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_TRACE": "1",
    "LANGUAGE": "de",
    "LC_ALL": "de_DE.UTF-8",
}


@pytest.fixture
def changed(project: Path) -> tuple[Path, bytes]:
    """The project with every kind of change: in text and in bytes, a name of another language, a file added."""
    (project / "newsclf").mkdir()
    (project / "newsclf" / "train.py").write_text("".join(f"line {number}\n" for number in range(40)))
    (project / "naïve café.py").write_text("one\n")
    (project / ".gitattributes").write_text("*.py diff=py\n")
    git(project, "add", ".")
    git(project, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "two")
    text = (project / "newsclf" / "train.py").read_text().replace("line 5\n", "line five\n").replace("line 30\n", "")
    (project / "newsclf" / "train.py").write_text(text)
    (project / "naïve café.py").write_bytes(b"\xe9\n")
    (project / "newsclf" / "added.py").write_bytes(b"\0\1\xff")
    git(project, "add", "newsclf/added.py")
    (project / "newsclf" / "new.py").touch()
    return project, text.encode()


def check(project: Path, text: bytes) -> None:
    tags, files, warnings = described()
    assert (tags["newsclf.git_dirty"], warnings) == ("true", [])
    assert b"?? newsclf/new.py" in files[UNCOMMITTED].splitlines()
    git(project, "rm", "--quiet", "--cached", "newsclf/added.py")
    (project / "newsclf" / "added.py").unlink()
    apply(project, files[UNCOMMITTED])
    assert (project / "newsclf" / "train.py").read_bytes() == text
    assert (project / "naïve café.py").read_bytes() == b"\xe9\n"
    assert (project / "newsclf" / "added.py").read_bytes() == b"\0\1\xff"


def test_what_git_says_hangs_on_no_setting(changed: tuple[Path, bytes]) -> None:
    for setting in SETTINGS:  # all at once: each by itself is as right, and takes a second
        git(changed[0], "config", *setting.split("=", 1))
    check(*changed)


def test_nor_on_the_environment(changed: tuple[Path, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    plain = described()
    with monkeypatch.context() as patch:
        for name, value in VARIABLES.items():
            patch.setenv(name, value)
        assert described() == plain
    check(*changed)


def test_settings_of_the_environment_are_settings_too(
    changed: tuple[Path, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        for name, value in {"COUNT": "1", "KEY_0": "color.ui", "VALUE_0": "always"}.items():
            patch.setenv(f"GIT_CONFIG_{name}", value)
        patch.setenv("GIT_CONFIG_PARAMETERS", "'status.showUntrackedFiles'='no'")
        found = described()
    assert found == described()


@pytest.mark.parametrize("way", ["core.excludesFile", ".git/info/exclude"])
def test_code_that_the_user_has_git_pass_over_is_named(project: Path, way: str, tmp_path: Path) -> None:
    (project / "newsclf").mkdir()
    (project / "newsclf" / "a.py").write_text("a\n")
    git(project, "add", ".")
    git(project, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "two")
    hidden = project / ".git/info/exclude" if way.startswith(".git") else project / ".git/mine"
    hidden.parent.mkdir(exist_ok=True)
    hidden.write_text("new.py\n.idea\n")
    if way == "core.excludesFile":
        git(project, "config", way, str(hidden))
    (project / ".idea").mkdir()
    (project / ".idea" / "x").touch()
    assert described()[0]["newsclf.git_dirty"] == "false", "what is no code is passed over"
    (project / "newsclf" / "new.py").touch()
    tags, files, _ = described()
    assert tags["newsclf.git_dirty"] == "true"
    assert files[UNCOMMITTED].startswith(b"?? newsclf/new.py\n")


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_file_whose_changes_git_is_told_to_pass_over(project: Path, flag: str) -> None:
    git(project, "update-index", flag, "code.py")
    (project / "code.py").write_text("two\n")
    tags, files, (warning,) = described()
    assert tags["newsclf.git_dirty"] == "unknown"
    assert "it is told to pass over changes of code.py: git update-index --no-assume-unchanged" in warning
    assert files.keys() == {FREEZE}


def broken_index(project: Path) -> None:
    (project / ".git" / "index").write_bytes(b"no index")


def broken_head(project: Path) -> None:
    (project / ".git" / "HEAD").write_text("ref: refs/heads/gone\n")


def no_repository(project: Path) -> None:
    (project / ".git" / "HEAD").unlink()


def another_owner(project: Path) -> None:
    if os.getuid():
        pytest.skip("only root gives a folder away")
    for path in (project, project / ".git"):
        os.chown(path, 65534, 65534)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (another_owner, "detected dubious ownership.*git config --global --add safe.directory"),
        (broken_index, "index file"),
        (broken_head, "Needed a single revision"),
        (no_repository, "not a git repository"),
    ],
)
def test_a_checkout_that_git_does_not_read_is_told_of(
    damage: Callable[[Path], None], words: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GLOBAL", "SYSTEM"):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.parent))
    damage(project)
    tags, _, (warning,) = described()
    assert re.search(f"git does not say what code this is, so the run cannot be reproduced: .*(?:{words})", warning)
    assert tags["newsclf.git_dirty"] == "unknown"
    assert re.search(words, tags["newsclf.git_error"])


def test_a_checkout_without_git_is_told_of(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project))
    assert "git cannot be started (No such file or directory)" in described()[2][0]


def test_changes_without_a_diff_are_told_of(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "code.py").write_text("two\n")
    monkeypatch.setattr(environment, "DIFF", ("diff", "--quiet", "HEAD", "--", "nothing"))
    tags, _, (warning,) = described()
    assert tags["newsclf.git_dirty"] == "unknown"
    assert "its status is M code.py, and its diff is empty" in warning


def test_secrets_are_masked_and_the_diff_can_be_left_out(project: Path) -> None:
    (project / "code.py").write_text("DB_PASSWORD = '" + "hunter2'\n")
    tags, files, (warning,) = described()
    assert (tags["newsclf.git_dirty"], tags["newsclf.git_diff"]) == ("true", "masked")
    assert b"hunter2" not in files[UNCOMMITTED]
    assert b"\n+[masked: a password or key]\n" in files[UNCOMMITTED]
    assert "(a password or key): these lines are masked" in warning
    tags, files, warnings = described(log_diff=False)
    assert (tags["newsclf.git_diff"], files.keys(), warnings) == ("not logged", {FREEZE}, [])


def test_without_git_there_is_no_word_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "PROJECT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert (described()[0].keys(), described()[2]) == ({"newsclf.python", "newsclf.platform"}, [])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (described()[0].keys(), described()[2]) == ({"newsclf.python", "newsclf.platform"}, [])


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
