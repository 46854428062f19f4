"""The door of `mlflow run . -e sweep`; start it as `python -m entrypoints.sweep`."""

import sys
from collections.abc import Callable

from newsclf import cli
from newsclf.config import SweepConfig


def _load() -> Callable[[SweepConfig], object]:
    from newsclf.verbs.sweep import sweep

    return sweep


if __name__ == "__main__":
    sys.exit(cli.run("sweep", SweepConfig, _load, sys.argv[1:]))
