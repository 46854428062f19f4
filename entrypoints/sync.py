"""The door of `mlflow run . -e sync`: `python -m entrypoints.sync`, the same as `newsclf sync`."""

import sys

from newsclf.cli import main

if __name__ == "__main__":
    sys.exit(main(["sync", *sys.argv[1:]]))
