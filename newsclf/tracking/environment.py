"""What a run is made with: code, packages, machine."""

import contextlib
import os
import platform
import resource
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

from newsclf.tracking.server import PROJECT

UNCOMMITTED, FREEZE = "environment/uncommitted.diff", "environment/freeze.txt"


def described() -> tuple[dict[str, str], dict[str, str]]:
    """(tags, texts by the file that they are logged as): git commit, branch, the dirty diff; exact package versions."""
    tags = {"newsclf.python": platform.python_version(), "newsclf.platform": platform.platform()}
    files = {FREEZE: "\n".join(installed()) + "\n"}
    if commit := _git("rev-parse", "HEAD"):
        # Files git does not know show in `status` alone.
        status = _git("status", "--porcelain")
        tags |= {
            "mlflow.source.git.commit": commit,
            "mlflow.source.git.branch": _git("rev-parse", "--abbrev-ref", "HEAD"),
            "newsclf.git_dirty": str(bool(status)).lower(),
        }
        if status:
            diff = _git("diff", "--binary", "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/", "HEAD")
            files[UNCOMMITTED] = f"{status}\n\n{diff}\n"
    return tags, files


def installed() -> list[str]:
    """`name==version` of every package of this environment."""
    found = {f"{d.metadata['Name']}=={d.version}" for d in distributions() if d.metadata["Name"]}
    return sorted(found, key=str.lower)


def peak_memory_bytes() -> int:
    """The largest resident size this process has had."""
    with contextlib.suppress(OSError), Path("/proc/self/status").open(encoding="ascii") as status:
        # Linux: getrusage would count what the process was before exec, that is its parent's size, too.
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _git(*arguments: str) -> str:
    """Output of git in the project folder; empty where there is no git or no checkout."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            ["git", "-C", str(PROJECT), *arguments],
            capture_output=True,
            timeout=60,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    # Nothing else is cut off or translated: a diff is applied again by `reproduce`.
    return done.stdout.decode(errors="replace").removesuffix("\n") if done.returncode == 0 else ""
