"""The evaluation room: what a model's probabilities are worth on labelled rows."""
