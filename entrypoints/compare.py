"""The door of `mlflow run . -e compare`; start it as `python -m entrypoints.compare`."""

import sys
from collections.abc import Callable

from newsclf import cli
from newsclf.config import CompareConfig


def _load() -> Callable[[CompareConfig], object]:
    from newsclf.verbs.compare import compare

    return compare


if __name__ == "__main__":
    sys.exit(cli.run("compare", CompareConfig, _load, sys.argv[1:]))
