"""What create-vm.sh asks of Azure: the commands it gives to a stand-in of `az` that only writes them down."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

Call = Callable[..., subprocess.CompletedProcess[str]]
AZ = """#!/usr/bin/env bash
case "$*" in
  *"--custom-data "*) cp "${@: -3:1}" "$SEEN/cloud-init.yaml" ;;
esac
printf '%s\\n' "$*" >> "$SEEN/az"
case "$*" in *"--output tsv"*) echo "id-of-${1}" ;; esac
"""


@pytest.fixture
def release(tmp_path: Path) -> tuple[Path, str]:
    """(a repository with the annotated tag v1, the commit that it names)."""
    repository = tmp_path / "repository"
    author = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org"}
    author |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in author.items()}

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=repository, env=os.environ | author, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    repository.mkdir()
    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "One")
    git("tag", "--annotate", "v1", "--message", "v1")
    return repository, git("rev-parse", "HEAD")


@pytest.fixture
def create(call: Call, tmp_path: Path, release: tuple[Path, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """create-vm.sh with a stand-in of az, and a repository of this machine in place of https://example.org/."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "az").write_text(AZ)
    (tmp_path / "bin" / "az").chmod(0o755)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return call(
            "azure/create-vm.sh",
            *arguments,
            PATH=f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
            SEEN=str(tmp_path),
            GIT_CONFIG_COUNT="1",
            GIT_CONFIG_KEY_0=f"url.{release[0]}.insteadOf",
            GIT_CONFIG_VALUE_0="https://example.org/newsclf.git",
        )

    return run


OPTIONS = ("--repository", "https://example.org/newsclf.git", "--release", "v1", "--ssh-from", "203.0.113.7/32")


@pytest.fixture
def asked(create: Call, tmp_path: Path) -> list[str]:
    done = create(*OPTIONS)
    assert done.returncode == 0, done.stderr
    return (tmp_path / "az").read_text().splitlines()


def rules(asked: list[str]) -> Iterator[tuple[str, str]]:
    for line in asked:
        if line.startswith("network nsg rule create"):
            (source,) = re.findall(r"--source-address-prefixes (\S+)", line)
            (ports,) = re.findall(r"--destination-port-ranges (.+?) --", line + " --")
            yield ports, source


def test_https_is_open_to_all_and_ssh_to_one_address(asked: list[str]) -> None:
    assert dict(rules(asked)) == {"443": "Internet", "22": "203.0.113.7/32"}
    (vm,) = [line for line in asked if line.startswith("vm create")]
    assert "--authentication-type ssh" in vm
    assert "--nsg newsclf" in vm


def test_backups_go_to_an_account_without_keys_that_the_vm_may_use(asked: list[str]) -> None:
    (account,) = [line for line in asked if line.startswith("storage account create")]
    for flag in ("--allow-blob-public-access false", "--allow-shared-key-access false", "--min-tls-version TLS1_2"):
        assert flag in account
    (name,) = re.findall(r"--name (\S+)", account)
    assert re.fullmatch("[a-z0-9]{3,24}", name)
    (role,) = [line for line in asked if line.startswith("role assignment create")]
    assert "--assignee-object-id id-of-vm --scope id-of-storage" in role


def test_the_vm_gets_the_release_as_it_is_now(asked: list[str], tmp_path: Path, release: tuple[Path, str]) -> None:
    text = (tmp_path / "cloud-init.yaml").read_text()
    settings = yaml.safe_load(text)
    assert re.findall(r"@[A-Z]+@", text) == []
    commands = "\n".join(settings["runcmd"])
    assert "git clone https://example.org/newsclf.git /data/newsclf" in commands
    assert f"checkout --detach {release[1]}" in commands
    assert "NEWSCLF_SITE=newsclf.westeurope.cloudapp.azure.com" in commands


def test_every_path_that_the_vm_calls_is_in_the_project(asked: list[str], folder: Path, tmp_path: Path) -> None:
    called = set(re.findall(r"/data/newsclf/infra/(\S+\.sh)", (tmp_path / "cloud-init.yaml").read_text()))
    assert called == {"up.sh", "backup.sh", "init-env.sh"}
    assert all(os.access(folder / script, os.X_OK) for script in called)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--repository ''"),
        (("--repository", "git@example.org:x/y"), "an address that begins with https://"),
        ((*OPTIONS, "--release", "v2"), "has no tag v2"),
        ((*OPTIONS, "--ssh-from", "0.0.0.0/0"), "--ssh-from 0.0.0.0/0: as 203.0.113.7/32"),
        ((*OPTIONS, "--name", "My VM"), "--name My VM: small letters"),
        ((*OPTIONS, "--colour", "red"), "--colour is no option"),
        (("--name",), "--name has no value"),
    ],
)
def test_a_wrong_option_is_named_before_anything_is_made(
    create: Call, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    done = create(*options)
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[0]
    asked = tmp_path / "az"
    assert not asked.exists() or asked.read_text().splitlines() == ["account show --query id --output tsv"]
