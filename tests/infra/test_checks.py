"""What is read from a call: the login, the paths of artifacts, the source of a model's version.

Kinds: every spelling of a way out of a folder, of another store, of two logins in one call. What a server makes of them
is in tests/integration/test_stack_locations.py.
"""

import math
from base64 import b64encode
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

INFRA = Path(__file__).resolve().parents[2] / "infra"


@pytest.fixture(scope="module")
def checks() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(INFRA / "mlflow"))
        yield import_module("checks")


@pytest.fixture(scope="module")
def routes() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(INFRA / "mlflow"))
        yield import_module("routes")


SAFE = [
    "",
    "a.txt",
    "a/b.txt",
    "a/",
    "..name",
    "name..",
    "...",
    "a..b/c",
    "ünï cödé +&%.txt",
    "100%",
    "a:b",
    "a%20b",
    "~",
]
UNSAFE = [
    "..", ".", "../a", "a/..", "a/../b", "a/./b", "/a", "//a", "a//b", "a//", "/", "\\a", "a\\b", "a\x00", "a\nb",
    "\x7f",
    "%2e%2e", "%2E./a", "a/%2e%2e/b", "%252e%252e/a", "%25252e%25252e/a", "%2fa", "a%2f%2e%2e%2fb", "a%5cb", "a%00b",
    "file:a", "FILE:///a", "file%3a///a", "%" + "25" * 10 + "41",
]  # fmt: skip


@pytest.mark.parametrize("path", SAFE)
def test_a_path_below_its_start(checks: Any, path: str) -> None:
    assert checks.is_safe(path)


@pytest.mark.parametrize("path", UNSAFE)
def test_a_path_that_could_leave_its_start(checks: Any, path: str) -> None:
    assert not checks.is_safe(path)
    for name in checks.PATHS:
        query = f"run_id=1&{name}=a&{name}={quote(path, safe='')}".encode()
        assert checks.wrong_path("/get-artifact", [], query)
    assert checks.wrong_path("/api/2.0/mlflow-artifacts/artifacts/x", [("artifact_path", path)], b"")


def test_a_long_path_takes_no_longer_for_being_encoded_often(checks: Any) -> None:
    assert not checks.is_safe("%" + "25" * 30_000 + "41")


@pytest.mark.parametrize("path", ["1/a", "12/run/artifacts/a", "1", "1/"])
def test_an_artifact_of_an_experiment(checks: Any, path: str) -> None:
    where = "/api/2.0/mlflow-artifacts/artifacts"
    assert checks.wrong_path(where, [], f"path={path}".encode()) is None
    assert checks.wrong_path(f"{where}/{path}", [("artifact_path", path)], b"") is None


@pytest.mark.parametrize("path", ["", "a", "a/1", "1a/b", "-1/a", "\u0661/a", "workspaces/w/1/a"])
def test_an_artifact_of_none(checks: Any, path: str) -> None:
    where = "/ajax-api/2.0/mlflow-artifacts/artifacts"
    assert checks.wrong_path(where, [], f"path={quote(path)}".encode())
    assert checks.wrong_path(f"{where}/{path}", [("artifact_path", path)], b"path=1/a")
    assert checks.wrong_path(where, [], b"")


def test_the_path_of_a_call_is_no_path_of_an_artifact(checks: Any) -> None:
    assert checks.wrong_path("/api/2.0/mlflow/runs/get", [], b"run_id=../x") is None


OWN = [
    "runs:/1/model",
    "models:/name/1",
    "models:/name@alias",
    "models:/m-1",
    "mlflow-artifacts:/1/run/artifacts/a%20b",
]
FOREIGN = [
    "", "runs", "runs:", "runs:/", "runs://host/1", "models:", "file:///etc", "/etc", "a", "s3://bucket/1",
    "http://host/1",
    "mlflow-artifacts://host/1/a", "mlflow-artifacts:/1/../2", "mlflow-artifacts:/1/%2e%2e/2", "models:/a?b",
    "mlflow-artifacts:/1/a#b", "mlflow-artifacts:1/a", "mlflow-artifacts://[", "mlflow-artifacts:/1\\a", "runs:/1\n/a",
    "ftp://h/x", "hdfs:/x", "dbfs:/x", "gs://b", "wasbs://c@a/x", "abfss://f@a/x", "r2://b", "b2://b", "dummy-source",
]  # fmt: skip


def test_whose_source_it_is(checks: Any) -> None:
    assert [source for source in OWN if not checks.is_own_source(source)] == []
    assert [source for source in FOREIGN if checks.is_own_source(source)] == []


def basic(text: str) -> bytes:
    return b"Basic " + b64encode(text.encode())


@pytest.mark.parametrize(
    ("values", "login"),
    [
        ([basic("ann:secret")], ("ann", "secret")),
        ([basic("änn:sécret:with:colons")], ("änn", "sécret:with:colons")),
        ([b"bAsIc " + b64encode(b"a:")], ("a", "")),
        ([], None),
        ([basic("ann:secret"), basic("admin:guess")], None),
        ([basic("ann:secret") + b"," + basic("admin:guess")], None),
        ([basic("no colon")], None),
        ([b"Basic " + b64encode(b"\xff:x")], None),
        ([b"Basic  " + b64encode(b"a:b")], None),
        ([b"Basic !!!"], None),
        ([b"Basic"], None),
        ([b"Bearer " + b64encode(b"a:b")], None),
    ],
)
def test_the_login_of_a_call(checks: Any, values: list[bytes], login: tuple[str, str] | None) -> None:
    assert checks.login([(b"host", b"x"), *((b"authorization", value) for value in values)]) == login


def test_the_length_of_a_call(checks: Any) -> None:
    assert checks.length([]) == 0
    assert checks.length([(b"content-length", b"17")]) == 17
    assert checks.length([(b"content-length", b"17"), (b"transfer-encoding", b"chunked")]) == math.inf


@pytest.mark.parametrize(
    ("method", "path", "who"),
    [
        ("GET", "/api/2.0/mlflow/runs/get", "read"),
        ("GET", "/ajax-api/2.0/mlflow/runs/get", "read"),
        ("POST", "/api/2.0/mlflow/runs/get", "off"),
        ("HEAD", "/api/2.0/mlflow/runs/get", "off"),
        ("GET", "/api/2.0/mlflow/runs/get/", "off"),
        ("GET", "//api/2.0/mlflow/runs/get", "off"),
        ("GET", "/api/2.0/mlflow/runs/gets", "off"),
        ("GET", "/api/2.0/mlflow/logged-models/m-1", "read"),
        ("GET", "/api/2.0/mlflow/logged-models/m-1/x", "off"),
        ("GET", "/api/2.0/mlflow/logged-models/", "off"),
        ("GET", "/a-new-route", "off"),
        ("GET", "/graphql", "off"),
    ],
)
def test_what_is_not_listed_is_off(routes: Any, method: str, path: str, who: str) -> None:
    assert routes.find(method, path)[0] == who
