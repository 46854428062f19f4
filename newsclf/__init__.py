"""newsclf: train, evaluate, profile and watch a news classifier, with every run in MLflow."""

__version__ = "0.2.0"
