"""The door of `mlflow run . -e reproduce`; start it as `python -m entrypoints.reproduce`."""

import sys
from collections.abc import Callable

from newsclf import cli
from newsclf.config import ReproduceConfig


def _load() -> Callable[[ReproduceConfig], object]:
    from newsclf.verbs.reproduce import reproduce

    return reproduce


if __name__ == "__main__":
    sys.exit(cli.run("reproduce", ReproduceConfig, _load, sys.argv[1:]))
