"""The code that a run was made with, from git, in a folder of its own."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from newsclf.errors import InputError
from newsclf.messages import one_line
from newsclf.tracking.server import PROJECT

CODE = ("newsclf/", "entrypoints/", "MLproject", "python_env.yaml")  # what decides what a run does


@contextlib.contextmanager
def checkout(commit: str, uncommitted: str = "") -> Iterator[Path]:
    """The project at `commit` in a temporary git worktree, with a run's uncommitted changes; gone afterwards.

    uncommitted: as `log_code_and_environment` has logged it, `git status --porcelain` and then `git diff`. Raises
    InputError where the commit is not here, and for changes that cannot be made again.
    """
    if _git(PROJECT, "cat-file", "-e", f"{commit}^{{commit}}").returncode:
        raise InputError(f"commit {commit} is not in the repository of {PROJECT}: fetch it (git fetch --all)")
    prefix = _checked(_git(PROJECT, "rev-parse", "--show-prefix")).strip()
    patch = patch_of(uncommitted, prefix)
    with tempfile.TemporaryDirectory(prefix="newsclf-") as temporary:
        tree = Path(temporary) / "tree"
        _git(PROJECT, "worktree", "prune")  # of one that was killed, whose folder is gone
        _checked(_git(PROJECT, "worktree", "add", "--detach", str(tree), commit))
        try:
            if patch:
                applied = _git(tree, "apply", "--whitespace=nowarn", "-", given=patch)
                if applied.returncode:
                    reason = one_line(applied.stderr.decode(errors="replace"), 200)
                    raise InputError(f"the run's uncommitted changes do not apply to commit {commit[:12]}: {reason}")
            yield tree / prefix
        finally:
            _git(PROJECT, "worktree", "remove", "--force", str(tree))


def patch_of(uncommitted: str, prefix: str = "") -> bytes:
    """The diff in what was logged. Raises InputError where there was code that git did not know.

    prefix: of the project in its repository, with a slash at its end; empty where they are the same folder.
    """
    status, _, _ = uncommitted.partition("\n\n")
    untracked = [line[3:].strip('"') for line in status.splitlines() if line.startswith("?? ")]
    code = [name for name in untracked if name.startswith(tuple(prefix + part for part in CODE))]
    if code:
        raise InputError(
            f"the run was made with files that git did not know, and that nothing has kept: {', '.join(code[:5])}"
            f"{' ...' if len(code) > 5 else ''}"
        )
    start = 0 if uncommitted.startswith("diff --git ") else uncommitted.find("\ndiff --git ") + 1
    return uncommitted[start:].encode() if start or uncommitted.startswith("diff --git ") else b""


def _git(folder: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, input=given)
    except FileNotFoundError:
        raise InputError("git is not installed, and the code of a run comes from git") from None


def _checked(done: subprocess.CompletedProcess[bytes]) -> str:
    if done.returncode:
        reason = one_line(done.stderr.decode(errors="replace"), 300)
        raise InputError(f"git cannot give the code of the run: {reason}")
    return done.stdout.decode()
