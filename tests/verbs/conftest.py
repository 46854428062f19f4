"""Verbs of the journal are tried on the journals of tests/tracking."""

from tests.tracking.conftest import begin, empty, folder, server

__all__ = ["begin", "empty", "folder", "server"]
