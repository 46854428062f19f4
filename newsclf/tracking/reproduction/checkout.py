"""The code that a run was made with, from git, in a folder of its own."""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from newsclf.errors import InputError
from newsclf.messages import listed
from newsclf.tracking.environment import CODE, DIFF_TAG, DIRTY, GIT_ERROR_TAG, LOGGED, MASKED, NOT_LOGGED, UNCOMMITTED
from newsclf.tracking.git import GitError, git
from newsclf.tracking.runs import LoggedRun, artifact
from newsclf.tracking.server import PROJECT


def uncommitted_of(run: LoggedRun) -> bytes:
    """What a run has logged of uncommitted changes; empty where there were none.

    Raises InputError where it is not known whether there were any, or what they were.
    """
    tags, named = run.data.tags, f"run {run.info.run_id}"
    dirty, diff = tags.get(DIRTY), tags.get(DIFF_TAG, LOGGED)
    if dirty not in ("true", "false"):
        said = tags.get(GIT_ERROR_TAG, "it did not say whether there were uncommitted changes")
        raise InputError(f"{named}: its code is not known, as git did not tell ({said})")
    if dirty == "false":
        return b""
    if diff == NOT_LOGGED:
        raise InputError(f"{named} was made with uncommitted changes that it has not logged (log_diff=false)")
    if diff == MASKED:
        raise InputError(
            f"{named} was made with uncommitted changes that held secrets, which are masked in its {UNCOMMITTED}: "
            "that code cannot be run again; keep secrets out of the code, and commit it"
        )
    file = artifact(run.info.run_id, UNCOMMITTED)
    if file is None:
        raise InputError(f"{named} was made with uncommitted changes, and its file {UNCOMMITTED} cannot be had")
    return file.read_bytes()


@contextlib.contextmanager
def checkout(commit: str, uncommitted: bytes = b"") -> Iterator[Path]:
    """The project at `commit` in a temporary git worktree, with a run's uncommitted changes; gone afterwards.

    uncommitted: as `environment.described` has logged it, git's status and then its diff. Raises InputError where the
    commit is not here, and for changes that cannot be made again.
    """
    try:
        git(PROJECT, "cat-file", "-e", f"{commit}^{{commit}}")
    except GitError as error:
        hint = "fetch it (git fetch --all)" if "Not a valid object" in str(error) else str(error)
        raise InputError(f"commit {commit} is not in the repository of {PROJECT}: {hint}") from None
    try:
        prefix = git(PROJECT, "rev-parse", "--show-prefix").removesuffix(b"\n")
        patch = patch_of(uncommitted, prefix)
        with tempfile.TemporaryDirectory(prefix="newsclf-") as temporary:
            tree = Path(temporary) / "tree"
            git(PROJECT, "worktree", "prune")  # of one that was killed, whose folder is gone
            git(PROJECT, "worktree", "add", "--detach", str(tree), commit)
            try:
                _apply(patch, tree, commit)
                yield tree / os.fsdecode(prefix)
            finally:
                git(PROJECT, "worktree", "remove", "--force", str(tree))
    except GitError as error:
        raise InputError(f"git cannot give the code of the run: {error}") from None


def patch_of(uncommitted: bytes, prefix: bytes = b"") -> bytes:
    """The diff in what was logged. Raises InputError where it is not the whole of what was changed.

    prefix: of the project in its repository, with a slash at its end; empty where they are the same folder.
    """
    first = re.search(rb"^diff --git ", uncommitted, re.MULTILINE)
    patch = uncommitted[first.start() :] if first else b""
    status = uncommitted[: first.start() if first else None].partition(b"\n\n")[0].splitlines()
    code = [prefix + part.encode() for part in CODE]
    untracked = [line[3:].strip(b'"') for line in status if line.startswith(b"?? ")]
    # git names a folder of which it knows nothing, and not what is in it
    unknown = [name for name in untracked if any(name.startswith(part) or part.startswith(name) for part in code)]
    if unknown:
        names = listed([os.fsdecode(name) for name in unknown], 5)
        raise InputError(f"the run was made with files that git did not know, and that nothing has kept: {names}")
    changed = [os.fsdecode(line[3:]) for line in status if line.strip() and not line.startswith(b"?? ")]
    if changed and not patch:
        raise InputError(
            f"the run was made with changes of {listed(changed, 5)}, and has logged no diff of them that can be applied"
        )
    return patch


def _apply(patch: bytes, tree: Path, commit: str) -> None:
    """Make the changes. Raises InputError where they do not apply."""
    if not patch:
        return
    try:
        git(tree, "apply", "-p1", "--whitespace=nowarn", "-", given=patch)
    except GitError as error:
        raise InputError(f"the run's uncommitted changes do not apply to commit {commit[:12]}: {error}") from None
