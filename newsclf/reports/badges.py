"""What the reports call a verdict, and where their templates lie."""

from __future__ import annotations

from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"
STATES = {True: "drift", False: "no drift", None: "not judged"}
BADGES = {"drift": "▲ drift", "no drift": "● no drift", "not judged": "○ cannot be judged"}


def verdict_badge(state: str) -> str:
    """A whole verdict lacks data where a kind of drift cannot be judged."""
    return "○ not enough data" if state == "not judged" else BADGES[state]
