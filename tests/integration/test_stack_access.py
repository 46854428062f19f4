"""Who gets in: every path the server has, without a login and with a wrong one; foreign names; a new user's rights."""

import http.client
import re
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.server.auth.client import AuthServiceClient

from tests.stack.routes import installed

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def routes(tmp_path_factory) -> list[tuple[str, str]]:
    found = installed(tmp_path_factory.mktemp("tables"))
    return sorted((method, re.sub(r"<\w+>", "1", path)) for method, path in found)


def ask(stack, method: str, path: str, login: tuple[str, str] | None = None, **how: Any) -> requests.Response:
    """Through the proxy. Who is told to wait, since others were wrong too often, waits."""
    with requests.Session() as session:
        session.trust_env = False  # REQUESTS_CA_BUNDLE would come before `verify`
        session.verify = str(stack.ca)
        while True:
            answer = session.request(method, stack.uri + path, auth=login, timeout=60, allow_redirects=False, **how)
            if answer.status_code != 429:
                return answer
            time.sleep(int(answer.headers["Retry-After"]))


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


def test_a_wrong_login_opens_nothing(native_only, stack, routes):
    """Each from an address of its own, and under a name of its own, so that none has to wait."""

    def status(number: int) -> int:
        (method, path), came_from = routes[number], {"X-Forwarded-For": f"10.0.{number >> 8}.{number & 255}"}
        login = (f"nobody-{number}", "x")
        return requests.request(method, stack.mlflow.url + path, auth=login, headers=came_from, timeout=60).status_code

    assert len(routes) > 500
    with ThreadPoolExecutor(4) as pool:
        answered = dict(zip(routes, pool.map(status, range(len(routes))), strict=True))
    assert {route: code for route, code in answered.items() if code != 401} == {("GET", "/health"): 200}


def test_a_wrong_password_opens_nothing(stack, routes):
    for password in ("not-the-password", ""):
        answered = answers(stack, routes[::100], ("admin", password))
        assert {route: status for route, status in answered.items() if status != 401} == {}


def guess(stack, name: str, address: str) -> requests.Response:
    """Past the proxy, which says where a call comes from."""
    url = f"{stack.mlflow.url}/api/2.0/mlflow/users/current"
    return requests.get(url, auth=(name, "a guess"), headers={"X-Forwarded-For": address}, timeout=60)


@pytest.mark.parametrize(
    ("names", "addresses"), [(["somebody"], "10.1.0.{}"), ([f"user-{number}" for number in range(200)], "10.2.0.1")]
)
def test_who_guesses_has_to_wait(native_only, stack, names, addresses):
    """By name from wherever, and by address under whatever name; each worker counts by itself."""
    answered = [guess(stack, names[number % len(names)], addresses.format(number)) for number in range(150)]
    assert {answer.status_code for answer in answered[:10]} == {401}
    refused = [answer for answer in answered if answer.status_code == 429]
    assert len(refused) > 30
    assert {int(answer.headers["Retry-After"]) for answer in refused} <= {1, 2, 3}
    assert "too many wrong logins" in refused[0].json()["message"]


def test_the_proxy_tells_where_a_call_comes_from(native_only, stack):
    """Else whoever guesses would have a new address each time."""
    session = requests.Session()
    session.trust_env, session.verify = False, str(stack.ca)

    def status(number: int) -> int:
        login, said = (f"someone-{number}", "a guess"), {"X-Forwarded-For": f"10.3.0.{number}"}
        return session.get(f"{stack.uri}/", auth=login, headers=said, timeout=60).status_code

    assert 429 in {status(number) for number in range(150)}


def test_who_was_wrong_too_often_is_soon_let_in(native_only, stack, on_stack):
    AuthServiceClient(stack.uri).create_user("forgetful", "what-was-it-again")
    for number in range(60):
        guess(stack, "forgetful", f"10.4.0.{number}")
    begin = time.monotonic()
    assert ask(stack, "GET", "/", ("forgetful", "what-was-it-again")).status_code == 200
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize("header", [("Content-Length", str(33 * 2**20)), ("Transfer-Encoding", "chunked")])
def test_a_call_is_of_a_sensible_size(native_only, stack, header):
    """Refused before it is read. An artifact is as large as it is: see test_stack_large_artifact.py."""
    connection = http.client.HTTPConnection(stack.mlflow.url.removeprefix("http://"), timeout=60)
    connection.putrequest("POST", "/api/2.0/mlflow/experiments/create")
    for name, value in (header, ("Authorization", f"Basic {b64encode(':'.join(stack.admin).encode()).decode()}")):
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


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
