"""A run written on this machine first, and sent to its server once."""
