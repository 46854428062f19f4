"""The completion scripts, asked in a real shell on a terminal of its own.

Kinds: verbs, options in each of their three forms, values, flags, files (also with a blank), nothing where none fits.
"""

import contextlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsclf.cli import FLAGS
from newsclf.completion import FILES, SHELLS, completion, option_values
from newsclf.config import TrainConfig
from newsclf.config.options import typed_names
from newsclf.verbs import VERBS

START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source ./script"),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -d ./dump; source ./script"),
}
# The command as the script's caller sees it: it writes down its words.
COMMAND = """newsclf() { printf "%s\\0" "$@" > ./words; mv ./words ./said; }"""
CASES = {
    "tr": ["train"],
    "comple": ["completion"],
    "completion z": ["completion", "zsh"],
    "train preci": ["train", "precision="],
    "train --preci": ["train", "--precision"],
    "train precision=b": ["train", "precision=bf16"],
    "train --precision=b": ["train", "--precision=bf16"],
    "train --precision b": ["train", "--precision", "bf16"],
    "train seed=1 prefix_cache=t": ["train", "seed=1", "prefix_cache=true"],
    "train encoder=mi": ["train", "encoder=minilm"],
    "train --print": ["train", "--print-config"],
    "train --print-config epoc": ["train", "--print-config", "epochs="],
    "train dataset=new": ["train", "dataset=news.csv"],
    "train --dataset new": ["train", "--dataset", "news.csv"],
    "train dataset=a\\ f": ["train", "dataset=a folder"],
    "train dataset=a\\ folder/m": ["train", "dataset=a folder/more news.csv"],
    "evaluate epoc": ["evaluate", "epoc"],  # an option of another verb
    "train seed=new": ["train", "seed=new"],  # a number is no file
    "sync serv": ["sync", "server="],
    "trane epoc": ["trane", "epoc"],
}


class Shell:
    """An interactive shell, typed into."""

    def __init__(self, shell: str, folder: Path) -> None:
        command, first = START[shell]
        self.said = folder / "said"
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, os.environ | {"TERM": "dumb", "HISTFILE": "/dev/null"})
        self.type(f"{first}; {COMMAND}; newsclf ready\n")
        assert self.words() == ["ready"]

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def words(self) -> list[str]:
        """What the command was called with; waited for."""
        printed, until = "", time.monotonic() + 30
        while not self.said.is_file():
            if select.select([self.terminal], [], [], 0.02)[0]:
                printed += os.read(self.terminal, 65536).decode(errors="replace")
            assert time.monotonic() < until, printed
        found = self.said.read_text().removesuffix("\0").split("\0")
        self.said.unlink()
        return found

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


@pytest.fixture(scope="module", params=sorted(SHELLS))
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    folder = tmp_path_factory.mktemp("shell")
    (folder / "script").write_text(completion(request.param, list(FLAGS)))
    (folder / "a folder").mkdir()
    for name in ("news.csv", "a folder/more news.csv"):
        (folder / name).touch()
    with contextlib.closing(Shell(request.param, folder)) as opened:
        yield opened


@pytest.mark.parametrize("line", CASES)
def test_a_line_is_completed(shell: Shell, line: str) -> None:
    shell.type(f"newsclf {line}\t\n")
    # zsh takes the slash behind a folder away when the line is entered.
    assert [word.rstrip("/") for word in shell.words()] == CASES[line]


def test_every_verb_and_option_is_in_the_scripts() -> None:
    for shell in SHELLS:
        script = completion(shell, list(FLAGS))
        for verb, options in VERBS.items():
            assert f'        {verb}) echo "{" ".join(typed_names(options))}" ;;' in script
            for name, values in option_values(options).items():
                (line,) = re.findall(
                    rf"^ *(?:\S*\|)?{verb}\.{name}(?:\|\S*)?\) echo '(.*)' ;;", script, re.MULTILINE
                ) or [""]
                assert line.split() == values


def test_the_values_of_an_option_are_its_choices_or_files() -> None:
    values = option_values(TrainConfig)
    assert values["precision"] == ["auto", "fp32", "bf16"]
    assert values["prefix_cache"] == ["true", "false"]
    assert values["dataset"] == ["sample", FILES]
    assert values["epochs"] == []
    assert values["num_samples"] == ["all"]
    assert values["config"] == values["output_dir"] == [FILES]


def test_the_script_for_bash_passes_shellcheck(tmp_path: Path) -> None:
    (tmp_path / "script").write_text(completion("bash", list(FLAGS)))
    done = subprocess.run(["shellcheck", "-s", "bash", tmp_path / "script"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
