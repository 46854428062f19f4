"""What every entry point does: arguments in, one call to the verb, an exit code out.

Exit codes: 0 done, 1 a fault of the program, 2 bad input, 130 Ctrl-C, 143 SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

from newsclf.errors import InputError, Stopped
from newsclf.options import help_text, resolve

# Libraries put a full disk in words of their own kinds of error: the system's, SQLite's.
DISK_FULL = ("No space left on device", "Disk quota exceeded", "database or disk is full")


def run(verb: str, config_class: type, load: Callable[[], Callable[[Any], Any]], arguments: Sequence[str]) -> int:
    """Check `arguments`, call the verb with the config made of them, and return the exit code.

    load imports the verb and returns its function: help and bad arguments need none of its imports.
    """
    usage = f"{config_class.__doc__}\n\nusage: mlflow run . -e {verb} -P name=value ...\n       python -m entrypoints.{verb} --name value ..."
    if {"--help", "-h"} & set(arguments):
        print(help_text(config_class, usage))
        return 0
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        config = resolve(config_class, arguments)  # before the imports: a misspelt name ends at once
        load()(config)
    except InputError as error:
        return _ended(verb, "FAILED", error, str(error), 2)
    except Stopped as stop:
        return _ended(verb, "KILLED", stop, "stopped; the run is marked KILLED", 128 + stop.signal_number)
    except Exception as error:
        if any(sign in str(error) for sign in DISK_FULL):
            return _ended(verb, "FAILED", error, f"the disk is full ({error}): free some space and run again", 2)
        return _ended(verb, "FAILED", error, f"{type(error).__name__}: {error}", 1)
    return 0


def _ended(verb: str, status: str, error: BaseException, message: str, code: int) -> int:
    if os.environ.get("NEWSCLF_DEBUG") == "1":
        raise error
    hint = "" if code != 1 else " (NEWSCLF_DEBUG=1 shows where)"
    print(f"{verb}: {' '.join(message.split())}{hint}", file=sys.stderr, flush=True)
    if os.environ.get("MLFLOW_RUN_ID"):
        from newsclf.tracking.run import report_early_end

        report_early_end(status, message)
    return code


def _stop(signal_number: int, _: Any) -> None:
    # From here on the run is being marked as KILLED: a second signal must not break that off.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped(signal_number)
