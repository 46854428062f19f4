"""The door of `mlflow run . -e evaluate`: `python -m entrypoints.evaluate`, the same as `newsclf evaluate`."""

import sys

from newsclf.cli import main

if __name__ == "__main__":
    sys.exit(main(["evaluate", *sys.argv[1:]]))
