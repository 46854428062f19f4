"""What a shell sees of a verb: exit codes, one line on stderr, help without heavy imports."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

import newsclf
from newsclf.verbs import VERBS

ROOT = Path(newsclf.__file__).parents[1]
HEAVY = {"torch", "mlflow", "transformers", "pytorch_lightning", "whylogs", "optuna", "pandas", "numpy", "scipy"}
# A verb that does what its option says.
VERB = '''
import sys, time
from dataclasses import dataclass
from newsclf import cli
from newsclf.errors import Alarm, InputError, Stopped
from newsclf.config.fields import option

@dataclass(frozen=True, kw_only=True)
class Options:
    """Do as told."""
    act: str = option("nothing", "what to do", role="setting")
    file: str = option("", "a file that says what has become of it", role="output")
    times: int = option(1, "how often", role="setting", low=1, high=3)

def load():
    print("loaded")
    return verb

def verb(options):
    if options.act == "bad input":
        raise InputError("the file news.csv is empty:\\n  give another")
    if options.act == "alarm":
        raise Alarm("in alert: drift")
    if options.act == "fault":
        raise ZeroDivisionError("division\\nby zero")
    if options.act == "full disk":
        with open("/dev/full", "w") as file:
            file.write("news")
    if options.act == "wait":
        try:
            print("waiting", flush=True)
            time.sleep(60)
        except Stopped as stop:
            print("marking", flush=True)
            time.sleep(0.5)
            print("marked", flush=True)
            stop.marked = True
            if options.file:
                with open(options.file, "w") as file:
                    file.write("marked")
            raise
    if options.act == "wait early":
        print("waiting", flush=True)
        time.sleep(60)
    if options.act == "print on":
        print("waiting", flush=True)
        while True:
            print("on", flush=True)
            time.sleep(0.01)
    print("done", options.times)

sys.exit(cli.run("fake", Options, load, sys.argv[1:]))
'''
# The help of every door; then a line: which one, and the packages that are imported by then.
DOORS = """
import runpy, sys
for verb in sys.argv[1:]:
    sys.argv[1:] = ["--help"]
    try:
        runpy.run_module(f"entrypoints.{verb}", run_name="__main__")
    except SystemExit as end:
        assert end.code == 0
    print(f"entrypoints.{verb}", *{name.partition(".")[0] for name in sys.modules})
"""


def environment(**more: str) -> dict[str, str]:
    """This process's own, without a run that `mlflow run` has started or a wish for tracebacks."""
    mine = {name: value for name, value in os.environ.items() if name not in ("MLFLOW_RUN_ID", "NEWSCLF_DEBUG")}
    return {**mine, **more}


def python(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=60,
    )


def fake(*arguments: str, **more: str) -> tuple[int, str, str]:
    done = python("-c", VERB, *arguments, **more)
    return done.returncode, done.stdout, done.stderr


def test_a_verb_that_ends_well_exits_with_0_and_says_nothing_on_stderr() -> None:
    assert fake("--times", "3") == (0, "loaded\ndone 3\n", "")


def test_bad_input_exits_with_2_in_one_line() -> None:
    assert fake("--act", "bad input") == (
        2,
        "loaded\n",
        "fake: the file news.csv is empty: give another\n",
    )


def test_an_alarm_exits_with_3_in_one_line() -> None:
    assert fake("--act", "alarm") == (3, "loaded\n", "fake: in alert: drift\n")


def test_a_fault_exits_with_1_in_one_line_that_says_how_to_see_more() -> None:
    assert fake("--act", "fault") == (
        1,
        "loaded\n",
        "fake: ZeroDivisionError: division by zero (NEWSCLF_DEBUG=1 shows where)\n",
    )


@pytest.mark.parametrize(("act", "error"), [("fault", "ZeroDivisionError"), ("bad input", "newsclf.errors.InputError")])
def test_debug_shows_the_traceback(act: str, error: str) -> None:
    code, _, stderr = fake("--act", act, NEWSCLF_DEBUG="1")
    assert code == (1 if act == "fault" else 2)
    assert stderr.startswith("Traceback (most recent call last):")
    assert "in verb" in stderr
    assert f"\n{error}: " in stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_the_users_to_mend() -> None:
    code, _, stderr = fake("--act", "full disk")
    assert code == 2
    assert stderr == ("fake: the disk is full ([Errno 28] No space left on device): free some space and run again\n")


@pytest.mark.parametrize("arguments", [["--time", "2"], ["--times", "4"], ["--times"], ["times=2"]])
def test_bad_arguments_end_before_the_verb_is_imported(arguments: list[str]) -> None:
    code, stdout, stderr = fake(*arguments)
    assert (code, stdout) == (2, "")
    assert re.fullmatch(r"fake: .*\n", stderr)


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_exits_with_0_whatever_else_is_typed(flag: str) -> None:
    code, stdout, stderr = fake("--no-such", "thing", flag)
    assert (code, stderr) == (0, "")
    assert stdout.startswith("Do as told.\n\nusage: mlflow run . -e fake -P name=value ...\n")
    assert "  --times <a whole number from 1 to 3>  (default: 1)\n      how often\n" in stdout


STOPS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGQUIT: 131, signal.SIGXCPU: 152}


@pytest.mark.parametrize("number", STOPS)
def test_a_signal_ends_the_verb_after_it_has_marked_its_run(number: signal.Signals) -> None:
    with waiting() as process:
        assert process.stdout is not None
        process.send_signal(number)
        assert process.stdout.readline() == "marking\n"
        for second in STOPS:  # an impatient user: the marking is not broken off
            process.send_signal(second)
        stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (STOPS[number], "marked\n")
    assert stderr == "fake: stopped; the run is marked KILLED\n"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_that_the_caller_has_it_ignore_stops_nothing(number: signal.Signals) -> None:
    with waiting(preexec_fn=lambda: signal.signal(number, signal.SIG_IGN)) as process:  # as nohup does
        process.send_signal(number)
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[0] == "marking\nmarked\n"
        assert process.returncode == 143


def test_a_stop_before_the_run_is_there_does_not_say_that_it_is_marked() -> None:
    with waiting("wait early") as process:
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[1] == "fake: stopped; no run was open\n"
        assert process.returncode == 143


def test_a_terminal_that_closes_marks_the_run_though_nothing_can_be_printed(tmp_path: Path) -> None:
    """A shell ends along with its terminal: every print fails from then on, before the run is marked and after."""
    terminal, end = os.openpty()
    streams = {"stdin": end, "stdout": end, "stderr": end}
    with waiting("wait", str(tmp_path / "marked"), preexec_fn=lambda: take_terminal(end), **streams) as process:
        os.close(end)
        said = b""
        while b"waiting" not in said:
            said += os.read(terminal, 1000)
        os.close(terminal)
        assert process.wait(timeout=30) == 129
    assert (tmp_path / "marked").read_text() == "marked"


def test_a_pipe_that_nobody_reads_any_more_ends_in_one_line() -> None:
    with waiting("print on") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == "fake: BrokenPipeError: [Errno 32] Broken pipe (NEWSCLF_DEBUG=1 shows where)\n"
        assert process.wait(timeout=30) == 1


def take_terminal(end: int) -> None:
    os.setsid()
    fcntl.ioctl(end, termios.TIOCSCTTY, 0)


def waiting(act: str = "wait", file: str = "", **how: Any) -> subprocess.Popen[str]:
    """The verb at work."""
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | how
    command = [sys.executable, "-c", VERB, "--act", act, "--file", file]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), text=True, **how)
    if process.stdout is not None:
        assert [process.stdout.readline() for _ in range(2)] == ["loaded\n", "waiting\n"]
    return process


def imported(stderr: str) -> set[str]:
    """The top-level packages in a listing of `python -X importtime`."""
    return {line.rsplit("|", 1)[1].strip().split(".")[0] for line in stderr.splitlines() if line.count("|") == 2}


def test_help_of_a_verb_imports_nothing_heavy() -> None:
    done = python("-c", DOORS, *VERBS)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    with_data = [verb for verb, options in VERBS.items() if hasattr(options, "dataset")]
    assert done.stdout.count("--dataset <text>  (default: sample)") == len(with_data) > 0
    said = [line.split() for line in done.stdout.splitlines() if line.startswith("entrypoints.")]
    assert [door for door, *_ in said] == [f"entrypoints.{verb}" for verb in VERBS]
    assert {door: set(packages) & HEAVY for door, *packages in said} == {door: set() for door, *_ in said}


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("train", ["--epoch", "3"], "train: unknown option epoch: did you mean epochs?"),
        (
            "train",
            ["--config", "configs/train.yaml", "--epoch", "3"],
            "train: unknown option epoch: did you mean epochs?",
        ),
        (
            "train",
            ["--epochs", "0"],
            "train: option epochs is '0': it must be a whole number from 1 to 10000",
        ),
        (
            "train",
            ["--precision", "fp16"],
            "train: option precision is 'fp16': it must be one of auto, fp32, bf16; did you mean bf16?",
        ),
        (
            "train",
            ["--config", "configs/experiments/studi.yaml"],
            "train: config file configs/experiments/studi.yaml does not exist: "
            "did you mean configs/experiments/study.yaml?",
        ),
        ("evaluate", ["--modle", "m"], "evaluate: unknown option modle: did you mean model?"),
    ],
)
def test_a_misspelt_argument_of_a_verb_ends_at_once(verb: str, arguments: list[str], said: str) -> None:
    done = python("-X", "importtime", "-m", f"entrypoints.{verb}", *arguments)
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
    assert lines == [said]
    assert not imported(done.stderr) & HEAVY


def test_evaluate_asks_for_its_model() -> None:
    done = python("-m", "entrypoints.evaluate", "--config", "configs/evaluate.yaml")
    assert done.returncode == 2
    assert done.stderr == (
        "evaluate: option model is missing: "
        "the model: runs:/<run id>/model, models:/<name>@<alias>, or a local folder\n"
    )
