import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pandas as pd
import pytest
from moto.server import ThreadedMotoServer

from newsclf.data.tables import s3
from newsclf.errors import InputError
from newsclf.profiling.profile import TextProfile
from newsclf.profiling.writers import WHYLABS_VARIABLES, check_destination, write

KEY = "abcdefghij.open-sesame"
LOGIN = "me:open-sesame"


@pytest.fixture
def profile() -> TextProfile:
    made = TextProfile(reference="r1")
    made.log(pd.DataFrame({"text": ["a", "b"], "characters": [1.0, 1.0], "label": ["x", "y"]}))
    return made


@pytest.fixture(autouse=True)
def settings(monkeypatch, tmp_path) -> None:
    for name in (
        *WHYLABS_VARIABLES,
        "AWS_PROFILE",
        "AWS_SESSION_TOKEN",
        "MLFLOW_S3_IGNORE_TLS",
        "MLFLOW_S3_ENDPOINT_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


@pytest.mark.parametrize("destination", ["", "none"])
def test_nowhere(profile, destination, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert write(profile, destination) == ""
    assert list(tmp_path.iterdir()) == []


def test_a_path(profile, tmp_path):
    for destination, path in [
        ("deep/er/p.bin", "deep/er/p.bin"),
        ("folder/", "folder/profile.bin"),
        ("folder", "folder/profile.bin"),  # it is there by now
    ]:
        assert write(profile, f"{tmp_path}/{destination}") == f"{tmp_path}/{path}"
        assert TextProfile.read(tmp_path / path).reference == "r1"


@pytest.mark.parametrize(
    ("destination", "message"),
    [
        ("gs://bucket/p.bin", "to a path, an s3:// URI or whylabs"),
        (f"https://{LOGIN}@host/p.bin", "https://host/p.bin: a profile is written to"),
        ("s3:///p.bin", "names no object"),
        (f"s3://{LOGIN}@news/p.bin", "credentials have no place"),
        ("whylabs", "set WHYLABS_API_ENDPOINT, WHYLABS_API_KEY, WHYLABS_DEFAULT_ORG_ID, WHYLABS_DEFAULT_DATASET_ID"),
    ],
)
def test_destinations_that_are_refused_before_any_work(profile, destination, message):
    for act in (check_destination, lambda there: write(profile, there)):
        with pytest.raises(InputError, match=message) as error:
            act(destination)
        assert "sesame" not in str(error.value)
        assert len(str(error.value).splitlines()) == 1


# ------------------------------------------------------------------------------------------------ S3


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(store, monkeypatch) -> str:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tester")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "open-sesame")
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", store)
    boto3.client("s3", endpoint_url=store, region_name="us-east-1").create_bucket(Bucket="news")
    return "news"


@pytest.mark.parametrize(
    ("uri", "key"),
    [
        ("s3://news/2024/a?b#c.bin", "2024/a?b#c.bin"),
        ("s3://news/2024/", "2024/profile.bin"),
        ("s3://news", "profile.bin"),
    ],
)
def test_an_object(profile, bucket, store, uri, key):
    assert write(profile, uri) == f"s3://news/{key}"
    found = boto3.client("s3", endpoint_url=store, region_name="us-east-1").get_object(Bucket=bucket, Key=key)
    assert TextProfile.from_bytes(found["Body"].read(), uri).rows == 2


def test_objects_that_cannot_be_written(profile, bucket, monkeypatch):
    with pytest.raises(InputError, match="cannot write s3://no-such-bucket/p.bin to .* no such bucket"):
        write(profile, "s3://no-such-bucket/p.bin")
    monkeypatch.setattr(s3, "CONNECT_TIMEOUT_S", 1)
    monkeypatch.setattr(s3, "ATTEMPTS", 1)
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", f"http://{LOGIN}@127.0.0.1:9")
    with pytest.raises(InputError, match="check network and MLFLOW_S3_ENDPOINT_URL") as error:
        write(profile, "s3://news/p.bin")
    assert "sesame" not in str(error.value)


def test_no_credentials(profile, bucket, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # boto3 remembers credentials it has found
    with pytest.raises(InputError, match="no credentials; set AWS_ACCESS_KEY_ID"):
        write(profile, "s3://news/p.bin")


# -------------------------------------------------------------------------------------------- WhyLabs


@dataclass
class Platform:
    """A WhyLabs of one's own, as far as an upload needs it: an upload address is asked for, a file is put there."""

    url: str
    ask_status: int = 200
    put_status: int = 200
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    uploaded: list[bytes] = field(default_factory=list)


@pytest.fixture
def platform(monkeypatch, tmp_path) -> Iterator[Platform]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            here.asked.append((self.path, self.headers["X-WhyLabs-Resource"], self.headers["X-API-Key"]))
            self.answer(
                here.ask_status,
                {"id": "log-1", "uploadUrl": f"{here.url}/upload", "uploadTimestamp": 1, "modelId": "m"},
            )

        def do_PUT(self) -> None:
            here.uploaded.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(here.put_status, {})

        def answer(self, status: int, body: dict[str, object]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = Platform(f"http://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    values = (here.url, KEY, "org-7", "model-3")
    for name, value in zip(WHYLABS_VARIABLES, values, strict=True):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WHYLOGS_CONFIG_PATH", str(tmp_path / "whylogs"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield here
    http.shutdown()
    http.server_close()
    thread.join()


def test_a_platform_gets_the_profile(profile, platform, capfd):
    assert write(profile, "whylabs") == "WhyLabs, org-7/model-3"
    (asked,), (uploaded,) = platform.asked, platform.uploaded
    assert asked == ("/v1/log/async", "model-3", KEY)
    assert TextProfile.from_bytes(uploaded, "upload").rows == 2
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("failure", "message"),
    [({"ask_status": 403}, "cannot write the profile to WhyLabs"), ({"put_status": 500}, "upload was refused")],
)
def test_a_platform_that_refuses(profile, platform, failure, message, monkeypatch, capfd):
    from whylogs.api.writer import whylabs_client

    monkeypatch.setattr(whylabs_client, "MAX_REQUEST_TRIES", 1)
    for name, value in failure.items():
        setattr(platform, name, value)
    with pytest.raises(InputError, match=message) as error:
        write(profile, "whylabs")
    assert "sesame" not in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert "sesame" not in "".join(capfd.readouterr())


def test_a_platform_that_is_down(profile, platform, monkeypatch):
    monkeypatch.setenv("WHYLABS_API_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(InputError, match="cannot write the profile to WhyLabs at http://127.0.0.1:9"):
        write(profile, "whylabs")


@pytest.mark.parametrize("missing", WHYLABS_VARIABLES)
def test_each_variable_is_needed(platform, missing, monkeypatch):
    monkeypatch.delenv(missing)
    with pytest.raises(InputError, match=f"set {missing} "):
        check_destination("whylabs")
    assert platform.asked == []


def test_a_key_that_is_none(platform, monkeypatch):
    monkeypatch.setenv("WHYLABS_API_KEY", "open-sesame")
    with pytest.raises(InputError, match="eleventh character is a dot") as error:
        check_destination("whylabs")
    assert "sesame" not in str(error.value)


@pytest.mark.integration
def test_no_host_but_the_platform_is_asked(profile, platform, tmp_path):
    path = profile.write(tmp_path / "p.bin")
    code = """
import sys
hosts = set()
sys.addaudithook(lambda event, args: hosts.add(args[1][0]) if event == "socket.connect" else None)
sys.addaudithook(lambda event, args: hosts.add(args[0]) if event == "socket.getaddrinfo" else None)
from newsclf.profiling.profile import TextProfile
from newsclf.profiling.writers import write
write(TextProfile.read(sys.argv[1]), "whylabs")
print(sorted(hosts))
"""
    hidden = ("WHYLOGS_NO_ANALYTICS", "_WHYLABS_SKIP_CONFIG_READ")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    ran = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert (ran.stdout, ran.stderr) == ("['127.0.0.1']\n", "")
