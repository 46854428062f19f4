"""The door of `mlflow run . -e reproduce`: `python -m entrypoints.reproduce`, the same as `newsclf reproduce`."""

import sys

from newsclf.cli import main

if __name__ == "__main__":
    sys.exit(main(["reproduce", *sys.argv[1:]]))
