"""The door of `mlflow run . -e promote`; start it as `python -m entrypoints.promote`."""

import sys
from collections.abc import Callable

from newsclf import cli
from newsclf.config import PromoteConfig


def _load() -> Callable[[PromoteConfig], object]:
    from newsclf.verbs.promote import promote

    return promote


if __name__ == "__main__":
    sys.exit(cli.run("promote", PromoteConfig, _load, sys.argv[1:]))
