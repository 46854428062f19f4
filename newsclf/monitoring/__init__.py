"""Watching a stream: batches, the rules that they must keep, alerts, and what was judged already."""
