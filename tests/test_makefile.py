"""The Makefile, run for real on a small copy of the project with stand-ins for Python and MLflow."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from newsclf.verbs import VERBS, summary

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("make", "sh", "sed", "awk", "touch", "mkdir", "cp", "chmod")

# `-m venv` makes a folder with this same stand-in; `-m pip install` leaves a line in the log.
GOOD = """#!/bin/sh
case "$1 $2" in
"-m venv") mkdir -p "$4/bin" && cp "$0" "$4/bin/python" && echo "venv by ${0##*/}" >> "$LOG" ;;
"-m pip") [ "$3" = --version ] || { echo "pip $*" >> "$LOG"; exit ${PIP_EXIT:-0}; } ;;
*) exec PYTHON "$@" ;;
esac
"""
OLD = "#!/bin/sh\nexec PYTHON -c 'import sys; sys.version_info = (3, 10, 4); exec(sys.argv[1])' \"$2\"\n"
WITHOUT_VENV = '#!/bin/sh\nexec PYTHON -c \'import sys; sys.modules["ensurepip"] = None; exec(sys.argv[1])\' "$2"\n'
SHIM = '#!/bin/sh\necho "pyenv: ${0##*/}: command not found" >&2\nexit 127\n'


class Project:
    """A folder with the Makefile and the files it reads; `make` there sees no program but those in bin/."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin, self.log = folder / "project", folder / "bin", folder / "log"
        self.folder.mkdir()
        self.bin.mkdir()
        self.log.touch()
        for name in ("Makefile", "python_env.yaml", "pyproject.toml"):
            shutil.copy(ROOT / name, self.folder)
        (self.folder / "entrypoints").mkdir()
        shutil.copy(ROOT / "entrypoints/verbs.mk", self.folder / "entrypoints")
        for name in TOOLS:
            program = shutil.which(name)
            assert program, f"{name} is needed"
            (self.bin / name).symlink_to(program)

    def program(self, name: str, script: str) -> None:
        path = self.bin / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script.replace("PYTHON", shlex.quote(sys.executable)))
        path.chmod(0o755)

    def make(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        variables = {"PATH": str(self.bin), "LOG": str(self.log), **environment}
        return subprocess.run(
            ["make", *arguments], cwd=self.folder, env=variables, capture_output=True, text=True, timeout=60
        )

    def logged(self) -> list[str]:
        lines = self.log.read_text().splitlines()
        self.log.write_text("")
        return lines


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.mark.parametrize("script", [None, OLD, WITHOUT_VENV, SHIM], ids=["none", "old", "without venv", "pyenv shim"])
@pytest.mark.parametrize("target", ["train", "test", "check-torchtext"])
def test_a_missing_or_wrong_python_ends_in_one_sentence(project: Project, script: str | None, target: str) -> None:
    if script:
        project.program("python3", script)
    done = project.make(target)
    assert done.returncode != 0
    assert done.stdout == ""
    sentence, makes_own_line = done.stderr.splitlines()
    assert re.fullmatch(r"newsclf needs Python 3\.11 or 3\.12 .* which none of these is: python3\.11 .*\.", sentence)
    assert makes_own_line.startswith("make: ***")
    assert not (project.folder / ".venv").exists()


def test_the_first_python_that_works_is_taken(project: Project) -> None:
    for name, script in (
        ("python3.11", SHIM),
        ("python3.12", WITHOUT_VENV),
        ("python3", GOOD),
        ("python", GOOD),
    ):
        project.program(name, script)
    assert project.make(".venv/.installed").returncode == 0
    assert project.logged()[0] == "venv by python3"


def test_python_can_be_named(project: Project) -> None:
    project.program("python3", GOOD)
    project.program("my-python", GOOD)
    assert project.make(".venv/.installed", f"PYTHON={project.bin / 'my-python'}").returncode == 0
    assert project.logged()[0] == "venv by my-python"


def test_all_pins_are_installed_and_a_second_call_installs_nothing(project: Project) -> None:
    project.program("python3", GOOD)
    assert project.make(".venv/.installed-dev").returncode == 0
    venv, pins, command, dev = project.logged()
    assert venv == "venv by python3"
    assert pins == "pip -m pip install -r .venv/requirements.txt"
    assert command == "pip -m pip install --no-deps --no-index --no-build-isolation -e ."
    assert dev == f"{pins} -r .venv/dev.txt", "the tools may not move a pin"
    environment = yaml.safe_load((ROOT / "python_env.yaml").read_text())
    wanted = environment["build_dependencies"] + environment["dependencies"]
    assert (project.folder / ".venv/requirements.txt").read_text().split() == wanted
    assert "ruff==" in (project.folder / ".venv/dev.txt").read_text()

    assert project.make(".venv/.installed-dev").returncode == 0
    assert project.logged() == []


def test_other_pins_are_installed_into_the_same_environment(project: Project) -> None:
    project.program("python3", GOOD)
    project.make(".venv/.installed")
    project.logged()
    stamp = (project.folder / ".venv/.installed").stat()
    os.utime(project.folder / "python_env.yaml", (stamp.st_atime + 1, stamp.st_mtime + 1))
    assert project.make(".venv/.installed").returncode == 0
    assert [line.split()[0] for line in project.logged()] == ["pip"]


def test_an_interrupted_install_is_taken_up_again(project: Project) -> None:
    project.program("python3", GOOD)
    assert project.make(".venv/.installed", PIP_EXIT="1").returncode != 0
    project.logged()
    assert project.make(".venv/.installed").returncode == 0
    assert [line.split()[0] for line in project.logged()] == ["pip"]


def test_half_an_environment_is_made_anew(project: Project) -> None:
    project.program("python3", GOOD)
    project.program(str(project.folder / ".venv/bin/python"), SHIM)
    assert project.make(".venv/.installed").returncode == 0
    assert [line.split()[0] for line in project.logged()] == ["venv", "pip"]


def test_torchtext_has_an_environment_of_its_own(project: Project) -> None:
    project.program("python3", GOOD)
    assert project.make(".venv-torchtext/.installed").returncode == 0
    assert project.logged() == ["venv by python3", "pip -m pip install -r .venv-torchtext/requirements.txt"]
    assert "torchtext==0.18.0" in (project.folder / ".venv-torchtext/requirements.txt").read_text().split()
    assert (project.folder / ".venv-torchtext/.gitignore").read_text() == "*\n"


def test_an_environment_of_before_gets_the_command_alone(project: Project) -> None:
    project.program("python3", GOOD)
    assert project.make(".venv/.installed").returncode == 0
    assert [line.split()[0] for line in project.logged()] == ["venv", "pip"]
    assert project.make(".venv/.installed-newsclf").returncode == 0
    assert project.logged() == ["pip -m pip install --no-deps --no-index --no-build-isolation -e ."]
    assert project.make(".venv/.installed-newsclf").returncode == 0
    assert project.logged() == []


ECHO = """#!/bin/sh
case "$1 $2" in
"-m newsclf") printf '%s\\n' "$@"; exit ${NEWSCLF_EXIT:-0} ;;
*) exit 0 ;;
esac
"""


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_a_target_and_its_options_arrive_as_they_are(project: Project, verb: str) -> None:
    project.program(str(project.folder / ".venv/bin/python"), ECHO)
    values = [
        "epochs=2",
        "a=$HOME",
        "b=it's",
        "c=*",
        "dataset=s3://b/k.csv?x=1&y=(2)",
        'd="q"',
        "e=#1",
        "f=$(x)",
        "g=`x`",
    ]
    values += ["h=a;b|c>d", "i=\\\\n", "j=ä", "--dry-run", "k=%20", "l=!x", "m=~", "n={1,2}"]
    done = project.make("-s", verb, f"P={' '.join(values)}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-len(values) - 3 :] == ["-m", "newsclf", verb, *values]
    assert project.make(verb, NEWSCLF_EXIT="3").returncode != 0


def test_the_ui_is_told_its_port(project: Project) -> None:
    project.program("python3", GOOD)
    project.make(".venv/.installed-newsclf")
    project.program(str(project.folder / ".venv/bin/python"), '#!/bin/sh\necho "$@"\n')
    assert project.make("ui").stdout == "-m newsclf.tracking.ui\n"
    assert project.make("ui", PORT="5001").stdout == "-m newsclf.tracking.ui 5001\n"


def test_help_comes_first_and_lists_every_target(project: Project) -> None:
    phony, verbs = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert verbs == "$(VERBS)"
    listed = re.findall(r"^make (\S+) +(\S.*)$", project.make().stdout, flags=re.MULTILINE)
    assert sorted(name for name, _ in listed) == sorted([*phony.split(), *VERBS])
    assert {name: words for name, words in listed if name in VERBS} == {verb: summary(verb) for verb in VERBS}
