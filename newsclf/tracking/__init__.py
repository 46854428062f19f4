"""The tracking room: everything that talks to the MLflow server."""
