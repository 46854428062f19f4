"""What every entry point does: arguments in, one call to the verb, an exit code out.

Exit codes: 0 done, 1 a fault of the program or (sync) a server that is away, 2 bad input, 3 done with an alert
(`fail_on`), 4 done and not reproduced, 130 Ctrl-C, 143 SIGTERM.
"""

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
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    run_id = os.environ.get("MLFLOW_RUN_ID")  # of `mlflow run`; MLflow takes it out of the environment later
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
        status, message, code = "KILLED", "stopped; the run is marked KILLED", 128 + stop.signal_number
    except Exception as error:
        _trace()
        status, message, code = "FAILED", f"{type(error).__name__}: {error} (NEWSCLF_DEBUG=1 shows where)", 1
        if line := disk_full(error):
            message, code = f"the disk is full ({line}): free some space and run again", 2
    message = masked(message)  # libraries quote addresses, with the logins in them
    print(f"{verb}: {' '.join(message.split())}", file=sys.stderr, flush=True)
    if run_id:
        from newsclf.tracking.run import report_early_end

        report_early_end(run_id, status, message)
    return code


def _trace() -> None:
    if os.environ.get("NEWSCLF_DEBUG") == "1":
        print(masked(traceback.format_exc()), file=sys.stderr, flush=True)


def _stop(signal_number: int, _: Any) -> None:
    # From here on the run is being marked as KILLED: a second signal must not break that off.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped(signal_number)
