"""The door of `mlflow run . -e profile`: `python -m entrypoints.profile`, the same as `newsclf profile`."""

import sys

from newsclf.cli import main

if __name__ == "__main__":
    sys.exit(main(["profile", *sys.argv[1:]]))
