"""CHANGELOG.md says what the version of the package brings."""

import re
from pathlib import Path

from newsclf import __version__

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_newest_version_is_the_projects() -> None:
    heads = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", TEXT, flags=re.MULTILINE)
    versions = [(tuple(map(int, name.split("."))), date) for name, date in heads[1:]]
    assert heads[0] == ("Unreleased", "")
    assert heads[1][0] == __version__
    assert versions == sorted(versions, reverse=True), "the newest first, and each has a date"
    assert all(date for _, date in versions)
    assert re.findall(r"^\[(.+?)\]: ", TEXT, flags=re.MULTILINE) == [name for name, _ in heads], "each has its link"


def test_changes_are_sorted_by_what_they_are() -> None:
    kinds = set(re.findall(r"^### (.+)$", TEXT, flags=re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_docs_install_this_version() -> None:
    assert f"--release v{__version__} " in (ROOT / "docs" / "backend.md").read_text(encoding="utf-8")
