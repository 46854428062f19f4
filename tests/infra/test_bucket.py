"""The bucket's scripts against an S3 server: made once, never emptied, copied and brought back with every odd key."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

pytestmark = pytest.mark.integration  # an S3 server, and a process a script

INFRA = Path(__file__).resolve().parents[2] / "infra"
ODD = {
    "1/abc/artifacts/model.bin": bytes(range(256)) * 50_000,  # more than one part of an upload
    "folder/": b"",
    "a//b/../c": b"no file can be called so",
    "ünï cødé\U0001f642": b"x",
    "k" * 400: b"long",
    "/leading": b"slash",
}
Script = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def settings(endpoint: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of a bucket that nobody else uses."""
    name = "b" + hashlib.sha256(request.node.name.encode()).hexdigest()[:16]
    return {
        "NEWSCLF_BUCKET": name,
        "MLFLOW_S3_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "key",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


@pytest.fixture
def s3(settings: dict[str, str]) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=settings["MLFLOW_S3_ENDPOINT_URL"],
        aws_access_key_id="id",
        aws_secret_access_key="key",
        region_name="us-east-1",
    )


@pytest.fixture
def script(settings: dict[str, str]) -> Script:
    def run(name: str, *arguments: str, given: bytes = b"", **other: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, INFRA / "bucket" / name, *arguments],
            env={"PATH": os.environ["PATH"], **settings, **other},
            input=given,
            capture_output=True,
            timeout=120,
        )

    return run


def content(s3: Any, bucket: str) -> dict[str, tuple[bytes, str]]:
    """Key to (bytes, content type)."""
    found = {}
    for item in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        got = s3.get_object(Bucket=bucket, Key=item["Key"])
        found[item["Key"]] = (got["Body"].read(), got["ContentType"])
    return found


def fill(s3: Any, bucket: str) -> None:
    for key, body in ODD.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="text/x-odd")


def test_the_bucket_is_made_once_and_keeps_what_it_has(script: Script, settings: dict[str, str], s3: Any) -> None:
    name = settings["NEWSCLF_BUCKET"]
    assert script("bucket.py").stdout.decode() == f"bucket {name} made, versioned\n"
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    s3.put_object(Bucket=name, Key="kept", Body=b"1")
    assert script("bucket.py").stdout.decode() == f"bucket {name} is there, versioned\n"
    assert content(s3, name).keys() == {"kept"}


def test_a_bucket_that_was_there_becomes_versioned(script: Script, settings: dict[str, str], s3: Any) -> None:
    s3.create_bucket(Bucket=settings["NEWSCLF_BUCKET"])
    assert script("bucket.py").returncode == 0
    assert s3.get_bucket_versioning(Bucket=settings["NEWSCLF_BUCKET"])["Status"] == "Enabled"


def test_the_script_cannot_delete() -> None:
    assert "delete" not in (INFRA / "bucket" / "bucket.py").read_text().replace("never deletes", "")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"NEWSCLF_BUCKET": ""}, "NEWSCLF_BUCKET is empty"),
        ({"NEWSCLF_BUCKET": "no bucket"}, "bucket no bucket on http://"),
        ({"MLFLOW_S3_ENDPOINT_URL": "s3.example.org"}, "Invalid endpoint: s3.example.org"),
    ],
)
def test_what_cannot_be_a_bucket_is_one_line(script: Script, other: dict[str, str], said: str) -> None:
    done = script("bucket.py", **other)
    assert done.returncode == 2
    (line,) = done.stderr.decode().splitlines()
    assert said in line


def test_every_object_comes_back_as_it_was(script: Script, settings: dict[str, str], s3: Any) -> None:
    name = settings["NEWSCLF_BUCKET"]
    script("bucket.py")
    fill(s3, name)
    before = content(s3, name)
    assert {key: body for key, (body, _) in before.items()} == ODD
    taken = script("mirror.py", "pull")
    assert (taken.returncode, taken.stderr) == (0, b"6 objects\n")

    for key in ODD:
        s3.delete_object(Bucket=name, Key=key)
    assert script("mirror.py", "count").stdout == b"0\n"
    back = script("mirror.py", "push", given=taken.stdout)
    assert (back.returncode, back.stderr) == (0, b"6 objects\n")
    assert content(s3, name) == before


def test_force_leaves_nothing_that_the_copy_has_not(script: Script, settings: dict[str, str], s3: Any) -> None:
    name = settings["NEWSCLF_BUCKET"]
    script("bucket.py")
    fill(s3, name)
    taken = script("mirror.py", "pull").stdout
    s3.put_object(Bucket=name, Key="later", Body=b"later")
    s3.put_object(Bucket=name, Key="folder/", Body=b"other")
    assert script("mirror.py", "push", given=taken).returncode == 0
    assert "later" in content(s3, name)
    assert script("mirror.py", "push", "--force", given=taken).returncode == 0
    assert {key: body for key, (body, _) in content(s3, name).items()} == ODD
    versions = s3.list_object_versions(Bucket=name)["Versions"]
    assert "later" in {version["Key"] for version in versions}, "a version of it can still be had"


@pytest.mark.parametrize("given", [b"no tar at all", b""])
def test_a_broken_copy_is_one_line(script: Script, given: bytes) -> None:
    script("bucket.py")
    done = script("mirror.py", "push", given=given)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_half_a_copy_is_an_error(script: Script, settings: dict[str, str], s3: Any) -> None:
    script("bucket.py")
    fill(s3, settings["NEWSCLF_BUCKET"])
    taken = script("mirror.py", "pull").stdout
    assert script("mirror.py", "push", given=taken[: len(taken) // 2]).returncode == 2
