"""When a drifting stream wants a new model, which rows it is trained and tested on, which texts should be labelled."""
