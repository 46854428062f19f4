"""Versions of registered models, and which of them is champion."""
