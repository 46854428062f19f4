"""What every entry point does: arguments in, one call to the verb, an exit code out.

Exit codes: 0 done, 1 a fault of the program or (sync) a server that is away, 2 bad input, 3 done with an alert
(`fail_on`), 4 done and not reproduced, 128 and its number for a signal (130 Ctrl-C, 143 SIGTERM, 129 a closed
terminal).
"""

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from newsclf.config.options import help_text, resolve
from newsclf.errors import Alarm, Differs, InputError, Stopped, Unsent, disk_full
from newsclf.masking import masked


def run(verb: str, config_class: type, load: Callable[[], Callable[[Any], Any]], arguments: Sequence[str]) -> int:
    """Check `arguments`, call the verb with the config made of them, and return the exit code.

    load imports the verb and returns its function: help and bad arguments need none of its imports.
    """
    if {"--help", "-h"} & set(arguments):
        usage = f"usage: mlflow run . -e {verb} -P name=value ...\n       python -m entrypoints.{verb} --name value ..."
        print(help_text(config_class, f"{config_class.__doc__}\n\n{usage}"))
        return 0
    for number in stopping_signals():
        signal.signal(number, _stop)
    run_id = os.environ.get("MLFLOW_RUN_ID")  # of `mlflow run`; MLflow takes it out of the environment later
    marked = False
    try:
        config: Any = resolve(config_class, arguments)  # before the imports: a misspelt name ends at once
        load()(config)
        return 0
    except InputError as error:
        _trace()
        status, message, code = "FAILED", str(error), 2
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
    _keep_printing()
    message = masked(message)  # libraries quote addresses, with the logins in them
    if status != "KILLED":
        print(f"{verb}: {' '.join(message.split())}", file=sys.stderr, flush=True)
    if run_id:
        from newsclf.tracking.run import report_early_end

        marked = report_early_end(run_id, status, message) or marked
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


class _Printer:
    """A stream whose reader may be gone (a closed terminal, a pipe): what is written then is lost, and nothing else."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def _keep_printing() -> None:
    """From here on, no print breaks off what has to be done at the end."""
    sys.stdout, sys.stderr = _Printer(sys.stdout), _Printer(sys.stderr)


def _trace() -> None:
    if os.environ.get("NEWSCLF_DEBUG") == "1":
        print(masked(traceback.format_exc()), file=sys.stderr, flush=True)


def _stop(signal_number: int, _: Any) -> None:
    # From here on the run is being marked as KILLED: a second signal must not break that off.
    for number in stopping_signals():
        signal.signal(number, signal.SIG_IGN)
    _keep_printing()
    raise Stopped(signal_number)
