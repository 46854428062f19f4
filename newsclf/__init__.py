"""newsclf: train, evaluate, profile and watch a news classifier, with every run in MLflow."""

import os

__version__ = "0.2.0"

# Read by MLflow, which is imported after this, in every process of the project and its children. A client that reports
# on its calls asks the server more than it needs, and has failed healthy requests over it.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# A server, or what stands before it, may name an hour; whoever waits here knows better when to try again.
os.environ.setdefault("MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER", "false")
