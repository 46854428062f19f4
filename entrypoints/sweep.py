"""The door of `mlflow run . -e sweep`: `python -m entrypoints.sweep`, the same as `newsclf sweep`."""

import sys

from newsclf.cli import main

if __name__ == "__main__":
    sys.exit(main(["sweep", *sys.argv[1:]]))
