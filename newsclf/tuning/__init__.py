"""A sweep's settings, its trials in Optuna's storage, and what came of them."""
