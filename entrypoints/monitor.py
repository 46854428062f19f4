"""The door of `mlflow run . -e monitor`; start it as `python -m entrypoints.monitor`."""

import sys
from collections.abc import Callable

from newsclf import cli
from newsclf.config import MonitorConfig


def _load() -> Callable[[MonitorConfig], object]:
    from newsclf.verbs.monitor import monitor

    return monitor


if __name__ == "__main__":
    sys.exit(cli.run("monitor", MonitorConfig, _load, sys.argv[1:]))
