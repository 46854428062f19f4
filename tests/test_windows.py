"""newsclf can be imported where a system has no POSIX modules, signals or calls, and a checkout there is no other.

Kinds: every module of newsclf, not the drift room alone (what is imported at a file's top, by itself or by another);
every text file of git, not the scripts of infra/ alone (what a shell, make, Docker, YAML or a checksum reads).
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
IMPORT = """
import importlib, os, pkgutil, signal, sys
for name in ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "readline", "spwd", "crypt"):
    sys.modules[name] = None
for name in ("SIGHUP", "SIGQUIT", "SIGXCPU", "SIGKILL", "SIGUSR1", "SIGALRM", "SIGPIPE", "SIGCHLD"):
    delattr(signal, name)
for name in ("killpg", "setsid", "getpgid", "fchmod", "mkfifo", "openpty"):
    delattr(os, name)
import newsclf
# pyfunc.py is run by MLflow, and wants a model; __main__ is run.
found = [m.name for m in pkgutil.walk_packages(newsclf.__path__, "newsclf.") if m.name != "newsclf.serving.pyfunc"]
for name in found:
    importlib.import_module(name)
from newsclf.drift import fit_reference
from newsclf.tracking.environment import peak_memory_bytes
from newsclf import cli
cli.stopping_signals()
print(len(found), peak_memory_bytes() >= 0)
"""


@pytest.mark.integration
def test_every_module_can_be_imported_without_posix() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", IMPORT], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    count, known = done.stdout.split()
    assert int(count) > 150
    assert known == "True"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as Git for Windows checks it out by default."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    folder = tmp_path_factory.mktemp("windows") / "newsclf"
    quiet = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    quiet |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    options = ["-c", "core.autocrlf=true", "-c", "core.eol=crlf", "-c", "core.safecrlf=false"]
    subprocess.run(["git", "init", "-q", folder], check=True, env=quiet)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in listed.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    for words in (["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "all"]):
        subprocess.run(["git", "-C", folder, *words], check=True, env=quiet, capture_output=True)
    clone = folder.with_name("clone")
    subprocess.run(["git", *options, "clone", "-q", folder, clone], check=True, env=quiet)
    return clone


def test_a_checkout_with_autocrlf_has_no_other_line_ends(checkout: Path) -> None:
    files = [path for path in checkout.rglob("*") if path.is_file() and ".git" not in path.relative_to(checkout).parts]
    assert len(files) > 300
    for wanted in (
        "Makefile",
        "infra/backup.sh",
        "infra/docker-compose.yml",
        "MLproject",
        ".ci/run",
        "configs/train.yaml",
    ):
        assert checkout / wanted in files
    changed = [str(path.relative_to(checkout)) for path in files if path.read_bytes() != original(path, checkout)]
    assert changed == []


def test_what_is_binary_is_named_so() -> None:
    """What git takes for text it would change by a rule for text."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no checkout")
    names = [name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]
    binary = [name for name in names if b"\0" in (ROOT / name).read_bytes()]
    told = subprocess.run(
        ["git", "check-attr", "text", *binary], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert [line for line in told if not line.endswith(": text: unset")] == []


def original(path: Path, checkout: Path) -> bytes:
    return (ROOT / path.relative_to(checkout)).read_bytes()
