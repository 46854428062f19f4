"""The recipes: what the program can do, one file a verb."""
