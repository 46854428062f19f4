"""The door of `mlflow run . -e simulate`; start it as `python -m entrypoints.simulate`."""

import sys
from collections.abc import Callable

from newsclf import cli
from newsclf.config import SimulateConfig


def _load() -> Callable[[SimulateConfig], object]:
    from newsclf.verbs.simulate import simulate

    return simulate


if __name__ == "__main__":
    sys.exit(cli.run("simulate", SimulateConfig, _load, sys.argv[1:]))
