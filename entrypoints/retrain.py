"""The door of `mlflow run . -e retrain`; start it as `python -m entrypoints.retrain`."""

import sys
from collections.abc import Callable

from newsclf import cli
from newsclf.config import RetrainConfig


def _load() -> Callable[[RetrainConfig], object]:
    from newsclf.verbs.retrain import retrain

    return retrain


if __name__ == "__main__":
    sys.exit(cli.run("retrain", RetrainConfig, _load, sys.argv[1:]))
