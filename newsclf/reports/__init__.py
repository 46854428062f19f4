"""Findings as pages: all HTML, charts and templates."""
