"""The command: `newsclf <verb> name=value ...`. Arguments in, one call to the verb, an exit code out.

Exit codes: 0 done, 1 a fault of the program or (sync) a server that is away, 2 bad input, 3 done with an alert
(`fail_on`), 4 done and not reproduced, 128 and its number for a signal (130 Ctrl-C, 143 SIGTERM, 129 a closed
terminal).
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import newsclf
from newsclf.completion import SHELLS, completion
from newsclf.config.arguments import WORKING_FOLDER, parse
from newsclf.config.commented_yaml import commented_yaml, required_options
from newsclf.config.options import build, checked, help_text, typed, typed_names
from newsclf.errors import Alarm, Differs, InputError, SecretGiven, Stopped, Unsent, disk_full
from newsclf.fetching import nothing_fetched
from newsclf.masking import masked
from newsclf.messages import did_you_mean, one_line
from newsclf.output import outlive_readers
from newsclf.verbs import VERBS, summary

DRY_RUN, PRINT_CONFIG = "--dry-run", "--print-config"
FLAGS = {"--help": "this page", PRINT_CONFIG: "print all options, with what is given, as a file for the option config"}
FLAGS |= {DRY_RUN: "say what would be done, and do nothing: no run, no file", "-h": ""}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the words of the command line say; the exit code. arguments: without the program's name."""
    outlive_readers()
    verb, *rest = (sys.argv[1:] if arguments is None else arguments) or ("",)
    if verb in VERBS:
        return run(verb, VERBS[verb], recipe(verb), rest)
    if verb in ("--help", "-h", "help"):
        print(overview())
        return 0
    if verb == "--version":
        print(f"newsclf {newsclf.__version__}")
        return 0
    if verb == "completion" and len(rest) == 1 and rest[0] in SHELLS:
        print(completion(rest[0], list(FLAGS)), end="")
        return 0
    if verb == "completion":
        print(f"newsclf: write newsclf completion {' or newsclf completion '.join(SHELLS)}", file=sys.stderr)
        return 2
    if verb:
        near = did_you_mean(verb, [*VERBS, "completion"])
        said = f'unknown verb "{one_line(verb)}"{near or ": newsclf --help lists them"}'
    else:
        said = "no verb is given: newsclf --help lists them"
    print(f"newsclf: {said}", file=sys.stderr)
    return 2


def recipe(verb: str) -> Callable[[], Callable[[Any], Any]]:
    """What imports the verb and returns its function."""
    return lambda: getattr(import_module(f"newsclf.verbs.{verb}"), verb)


def overview() -> str:
    """The page of `newsclf --help`: every verb with a line."""
    width = max(map(len, VERBS))
    return "\n".join(
        [
            f"{newsclf.__doc__}",
            "",
            "usage: newsclf <verb> name=value ...",
            "",
            "verbs:",
            *(f"  {verb:{width}}  {summary(verb)}" for verb in VERBS),
            "",
            "newsclf <verb> --help lists the options of a verb; newsclf --version; newsclf completion bash|zsh",
        ]
    )


def verb_help(verb: str, config_class: type) -> str:
    """The page of `newsclf <verb> --help`."""
    required = "".join(f" {name}=..." for name in required_options(config_class))
    flags = "\n".join(f"  {flag:15} {words}" for flag, words in FLAGS.items() if words)
    return help_text(
        config_class,
        f"{config_class.__doc__}\n\n"
        f"usage: newsclf {verb}{required} name=value ...    (--name value is the same)\n"
        f'       make {verb} P="name=value ..."\n'
        f"       mlflow run . -e {verb} --env-manager local -P name=value ...\n\n"
        f"{flags}",
    )


def run(verb: str, config_class: type, load: Callable[[], Callable[[Any], Any]], arguments: Sequence[str]) -> int:
    """Check `arguments`, call the verb with the config made of them, and return the exit code.

    load imports the verb and returns its function: help and bad arguments need none of its imports.
    """
    outlive_readers()
    if {"--help", "-h"} & set(arguments):
        print(verb_help(verb, config_class))
        return 0
    for number in stopping_signals():
        signal.signal(number, _stop)
    run_id = os.environ.get("MLFLOW_RUN_ID")  # of `mlflow run`; MLflow takes it out of the environment later
    marked, secret = False, ""
    try:
        given, flags = parse(arguments, typed_names(config_class), FLAGS)
        values = typed(config_class, given)  # MLflow has a config of its own, in the project's folder
        if folder := os.environ.pop(WORKING_FOLDER, ""):
            os.chdir(folder)
        if PRINT_CONFIG in flags:
            head = [f"Options of newsclf {verb}; to run it with them: newsclf {verb} config=<this file>"]
            print(commented_yaml(config_class, head, checked(config_class, values)), end="")
            return 0
        config: Any = build(config_class, values)  # before the imports: a misspelt name ends at once
        if DRY_RUN in flags:
            with nothing_fetched():
                for line in import_module(f"newsclf.plans.{verb}").plan(config):
                    print(line, flush=True)
            print("a dry run: nothing is done")
            return 0
        load()(config)
        return 0
    except InputError as error:
        _trace()
        status, message, code = "FAILED", str(error), 2
        secret = error.option if isinstance(error, SecretGiven) else ""
    except Unsent as unsent:
        status, message, code = "FAILED", str(unsent), 1
    except Alarm as alarm:
        status, message, code = "FINISHED", str(alarm), 3
    except Differs as differs:
        status, message, code = "FINISHED", str(differs), 4
    except Stopped as stop:
        _trace()
        status, message, code = "KILLED", str(stop), 128 + stop.signal_number
        marked = stop.marked
    except Exception as error:
        _trace()
        status, message, code = "FAILED", f"{type(error).__name__}: {error} (NEWSCLF_DEBUG=1 shows where)", 1
        if line := disk_full(error):
            message, code = f"the disk is full ({line}): free some space and run again", 2
    message = masked(message)  # libraries quote addresses, with the logins in them
    if status != "KILLED":
        print(f"{verb}: {' '.join(message.split())}", file=sys.stderr, flush=True)
    if run_id:
        from newsclf.tracking.run import report_early_end

        marked = report_early_end(run_id, status, message, secret) or marked
    if status == "KILLED":  # what has become of the run is known by now
        unmarked = f"run {run_id} could not be marked, as its server does not answer" if run_id else "no run was open"
        print(f"{verb}: stopped; {'the run is marked KILLED' if marked else unmarked}", file=sys.stderr, flush=True)
    return code


def stopping_signals() -> tuple[signal.Signals, ...]:
    """Those that ask a process to stop, but for what the caller has it ignore, as `nohup` does.

    From a person (Ctrl-C, Ctrl-backslash, a closed terminal), a service or a batch system (SIGTERM, the end of the
    processor time). Windows has some of them.
    """
    ours = [signal.SIGINT, signal.SIGTERM]
    others = [getattr(signal, name, None) for name in ("SIGHUP", "SIGQUIT", "SIGXCPU")]
    return (*ours, *(one for one in others if one and signal.getsignal(one) != signal.SIG_IGN))


def _trace() -> None:
    if os.environ.get("NEWSCLF_DEBUG") == "1":
        print(masked(traceback.format_exc()), file=sys.stderr, flush=True)


def _stop(signal_number: int, _: Any) -> None:
    # From here on the run is being marked as KILLED: a second signal must not break that off.
    for number in stopping_signals():
        signal.signal(number, signal.SIG_IGN)
    raise Stopped(signal_number)
