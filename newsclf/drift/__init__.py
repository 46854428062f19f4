"""Whether text has changed: one file a kind of drift, one verdict."""
