"""The door of `mlflow run . -e compare`: `python -m entrypoints.compare`, the same as `newsclf compare`."""

import sys

from newsclf.cli import main

if __name__ == "__main__":
    sys.exit(main(["compare", *sys.argv[1:]]))
