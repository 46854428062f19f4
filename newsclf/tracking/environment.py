"""What a run is made with: code, packages, machine."""

import contextlib
import os
import platform
import sys
from importlib.metadata import distributions
from pathlib import Path

from newsclf.errors import InputError
from newsclf.messages import listed, one_line
from newsclf.tracking.diff_secrets import told, without_secrets
from newsclf.tracking.git import DIFF, STATUS, GitError, git, git_line
from newsclf.tracking.server import PROJECT

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

OURS = "newsclf"
UNCOMMITTED, FREEZE = "environment/uncommitted.diff", "environment/freeze.txt"
CODE = ("newsclf/", "entrypoints/", "MLproject", "python_env.yaml")  # what decides what a run does
BRANCH = ("rev-parse", "--abbrev-ref", "HEAD")
DIRTY, UNKNOWN = "newsclf.git_dirty", "unknown"  # else true or false
DIFF_TAG, LOGGED, MASKED, NOT_LOGGED = "newsclf.git_diff", "logged", "masked", "not logged"
GIT_ERROR_TAG = "newsclf.git_error"


def described(log_diff: bool = True) -> tuple[dict[str, str], dict[str, bytes], list[str]]:
    """(tags, the contents of files by the path that they are logged as, warnings): code and exact package versions.

    The code is git's commit and branch and, with log_diff, what is not committed. The tag newsclf.git_dirty is
    "unknown" where there is a checkout and git does not tell; the warnings have git's own words then.
    """
    tags = {"newsclf.python": platform.python_version(), "newsclf.platform": platform.platform()}
    files = {FREEZE: ("\n".join(installed()) + "\n").encode()}
    try:
        commit = git_line(PROJECT, "rev-parse", "--verify", "HEAD")
        tags |= {"mlflow.source.git.commit": commit, "mlflow.source.git.branch": git_line(PROJECT, *BRANCH)}
        status, diff = uncommitted()
    except (GitError, InputError) as error:
        if not (PROJECT / ".git").exists() and ("not a git repository" in str(error) or isinstance(error, InputError)):
            return tags, files, []  # a copy of the files alone
        said = f"git does not say what code this is, so the run cannot be reproduced: {error}"
        return tags | {DIRTY: UNKNOWN, GIT_ERROR_TAG: str(error)}, files, [said]
    tags[DIRTY] = str(bool(status)).lower()
    if not status:
        return tags, files, []
    if not log_diff:
        return tags | {DIFF_TAG: NOT_LOGGED}, files, []
    diff, found = without_secrets(diff)
    files[UNCOMMITTED] = status + b"\n\n" + diff + b"\n"
    tags[DIFF_TAG] = MASKED if found else LOGGED
    return tags, files, [told(found)] if found else []


def uncommitted() -> tuple[bytes, bytes]:
    """(git's status, its diff that `git apply` takes) of the project, both empty where all is committed.

    Raises GitError where git cannot tell.
    """
    hidden = [name[2:] for name in _listed("ls-files", "-v") if name[:1].islower() or name[:1] == b"S"]
    if there := [os.fsdecode(name) for name in hidden if (PROJECT / os.fsdecode(name)).exists()]:
        raise GitError(
            f"it is told to pass over changes of {listed(there, 3)}: "
            "git update-index --no-assume-unchanged --no-skip-worktree <file>"
        )
    status = git(PROJECT, *STATUS).removesuffix(b"\n")
    # The user's own lists of what git passes over (core.excludesFile, .git/info/exclude) hide code as well.
    lines, top = status.split(b"\n") if status else [], os.fsencode(git_line(PROJECT, "rev-parse", "--show-prefix"))
    others = _listed("ls-files", "--others", "--exclude-per-directory=.gitignore", "--directory", "--", *CODE)
    known = {line[3:].strip(b'"') for line in lines}
    lines += [b"?? " + top + name for name in others if top + name not in known]
    diff = git(PROJECT, *DIFF, "HEAD").removesuffix(b"\n")
    if not diff and (changed := [line for line in lines if not line.startswith(b"??")]):
        raise GitError(f"its status is {one_line(os.fsdecode(changed[0]))}, and its diff is empty")
    return b"\n".join(lines), diff


def installed() -> list[str]:
    """`name==version` of every package of this environment, but for newsclf itself: its version is the commit."""
    found = {f"{d.metadata['Name']}=={d.version}" for d in distributions() if d.metadata["Name"] not in ("", OURS)}
    return sorted(found, key=str.lower)


def peak_memory_bytes() -> int:
    """The largest resident size this process has had; 0 where the system does not tell (Windows)."""
    with contextlib.suppress(OSError), Path("/proc/self/status").open(encoding="ascii") as status:
        # Linux: getrusage would count what the process was before exec, that is its parent's size, too.
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if resource is None:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _listed(*arguments: str) -> list[bytes]:
    """The names that `git ls-files` lists, in the project."""
    command, *rest = arguments
    return [name for name in git(PROJECT, command, "-z", *rest).split(b"\0") if name]
