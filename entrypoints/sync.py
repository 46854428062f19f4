"""The door of `mlflow run . -e sync`; start it as `python -m entrypoints.sync`."""

import sys
from collections.abc import Callable

from newsclf import cli
from newsclf.config import SyncConfig


def _load() -> Callable[[SyncConfig], object]:
    from newsclf.verbs.sync import sync

    return sync


if __name__ == "__main__":
    sys.exit(cli.run("sync", SyncConfig, _load, sys.argv[1:]))
