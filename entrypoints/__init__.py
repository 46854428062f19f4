"""One file a door: arguments in, one call to the verb, an exit code out."""
