"""newsclf: train, evaluate, profile and watch a news classifier, with every run in MLflow."""
