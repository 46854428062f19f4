"""The door of `mlflow run . -e promote`: `python -m entrypoints.promote`, the same as `newsclf promote`."""

import sys

from newsclf.cli import main

if __name__ == "__main__":
    sys.exit(main(["promote", *sys.argv[1:]]))
