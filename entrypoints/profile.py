"""The door of `mlflow run . -e profile`; start it as `python -m entrypoints.profile`."""

import sys
from collections.abc import Callable

from newsclf import cli
from newsclf.config import ProfileConfig


def _load() -> Callable[[ProfileConfig], object]:
    from newsclf.verbs.profile import profile

    return profile


if __name__ == "__main__":
    sys.exit(cli.run("profile", ProfileConfig, _load, sys.argv[1:]))
