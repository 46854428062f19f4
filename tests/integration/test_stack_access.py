"""Who gets in: every path the server has, without a login and with a wrong one; foreign names; a new user's rights."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.server.auth.client import AuthServiceClient

pytestmark = pytest.mark.integration

# MLflow's own tables of routes, of both its applications, in a process of its own: they are made from the environment.
TABLES = """
import json
from mlflow.server import app as flask
from mlflow.server.auth import create_app
native = create_app(flask).openapi()["paths"]
print(json.dumps([
    [(method, rule.rule) for rule in flask.url_map.iter_rules() for method in rule.methods],
    [(method.upper(), path) for path, methods in native.items() for method in methods],
]))
"""
PARAMETER = re.compile(r"<[^>]*>|{[^}]*}")
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture(scope="module")
def routes(tmp_path_factory) -> list[tuple[str, str]]:
    folder = tmp_path_factory.mktemp("tables")
    (folder / "auth.ini").write_text(
        f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{folder / 'login.db'}\n"
        "admin_username = admin\nadmin_password = only-for-this-process\n"
    )
    environment = os.environ | {
        "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "only for this process",
        "_MLFLOW_SGI_NAME": "uvicorn",
    }
    printed = subprocess.run(
        [sys.executable, "-c", TABLES], env=environment, cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    flask, native = json.loads(printed.splitlines()[-1])
    assert len(flask) > 400
    assert len(native) > 50
    return sorted({(method, PARAMETER.sub("1", path)) for method, path in (*flask, *native) if method in METHODS})


def ask(stack, method: str, path: str, login: tuple[str, str] | None = None, **how: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False  # REQUESTS_CA_BUNDLE would come before `verify`
        session.verify = str(stack.ca)
        return session.request(method, stack.uri + path, auth=login, timeout=60, allow_redirects=False, **how)


def answers(stack, routes: list[tuple[str, str]], login: tuple[str, str] | None) -> dict[tuple[str, str], int]:
    """The status that each route answers with."""

    def status(route: tuple[str, str]) -> int:
        return ask(stack, *route, login, json=None if route[0] == "GET" else {}).status_code

    with ThreadPoolExecutor(4) as pool:
        return dict(zip(routes, pool.map(status, routes), strict=True))


def test_a_stranger_is_asked_to_log_in_on_every_path(stack, routes):
    others = [("GET", path) for path in ("/", "/static-files/index.html", "/metrics", "/grafana/", "/nothing/here")]
    answered = answers(stack, [*routes, *others], None)
    assert {route: status for route, status in answered.items() if status != 401} == {}
    assert "Basic" in ask(stack, "GET", "/").headers["WWW-Authenticate"]


def test_a_wrong_name_opens_nothing(stack, routes):
    asked = [route for route in routes if not route[1].startswith("/static-files/")]  # the same in every MLflow
    assert len(asked) > 500
    answered = answers(stack, asked, ("nobody", "x"))
    assert {route: status for route, status in answered.items() if status != 401} == {}


def test_a_wrong_password_opens_nothing(stack, routes):
    """A part of the routes: the server takes its time over the password of a user it knows."""
    for password in ("not-the-password", ""):
        answered = answers(stack, routes[::20], ("admin", password))
        assert {route: status for route, status in answered.items() if status != 401} == {}


@pytest.mark.parametrize(
    "path", ["/", "/api/2.0/mlflow/users/current", "/api/2.0/mlflow/experiments/get?experiment_id=0"]
)
def test_the_administrator_is_let_in(stack, path):
    """Else the tests above would pass on a server that refuses everybody."""
    assert ask(stack, "GET", path, stack.admin).status_code == 200


@pytest.mark.parametrize("header", ["Bearer abc", "Basic", "Basic !!!", "basic YWRtaW46", "Basic YWRtaW4="])
def test_a_malformed_login_is_refused(stack, header):
    assert ask(stack, "GET", "/", headers={"Authorization": header}).status_code == 401


def test_the_servers_own_figures_are_not_for_the_outside(stack):
    assert ask(stack, "GET", "/metrics", stack.admin).status_code == 404


@pytest.mark.parametrize("path", ["/", "/api/2.0/mlflow/experiments/search?max_results=1", "/ajax-api/2.0/mlflow/x"])
def test_a_foreign_host_name_is_refused(stack, path):
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1"):
        assert ask(stack, "GET", path, stack.admin, headers={"Host": host}).status_code == 421


def test_the_server_behind_the_proxy_refuses_it_too(native_only, stack):
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1"):
        answer = requests.get(stack.mlflow.url, headers={"Host": host}, auth=stack.admin, timeout=60)
        assert answer.status_code == 403


def test_a_foreign_page_cannot_change_anything(stack, on_stack):
    def create(name: str, origin: str) -> int:
        url = "/api/2.0/mlflow/experiments/create"
        return ask(stack, "POST", url, stack.admin, json={"name": name}, headers={"Origin": origin}).status_code

    for origin in ("https://evil.example", "https://localhost.evil.example", "null"):
        assert create(f"from {origin}", origin) == 403
        assert on_stack.get_experiment_by_name(f"from {origin}") is None
    assert create("from its own page", stack.uri) == 200

    search = "/api/2.0/mlflow/experiments/search?max_results=1"
    read = ask(stack, "GET", search, stack.admin, headers={"Origin": "https://evil.example"})
    assert read.headers.get("Access-Control-Allow-Origin") not in ("*", "https://evil.example")


def test_a_new_user_reads_and_no_more(stack, on_stack, monkeypatch, tmp_path):
    experiment = on_stack.create_experiment("read by all")
    run = on_stack.create_run(experiment).info.run_id
    on_stack.log_metric(run, "accuracy", 0.5)
    on_stack.log_text(run, "for all", "note.txt")
    AuthServiceClient(stack.uri).create_user("reader", "a-password-of-hers")

    for name, value in stack.environment("reader", "a-password-of-hers").items():
        monkeypatch.setenv(name, value)
    reader = MlflowClient(stack.uri)
    assert reader.get_run(run).data.metrics == {"accuracy": 0.5}
    assert Path(reader.download_artifacts(run, "note.txt", str(tmp_path))).read_text() == "for all"
    (tmp_path / "mine.txt").write_text("mine")
    for forbidden in (
        lambda: reader.log_metric(run, "accuracy", 1.0),
        lambda: reader.set_tag(run, "mine", "yes"),
        lambda: reader.log_artifact(run, str(tmp_path / "mine.txt")),
        lambda: reader.delete_run(run),
        lambda: reader.delete_experiment(experiment),
        lambda: AuthServiceClient(stack.uri).create_user("friend", "another-password"),
        lambda: AuthServiceClient(stack.uri).update_user_admin("reader", True),
        lambda: AuthServiceClient(stack.uri).update_user_password("admin", "mine-from-now-on"),
    ):
        with pytest.raises((MlflowException, requests.HTTPError), match="403|Permission denied"):
            forbidden()
    assert reader.get_run(run).data.metrics == {"accuracy": 0.5}
    assert [file.path for file in reader.list_artifacts(run)] == ["note.txt"]
