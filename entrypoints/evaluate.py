"""The door of `mlflow run . -e evaluate`; start it as `python -m entrypoints.evaluate`."""

import sys
from collections.abc import Callable

from newsclf import cli
from newsclf.config import EvaluateConfig


def _load() -> Callable[[EvaluateConfig], object]:
    from newsclf.verbs.evaluate import evaluate

    return evaluate


if __name__ == "__main__":
    sys.exit(cli.run("evaluate", EvaluateConfig, _load, sys.argv[1:]))
