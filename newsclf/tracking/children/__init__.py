"""Runs that are started by runs."""
