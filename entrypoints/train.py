"""The door of `mlflow run . -e train`: `python -m entrypoints.train`, the same as `newsclf train`."""

import sys

from newsclf.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
