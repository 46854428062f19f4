"""What errors of a tracking server mean, and which addresses are none."""

import os
import subprocess
import sys
import threading
from unittest.mock import patch

import mlflow
import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException, RestException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED, UNAUTHENTICATED

from newsclf.errors import InputError
from newsclf.tracking.server import (
    address_of,
    as_default,
    briefly,
    check_uri,
    experiment_of,
    first_line,
    set_defaults,
    tracking_uri,
    trouble,
    with_login,
)

AWAY = "API request to http://127.0.0.1:1/api failed with exception HTTPConnectionPool(host='127.0.0.1', port=1): "
CAUSES = {
    "NewConnectionError(\"HTTPConnection(host='127.0.0.1', port=1): Failed to establish a new connection: [Errno 111] "
    'Connection refused")': "Connection refused",
    "ResponseError('too many 503 error responses')": "too many 503 error responses",
    "ReadTimeoutError(\"HTTPConnectionPool(host='127.0.0.1', port=1): Read timed out. (read timeout=10)\")": (
        "Read timed out."
    ),
}


@pytest.mark.parametrize(("cause", "text"), CAUSES.items())
def test_a_server_that_is_away_is_worth_waiting_for(cause: str, text: str) -> None:
    found = trouble(MlflowException(f"{AWAY}Max retries exceeded with url: /api (Caused by {cause})"))
    assert (found.text, found.lasting) == (text, False)


def test_a_certificate_that_has_expired_is_not() -> None:
    cause = "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
    found = trouble(MlflowException(f"{AWAY}(Caused by {cause}certificate has expired (_ssl.c:1006)')))"))
    assert found.text.startswith("its certificate is not accepted (certificate has expired): ")
    assert found.lasting


def test_a_login_that_is_refused_says_what_to_set() -> None:
    answer = requests.Response()
    answer.status_code = 401
    for error in (
        MlflowException("You are not authenticated", error_code=UNAUTHENTICATED),
        requests.HTTPError("401 Client Error", response=answer),
    ):
        found = trouble(error)
        assert "MLFLOW_TRACKING_USERNAME" in found.text
        assert found.lasting


def test_what_the_server_refuses_it_will_refuse_again() -> None:
    too_long = {"error_code": "INVALID_PARAMETER_VALUE", "message": "Param value has length 9000"}
    assert trouble(RestException(too_long)).lasting
    assert trouble(MlflowException("Permission denied", error_code=PERMISSION_DENIED)).lasting
    assert not trouble(RestException({"error_code": "TEMPORARILY_UNAVAILABLE", "message": "database"})).lasting
    assert not trouble(RestException({"error_code": "INTERNAL_ERROR", "message": "object store"})).lasting


@pytest.mark.parametrize("uri", ["localhost:5000", "mlflow.example.org", "10.0.0.1:5000/path", "mlruns"])
def test_an_address_without_a_scheme(uri: str) -> None:
    with pytest.raises(InputError, match="has no scheme: write http://"):
        check_uri(uri)


@pytest.mark.parametrize("uri", ["https://mlflow.example.org", "sqlite:///runs.db", "databricks", "file:/tmp/runs"])
def test_addresses(uri: str) -> None:
    check_uri(uri)


def test_the_server_is_known_while_mlflow_writes_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    with as_default("sqlite:///elsewhere.db"):
        assert mlflow.get_tracking_uri() == "sqlite:///elsewhere.db"
        assert tracking_uri() == "http://127.0.0.1:1"
    assert mlflow.get_tracking_uri() == "http://127.0.0.1:1"
    assert os.environ["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:1"


LOGIN = f"https://ann:{'p%40ss/w0rd'}@host:5000/mlflow/"


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        (LOGIN, "https://host:5000/mlflow"),
        (f"https://{'t0ken'}@host/?token=abc#/x", "https://host"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("https://host/a@b", "https://host/a@b"),
        (f"postgresql://ann:{'p@ss'}@host/runs?password=abc", "postgresql://ann:***@host/runs?password=***"),
        ("sqlite:////data/a b/runs.db", "sqlite:////data/a b/runs.db"),
        ("databricks", "databricks"),
    ],
)
def test_an_address_has_no_login(uri: str, address: str) -> None:
    assert address_of(uri) == address
    assert address_of(address) == address


def test_the_login_of_an_address_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", LOGIN)
    assert with_login("https://host:5000/mlflow") == LOGIN
    assert with_login(f"https://ann:{'older'}@host:5000/mlflow") == LOGIN, "as an earlier version has kept it"
    assert with_login("https://another/mlflow") == "https://another/mlflow"


def test_errors_that_quote_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", LOGIN)
    error = MlflowException(f"API request to {LOGIN}api failed, p@ss/w0rd is no login")
    assert first_line(error) == "API request to https://ann:***@host:5000/mlflow/api failed, *** is no login"
    assert trouble(error).text == first_line(error)
    with pytest.raises(InputError) as refused:
        check_uri(LOGIN.removeprefix("https://"))
    assert "w0rd" not in str(refused.value)


def test_what_the_user_has_set_stays() -> None:
    with patch.dict(os.environ, {"MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "true"}):
        os.environ.pop("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", None)
        set_defaults()
        assert os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD"] == "true"
        assert os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"] == "false"


def test_the_limits_of_the_first_contact_are_its_own() -> None:
    with patch.dict(os.environ, {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "5"}):
        os.environ.pop("MLFLOW_HTTP_REQUEST_TIMEOUT", None)
        inside = briefly(lambda: dict(os.environ), 3)
        assert inside["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "3"
        assert inside["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "1"
        assert inside["MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER"] == "false"
        assert "MLFLOW_HTTP_REQUEST_TIMEOUT" not in os.environ
        assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "5"


def test_the_first_contact_is_over_whatever_the_server_does() -> None:
    never = threading.Event()
    with pytest.raises(MlflowException, match=r"no answer within 0\.05 seconds") as raised:
        briefly(never.wait, 0.05)
    assert not trouble(raised.value).lasting
    never.set()
    with pytest.raises(InputError, match="as it was raised"):
        briefly(lambda: (_ for _ in ()).throw(InputError("as it was raised")))


# Two runs that name the same experiment, data set, registered model, version or output at once: the tables take the
# first, and the server says no to the other in its database's words. So it says to a request that came twice.
RACES = (
    {"error_code": "RESOURCE_ALREADY_EXISTS", "message": "Experiment(name=news) already exists"},
    {"error_code": "BAD_REQUEST", "message": "(sqlite3.IntegrityError) UNIQUE constraint failed: datasets.name"},
    {"error_code": "BAD_REQUEST", "message": "(pymysql.err.IntegrityError) (1062, \"Duplicate entry '7-a'\")"},
    {"error_code": "BAD_REQUEST", "message": 'duplicate key value violates unique constraint "inputs_pk"'},
    {"error_code": "BAD_REQUEST", "message": "This Session's transaction has been rolled back due to a previous"},
    {"error_code": "RESOURCE_CONFLICT", "message": "try again"},
    {"error_code": "INTERNAL_ERROR", "message": "Model Version creation error (name=news). Giving up after 3 attempts"},
)


@pytest.mark.parametrize("answer", RACES, ids=lambda answer: answer["message"][:30])
def test_a_race_that_is_lost_is_no_refusal(answer: dict[str, str]) -> None:
    assert not trouble(RestException(answer)).lasting


def test_an_experiment_that_another_makes_at_the_same_moment_is_taken(server: MlflowClient) -> None:
    class Late:
        """Of two that ask at once: the other makes it between the look and the making."""

        def get_experiment_by_name(self, name: str) -> object:
            return server.get_experiment_by_name(name)

        def create_experiment(self, name: str) -> str:
            server.create_experiment(name)
            return str(server.create_experiment(name))

    number = experiment_of(Late(), "news", "")  # type: ignore[arg-type]
    assert server.get_experiment(number).name == "news"


def test_no_client_of_the_project_reports_on_itself() -> None:
    """Every process that imports newsclf, and its children: doors, guards, `mlflow run` of a child, a served model."""
    look = "import os, newsclf, mlflow; print(mlflow.telemetry.get_telemetry_client(), os.environ[%r])"
    look %= "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER"  # nor waits for an hour because a server says so
    watched = {"CI", "GITHUB_ACTIONS", "DO_NOT_TRACK", "PYTEST_CURRENT_TEST", "MLFLOW_DISABLE_TELEMETRY"}
    watched |= {"MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER"}
    environment = {name: text for name, text in os.environ.items() if name not in watched}
    done = subprocess.run([sys.executable, "-c", look], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None false"
