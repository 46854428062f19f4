"""infra/.env: written once, with secrets of its own, and one clear line where somebody has broken it."""

import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Call = Callable[..., subprocess.CompletedProcess[str]]
SECRETS = re.compile(r"^(NEWSCLF_\w*(?:PASSWORD|SECRET|KEY))=(.*)$", flags=re.MULTILINE)


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.fixture
def settings(folder: Path, call: Call) -> Path:
    done = call("init-env.sh")
    assert done.returncode == 0, done.stderr
    return folder / ".env"


def test_settings_are_for_their_owner_alone_and_pass_the_check(settings: Path, call: Call) -> None:
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    done = call("check-env.sh")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_secret_that_compose_asks_for_is_there_and_random(settings: Path, folder: Path, call: Call) -> None:
    first = dict(SECRETS.findall(settings.read_text()))
    asked = set(re.findall(r"\$\{(\w+):\?", (folder / "docker-compose.yml").read_text()))
    assert first.keys() == asked
    assert all(re.fullmatch("[0-9a-f]{16,}", secret) for secret in first.values())
    settings.unlink()
    call("init-env.sh")
    second = dict(SECRETS.findall(settings.read_text()))
    assert len({*first.values(), *second.values()}) == 2 * len(first)


def test_settings_are_never_overwritten(settings: Path, folder: Path, call: Call) -> None:
    before = settings.read_text()
    assert "left as it is" in refused(call("init-env.sh"))
    assert settings.read_text() == before
    assert [path.name for path in folder.iterdir() if path.name.startswith(".init-env")] == []


def test_settings_can_be_given(folder: Path, call: Call) -> None:
    done = call("init-env.sh", "NEWSCLF_SITE=mlflow.example.org", "NEWSCLF_TLS=acme", "COMPOSE_PROFILES=metrics")
    assert done.returncode == 0, done.stderr
    lines = (folder / ".env").read_text().splitlines()
    assert {"NEWSCLF_SITE=mlflow.example.org", "NEWSCLF_TLS=acme", "COMPOSE_PROFILES=metrics"} <= set(lines)
    assert "NEWSCLF_SITE=localhost" not in lines


def test_a_wrong_setting_leaves_no_file(folder: Path, call: Call) -> None:
    assert "NEWSCLF_PORT must be a port" in refused(call("init-env.sh", "NEWSCLF_PORT=https"))
    assert "'no name' is not NAME=value" in refused(call("init-env.sh", "no name"))
    assert not (folder / ".env").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("NEWSCLF_PORT=443", "NEWSCLF_PORT = 443", ".env line 7: this is not NAME=value"),
        ("NEWSCLF_PORT=443", "export NEWSCLF_PORT=443", ".env line 7: this is not NAME=value"),
        ("NEWSCLF_PORT=443", "NEWSCLF_PROT=443", ".env line 7: nothing is called NEWSCLF_PROT"),
        ("NEWSCLF_PORT=443", "NEWSCLF_PORT=0", "NEWSCLF_PORT must be a port"),
        ("NEWSCLF_PORT=443", "NEWSCLF_SITE=a.org", "NEWSCLF_SITE stands there twice"),
        ("NEWSCLF_SITE=localhost", "NEWSCLF_SITE=https://localhost", "NEWSCLF_SITE must be a host name"),
        ("NEWSCLF_ADDRESS=127.0.0.1", "NEWSCLF_ADDRESS=", "NEWSCLF_ADDRESS must be an IP address"),
        ("NEWSCLF_TLS=internal", "NEWSCLF_TLS=acme", "needs a public NEWSCLF_SITE, not 'localhost'"),
        ("NEWSCLF_TLS=internal", "NEWSCLF_TLS=off", "NEWSCLF_TLS must be internal, acme or files"),
        ("=READ", "=ADMIN", "NEWSCLF_DEFAULT_PERMISSION must be READ"),
        ("NEWSCLF_DB_PASSWORD=", "NEWSCLF_DB_PASSWORD=p@ss/", "NEWSCLF_DB_PASSWORD must be at least 12 letters and"),
        ("NEWSCLF_ADMIN_PASSWORD=", "#", "NEWSCLF_ADMIN_PASSWORD is missing"),
        (
            "NEWSCLF_BUCKET=mlflow",
            "COMPOSE_FILE=docker-compose.yml:docker-compose.s3.yml",
            "NEWSCLF_S3_ENDPOINT is mis",
        ),
        ("NEWSCLF_BUCKET=mlflow", "NEWSCLF_S3_ENDPOINT=s3.example.org", "must be an address with its scheme"),
    ],
)
def test_a_broken_line_is_named(settings: Path, call: Call, old: str, new: str, said: str) -> None:
    text = settings.read_text()
    assert old in text
    settings.write_text(text.replace(old, new, 1))
    line = refused(call("check-env.sh"))
    assert said in line
    assert not any(secret in line for _, secret in SECRETS.findall(text)), "a secret is not repeated"


def test_settings_that_others_can_read_are_refused(settings: Path, call: Call) -> None:
    settings.chmod(0o644)
    assert "others can read it" in refused(call("check-env.sh"))


def test_without_settings_the_script_that_writes_them_is_named(call: Call) -> None:
    assert "infra/init-env.sh writes it" in refused(call("check-env.sh"))
