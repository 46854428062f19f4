"""The door of `mlflow run . -e retrain`: `python -m entrypoints.retrain`, the same as `newsclf retrain`."""

import sys

from newsclf.cli import main

if __name__ == "__main__":
    sys.exit(main(["retrain", *sys.argv[1:]]))
