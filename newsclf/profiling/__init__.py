"""What a table of text looks like: statistics, embedding map, whylogs profiles, report."""
