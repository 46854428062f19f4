"""The door of `mlflow run . -e monitor`: `python -m entrypoints.monitor`, the same as `newsclf monitor`."""

import sys

from newsclf.cli import main

if __name__ == "__main__":
    sys.exit(main(["monitor", *sys.argv[1:]]))
