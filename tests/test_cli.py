"""What a shell sees of a verb: exit codes, one line on stderr, help without heavy imports."""

import fcntl
import os
import re
import shlex
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

import newsclf
from newsclf import cli
from newsclf.config.commented_yaml import required_options
from newsclf.config.fields import names_of
from newsclf.config.options import resolve
from newsclf.verbs import VERBS, summary

ROOT = Path(newsclf.__file__).parents[1]
HEAVY = {"torch", "mlflow", "transformers", "pytorch_lightning", "whylogs", "optuna", "pandas", "numpy", "scipy"}
# A verb that does what its option says.
VERB = '''
import os, sys, time
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
    if options.act == "folder":
        print(os.getcwd(), os.environ.get("NEWSCLF_WORKING_FOLDER"))
    if options.act == "print on":
        print("waiting", flush=True)
        while True:
            print("on", flush=True)
            time.sleep(0.01)
    print("done", options.times)

sys.exit(cli.run("fake", Options, load, sys.argv[1:]))
'''
REQUIRED = {"model": "runs:/a/model", "stream": "in", "reference": "b", "kind": "sudden", "strategy": "grid"}
REQUIRED |= {"runs": "a,b", "run_id": "c"}
# Values that YAML takes for something else where they stand without quotes, by option.
GIVEN = {
    "dataset": "no.csv",
    "text_column": "12:30",
    "label_column": "2026-01-02",
    "output_dir": "a: b # c 'd' \"e\"\nf\tü \\",
    "data_dir": "010",
    "categories": "all",
    "device": "cpu",
    "learning_rate": "1e-5",
    "num_samples": "20",
    "trainable_layers": "all",
    "monitors": "[{name: a, metric: rows, below: 3}]",
    "windows": "[{name: no, from: 2026-01-02, to: 2026-01-03}]",
    "space": "{learning_rate: {low: 1e-4, high: 1e-2, log: true}, batch_size: [16, 32]}",
    "train": "{dataset: 'no', text_column: \"x\\ny\"}",
    "encoder": "~",
    "name": "null",
    "server": "http://host:5000",
    "amount": "0.25",
}
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


@pytest.mark.parametrize("arguments", [["--time", "2"], ["--times", "4"], ["--times"], ["times", "2"]])
def test_bad_arguments_end_before_the_verb_is_imported(arguments: list[str]) -> None:
    code, stdout, stderr = fake(*arguments)
    assert (code, stdout) == (2, "")
    assert re.fullmatch(r"fake: .*\n", stderr)


def test_a_run_that_a_run_has_started_works_where_that_ones_user_is(tmp_path: Path) -> None:
    code, stdout, stderr = fake("--act", "folder", NEWSCLF_WORKING_FOLDER=str(tmp_path))
    assert (code, stdout, stderr) == (0, f"loaded\n{tmp_path} None\ndone 1\n", "")


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_exits_with_0_whatever_else_is_typed(flag: str) -> None:
    code, stdout, stderr = fake("--no-such", "thing", flag)
    assert (code, stderr) == (0, "")
    assert stdout.startswith("Do as told.\n\nusage: newsclf fake name=value ... ")
    assert "  times=<a whole number from 1 to 3>  (default: 1)\n      how often\n" in stdout


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


def test_a_pipe_that_nobody_reads_any_more_stops_nothing() -> None:
    with waiting("print on") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.send_signal(signal.SIGTERM)
        assert process.stderr.read() == "fake: stopped; no run was open\n"
        assert process.wait(timeout=30) == 143


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


def call_main(*words: str) -> int:
    """The command in this process; how that takes signals stays as it was."""
    handlers = {number: signal.getsignal(number) for number in cli.stopping_signals()}
    try:
        return cli.main(words)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def imported(stderr: str) -> set[str]:
    """The top-level packages in a listing of `python -X importtime`."""
    return {line.rsplit("|", 1)[1].strip().split(".")[0] for line in stderr.splitlines() if line.count("|") == 2}


def test_help_of_a_verb_imports_nothing_heavy() -> None:
    done = python("-c", DOORS, *VERBS)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    with_data = [verb for verb, options in VERBS.items() if hasattr(options, "dataset")]
    assert done.stdout.count("dataset=<text>  (default: sample)") == len(with_data) > 0
    said = [line.split() for line in done.stdout.splitlines() if line.startswith("entrypoints.")]
    assert [door for door, *_ in said] == [f"entrypoints.{verb}" for verb in VERBS]
    assert {door: set(packages) & HEAVY for door, *packages in said} == {door: set() for door, *_ in said}


@pytest.mark.parametrize("page", [["--help"], ["--version"], ["completion", "bash"], ["train", "--print-config"]])
def test_the_command_itself_imports_nothing_heavy(page: list[str]) -> None:
    done = python("-X", "importtime", "-m", "newsclf", *page)
    assert done.returncode == 0
    assert not imported(done.stderr) & HEAVY


def test_the_command_lists_every_verb_with_a_line() -> None:
    done = python("-m", "newsclf", "--help")
    listed = dict(re.findall(r"^  (\w+) +(\S.*)$", done.stdout, flags=re.MULTILINE))
    assert listed == {verb: summary(verb) for verb in VERBS}
    assert python("-m", "newsclf", "--version").stdout == f"newsclf {newsclf.__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no verb is given: newsclf --help lists them"),
        (["trian"], 'unknown verb "trian"; did you mean "train"?'),
        (["TRAIN"], 'unknown verb "TRAIN"; did you mean "train"?'),
        (["complete", "bash"], 'unknown verb "complete"; did you mean "completion"?'),
        (["epochs=20"], 'unknown verb "epochs=20": newsclf --help lists them'),
        (["--epochs", "20"], 'unknown verb "--epochs": newsclf --help lists them'),
        (["", "train"], "no verb is given: newsclf --help lists them"),
        (["completion"], "write newsclf completion bash or newsclf completion zsh"),
        (["completion", "fish"], "write newsclf completion bash or newsclf completion zsh"),
        (["\udcff"], 'unknown verb "\\udcff": newsclf --help lists them'),
    ],
)
def test_a_wrong_verb_exits_with_2_in_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 2
    assert capsys.readouterr() == ("", f"newsclf: {said}\n")


@pytest.mark.parametrize("verb", VERBS)
def test_a_printed_config_is_taken_again(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [f"{name}={REQUIRED[name]}" for name in required_options(VERBS[verb])]
    options += [f"{name}={value}" for name, value in GIVEN.items() if name in names_of(VERBS[verb])]
    assert call_main(verb, *options, "--print-config") == 0
    file = tmp_path / "printed.yaml"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert resolve(VERBS[verb], [f"config={file}"]) == resolve(VERBS[verb], options)
    assert len(re.findall(r"^# .+\n\w+: ", file.read_text(), flags=re.MULTILINE)) == len(names_of(VERBS[verb]))


@pytest.mark.parametrize("verb", VERBS)
def test_a_config_is_printed_without_what_must_be_given(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call_main(verb, "--print-config") == 0
    missing = re.findall(r"^# (\w+): \(required\)$", capsys.readouterr().out, flags=re.MULTILINE)
    assert missing == required_options(VERBS[verb])


def test_a_printed_config_has_what_a_file_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("epochs: 7\nseed: 3\n")
    assert call_main("train", "--print-config", f"config={file}", "--seed", "4") == 0
    printed = capsys.readouterr().out
    assert "\nepochs: 7\n" in printed
    assert "\nseed: 4\n" in printed
    assert call_main("train", "--print-config", "epochs=0") == 2
    assert capsys.readouterr().err == "train: option epochs is '0': it must be a whole number from 1 to 10000\n"


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["train", "--help"],
        ["train", "--print-config"],
        ["completion", "zsh"],
    ],
)
def test_a_reader_that_ends_early_is_no_error(command: list[str]) -> None:
    words = shlex.join([sys.executable, "-m", "newsclf", *command])
    # The reader ends before the first word is written.
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; (sleep 0.1; {words}) | true"], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


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
