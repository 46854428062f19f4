"""An entry point called in this process: the same door, without the imports of a new one."""

import signal
import sys

import mlflow

from newsclf import cli
from newsclf.verbs import VERBS


def forget_tracking_uri() -> None:
    """The store is again the one that the environment names: what a test has set would count for more."""
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]  # MLflow takes None back in its own code


def call(verb: str, **options: object) -> int:
    """`call("train", epochs=1)`: the exit code; how this process takes signals and prints stays as it was."""
    handlers = {number: signal.getsignal(number) for number in cli.stopping_signals()}
    streams = sys.stdout, sys.stderr
    arguments = [f"--{name}={value}" for name, value in options.items()]
    try:
        return cli.run(verb, VERBS[verb], cli.recipe(verb), arguments)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        sys.stdout, sys.stderr = streams
