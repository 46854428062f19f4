"""newsclf: train, evaluate, profile and watch a news classifier, with every run in MLflow."""

import os

__version__ = "0.2.0"

# Read by MLflow when it is imported, which is after this, in every process of the project and its children: a client
# that reports on its calls asks the server more than it needs, and has failed healthy requests over it.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
