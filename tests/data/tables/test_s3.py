import logging
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from newsclf.data import load
from newsclf.data.tables import s3
from newsclf.data.tables.s3 import read_object
from newsclf.errors import InputError

TABLE = "text,label\n" + "".join(f"item {number},{'ab'[number % 2]}\n" for number in range(20))


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def settings(store, monkeypatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "MLFLOW_S3_IGNORE_TLS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tester")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "open-sesame")
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", store)


@pytest.fixture
def bucket(store) -> str:
    client = boto3.client("s3", endpoint_url=store, region_name="us-east-1")
    client.create_bucket(Bucket="news")
    client.put_object(Bucket="news", Key="2024/a?b#c.csv", Body=TABLE.encode())
    client.put_object(Bucket="news", Key="2024/table.csv", Body=TABLE.encode())
    client.put_object(Bucket="news", Key="empty.csv", Body=b"")
    return "news"


def test_an_object_is_a_data_set(bucket, options):
    data = load(options(dataset=f"s3://{bucket}/2024/table.csv"))
    assert data.classes == ("a", "b")
    assert data.source == "s3://news/2024/table.csv"
    assert sum(len(split) for split in data.splits.values()) == 20


def test_a_key_is_taken_as_it_is(bucket):
    assert read_object(f"s3://{bucket}/2024/a?b#c.csv") == TABLE.encode()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("s3://news/2024/none.csv", "no such object in the bucket"),
        ("s3://no-such-bucket/t.csv", "no such bucket"),
        ("s3://Not_A_Bucket!/t.csv", "Invalid bucket name"),
        ("s3://news", "names no object"),
        ("s3:///t.csv", "names no object"),
        ("s3://news/empty.csv", "is empty"),
    ],
)
def test_objects_that_cannot_be_read(bucket, uri, message):
    with pytest.raises(InputError, match=message) as error:
        read_object(uri)
    assert len(str(error.value).splitlines()) == 1


def test_no_credentials(bucket, monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # boto3 remembers credentials it has found
    with pytest.raises(InputError, match="no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        read_object("s3://news/2024/table.csv")


@pytest.mark.parametrize("endpoint", ["http://me:open-sesame@127.0.0.1:9", "not a url"])
def test_an_endpoint_that_does_not_answer(monkeypatch, endpoint):
    monkeypatch.setattr(s3, "CONNECT_TIMEOUT_S", 1)
    monkeypatch.setattr(s3, "ATTEMPTS", 1)
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", endpoint)
    with pytest.raises(InputError, match="check network and MLFLOW_S3_ENDPOINT_URL") as error:
        read_object("s3://news/2024/table.csv")
    assert "sesame" not in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_uri_with_credentials_is_refused_without_showing_them(options):
    with pytest.raises(InputError, match="credentials have no place") as error:
        load(options(dataset="s3://key:secret@news/t.csv"))
    assert "secret@" not in str(error.value)
