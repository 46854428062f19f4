"""The door of `mlflow run . -e train`; start it as `python -m entrypoints.train`."""

import sys
from collections.abc import Callable

from newsclf import cli
from newsclf.config import TrainConfig


def _load() -> Callable[[TrainConfig], object]:
    from newsclf.verbs.train import train

    return train


if __name__ == "__main__":
    sys.exit(cli.run("train", TrainConfig, _load, sys.argv[1:]))
