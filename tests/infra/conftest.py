"""What the tests of infra/ share: its compose files, and copies of the folder that scripts may write into."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

INFRA = Path(__file__).resolve().parents[2] / "infra"


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    return yaml.safe_load((INFRA / "docker-compose.yml").read_text())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of infra/ without anybody's settings."""
    return shutil.copytree(INFRA, tmp_path / "infra", ignore=shutil.ignore_patterns(".env", "__pycache__", "ca.crt"))


@pytest.fixture
def call(folder: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a script of the copy, with nobody's settings in its environment but those given."""

    def run(script: str, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [folder / script, *arguments],
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run
