"""git, asked so that its answer hangs on the checkout alone, and not on what the user or the caller has set up."""

import os
import subprocess
from pathlib import Path

from newsclf.errors import InputError
from newsclf.messages import one_line

SECONDS = 120
# Of the environment's GIT_*, what says where configuration and repositories may be; the rest (GIT_DIR of a hook,
# GIT_EXTERNAL_DIFF, GIT_INDEX_FILE, GIT_TRACE, ...) makes git speak of something else, or in other words.
KEPT = ("GIT_CONFIG", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_EXEC_PATH")
PINNED = {
    "color.ui": "false",
    "core.fsmonitor": "false",  # a program of the user's that says which files have changed
    "core.untrackedCache": "false",
    "core.quotePath": "false",  # a name as its bytes
    "core.attributesFile": os.devnull,
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "apply.whitespace": "nowarn",
    "apply.ignoreWhitespace": "no",
    "log.showSignature": "false",
}
STATUS = ("status", "--porcelain=v1", "--untracked-files=normal", "--ignore-submodules=none", "--no-renames")
DIFF = (
    *("diff", "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"),
    *("--no-relative", "--unified=3", "--inter-hunk-context=0", "--ignore-submodules=none", "--submodule=short"),
    *("--src-prefix=a/", "--dst-prefix=b/", "--diff-algorithm=myers"),
)


class GitError(Exception):
    """git has failed; the message is what it said, in one line."""


def git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    """What git says to `arguments` in `folder`, byte by byte. given: its standard input.

    Raises GitError where it fails, and InputError where it is not installed.
    """
    environment = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    environment |= {name: text for name, text in os.environ.items() if name.startswith(KEPT)}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "LANGUAGE": ""}
    pinned = [word for name, value in PINNED.items() for word in ("-c", f"{name}={value}")]
    command = ["git", "--no-pager", *pinned, "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, env=environment, input=given)
    except OSError as error:
        raise InputError(f"git cannot be started ({error.strerror}), and the code of a run comes from git") from None
    except subprocess.TimeoutExpired:
        raise GitError(f"no answer to `git {arguments[0]}` within {SECONDS} s") from None
    if done.returncode:
        raise GitError(one_line(done.stderr.decode(errors="replace"), 400) or f"exit code {done.returncode}")
    return done.stdout


def git_line(folder: Path, *arguments: str) -> str:
    """The one line that git says; raises as `git` does."""
    return git(folder, *arguments).decode(errors="replace").removesuffix("\n")
