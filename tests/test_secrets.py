"""No file of the repository holds a secret, a path of a machine, or the address of a package index."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PATTERNS = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,})",
    "hub token": r"\bhf_[A-Za-z0-9]{30,}",
    "Databricks token": r"\bdapi[0-9a-f]{32}",
    "Slack token": r"\bxox[abprs]-[0-9A-Za-z-]{10,}",
    # not one that says itself that it is none, nor one that is hidden, nor one of a test's own server
    "password in a URL": r"://[^/\s:@'\"<>{}$]+:(?!secret@|\*\*\*@)[^/\s:@'\"<>{}$]+@(?!127\.0\.0\.1|localhost)",
    "random value of a secret": r"(?i)(?:password|passwd|secret|token|_key)\w*[\"']?\s*[:=]\s*[\"']?[0-9a-f]{20,}\b",
    "path of a machine": r"(?<![\w.~-])/(?:root|work|home/[a-z]\w*|Users/[A-Za-z]\w*)/\w",
    "package index": r"\b(?:pypi\.org/simple|pythonhosted\.org)|--(?:extra-)?index-ur[l]|--find-link[s]",
}
# Put together here, or this file would hold what it looks for.
EXAMPLES = {
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "AWS key": "key: AKIA" + "IOSFODNN7EXAMPLE",
    "GitHub token": "ghp" + "_" + "a1" * 18,
    "hub token": "hf" + "_" + "aB" * 17,
    "Databricks token": "dapi" + "0f" * 16,
    "Slack token": "xoxb" + "-123456789012",
    "password in a URL": "mysql://mlflow:hunter2" + "@db.internal/mlflow",
    "random value of a secret": "NEWSCLF_DB_" + "PASSWORD=" + "0f1e2d3c" * 4,
    "path of a machine": "open('/" + "home/ann/data.csv')",
    "package index": "pip install --" + "index-url http://mirror",
}


def findings(text: str) -> list[str]:
    return [kind for kind, pattern in PATTERNS.items() if re.search(pattern, text)]


@pytest.mark.parametrize("kind", PATTERNS)
def test_the_scan_sees(kind: str) -> None:
    assert findings(EXAMPLES[kind]) == [kind]


@pytest.mark.parametrize(
    "text",
    ["../shared/data", "https://example.org/work/1", "s3://bucket/home/x/y", "http://a:b@127.0.0.1:5000"],
)
def test_the_scan_passes_over(text: str) -> None:
    assert findings(text) == []


def test_the_settings_of_the_backend_are_never_committed() -> None:
    ignored = ["infra/.env", "infra/ca.crt", "backups/2026-01-31T00-00-00Z/login.db"]
    listing = subprocess.run(["git", "check-ignore", *ignored], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode == 128:
        pytest.skip("not a git checkout")
    assert listing.stdout.split() == ignored


def test_no_file_holds_any() -> None:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listing.returncode:
        pytest.skip("not a git checkout, so nobody says which files are the project's")
    paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    assert ROOT / "Makefile" in paths
    found = {
        str(path.relative_to(ROOT)): kinds
        for path in paths
        if path.is_file() and (kinds := findings(path.read_bytes().decode("utf-8", errors="replace")))
    }
    assert found == {}
