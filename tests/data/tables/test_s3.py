import http.server
import io
import logging
import os
import threading
import urllib.request
from collections.abc import Iterator

import boto3
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from newsclf.config import DataOptions
from newsclf.config.shared import BatchOptions
from newsclf.data import load, open_stream
from newsclf.data.tables import s3
from newsclf.data.tables.row_stream import place_names
from newsclf.data.tables.s3 import S3File, read_object
from newsclf.errors import InputError
from newsclf.monitoring.batches import batches

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


# ---- Streamed: blocks of an object, prefixes and globs. The same kinds on disk: test_table_files.py, test_opening.py.


def put(key: str, content: bytes) -> None:
    boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"], region_name="us-east-1").put_object(
        Bucket="news", Key=key, Body=content
    )


@pytest.fixture
def small_blocks(monkeypatch) -> int:
    monkeypatch.setattr(s3, "BLOCK", 100)
    monkeypatch.setattr(s3, "KEPT_BLOCKS", 2)
    return 100


def test_an_object_is_a_file_from_any_place(bucket, small_blocks):
    content = bytes(range(256)) * 4
    put("bytes.bin", content)
    file = S3File(f"s3://{bucket}/bytes.bin")
    assert io.BufferedReader(file).read() == content
    random = np.random.default_rng(0)
    for start, count in random.integers(0, 1100, (50, 2)):
        assert file.seek(int(start)) == file.tell() == start
        read = file.read(int(count))
        assert read == content[start : start + len(read)]
        assert len(read) > 0 or start >= len(content) or count == 0
        assert len(file._blocks) <= 2
    assert file.seek(-5, os.SEEK_END) == 1019
    assert file.seek(2, os.SEEK_CUR) == 1021


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "jsonl", "json", "parquet"])
def test_every_format_is_streamed(bucket, monkeypatch, ending, tmp_path):
    monkeypatch.setattr(s3, "BLOCK", 1000)
    frame = pd.DataFrame({"text": [f"text {n} " * 5 for n in range(300)], "label": ["a", "b", "c"] * 100})
    if ending == "parquet":
        pq.write_table(pa.Table.from_pandas(frame), tmp_path / "t.parquet", row_group_size=50)
    elif ending.startswith("json"):
        frame.to_json(tmp_path / f"t.{ending}", orient="records", lines=ending == "jsonl")
    else:
        frame.to_csv(tmp_path / f"t.{ending}", index=False)
    put(f"t.{ending}", (tmp_path / f"t.{ending}").read_bytes())
    found = open_stream(DataOptions(dataset=f"s3://{bucket}/t.{ending}")).read()
    assert found["text"].tolist() == frame["text"].tolist()
    assert found["label"].tolist() == frame["label"].tolist()


def test_one_version_is_read_to_its_end(bucket, small_blocks):
    put("changes.csv", TABLE.encode() * 20)
    stream = open_stream(DataOptions(dataset=f"s3://{bucket}/changes.csv"))
    chunks = stream.chunks(2)
    next(chunks)
    put("changes.csv", TABLE.upper().encode() * 20)
    with pytest.raises(InputError, match="the object was replaced while it was read; call again"):
        list(chunks)


@pytest.mark.parametrize(
    ("location", "names"),
    [
        ("s3://news/parts/", ["a.csv", "date=2026-01-02/b.csv", "x.csv/part-0.csv"]),
        ("s3://news/parts", ["a.csv", "date=2026-01-02/b.csv", "x.csv/part-0.csv"]),
        ("s3://news/parts/*.csv", ["a.csv", "x.csv/part-0.csv"]),
        ("s3://news/parts/**/*.csv", ["a.csv", "date=2026-01-02/b.csv", "x.csv/part-0.csv"]),
        ("s3://news/parts/date=*", ["date=2026-01-02/b.csv"]),
        ("s3://news/par*/a.csv", ["parts/a.csv"]),
    ],
)
def test_prefixes_and_globs(bucket, location, names):
    for name in ("a.csv", "x.csv/part-0.csv", "date=2026-01-02/b.csv"):
        put(f"parts/{name}", f"text,label\n{name},a\n".encode())
    for name in ("_SUCCESS", "notes.txt", "empty/", "_temporary/0.csv"):
        put(f"parts/{name}", b"")
    stream = open_stream(DataOptions(dataset=location))
    rows = stream.read()
    assert [place.rpartition(":")[0] for place in place_names(rows, stream.source)] == names
    left_out = ["left out: notes.txt (unknown ending)"] if "*" not in location else []
    assert stream.remarks == left_out


def test_a_stream_of_objects(bucket):
    for day in (1, 2):
        put(f"stream/2026-01-0{day}.csv", f"text\nday {day}\n".encode())
    put("stream/2026-01-03.csv", b"")
    put("stream/date=2026-01-04/part-0.csv", b"text\nday 4\n")
    found = list(batches(f"s3://{bucket}/stream/", BatchOptions()))
    assert [(batch.name, batch.texts) for batch in found] == [
        ("2026-01-01.csv", ["day 1"]), ("2026-01-02.csv", ["day 2"]), ("2026-01-03.csv", []),
        ("date=2026-01-04", ["day 4"]),
    ]  # fmt: skip
    assert all(batch.date for batch in found)


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("s3://news/nothing/", "s3://news/nothing/ is empty: it has no .csv"),
        ("s3://news/nothing*", "no table fits"),
        ("s3://no-such-bucket/parts/", "no such bucket"),
        ("s3://news/none.csv", "no such object or bucket"),
        ("s3://news/empty.csv", "is empty"),
        ("s3://key:secret@news/parts/", "credentials have no place"),
        ("s3://", "names no object"),
    ],
)
def test_places_that_hold_no_table(bucket, location, message):
    with pytest.raises(InputError, match=message) as error:
        open_stream(DataOptions(dataset=location)).read()
    assert "secret@" not in str(error.value)
    assert len(str(error.value).splitlines()) == 1


class Faults(http.server.BaseHTTPRequestHandler):
    """A proxy that cuts the bodies of what it is told to: `cuts` left; `ranges` it was asked for."""

    store, cuts, ranges = "", 0, list[str]()

    def forward(self) -> None:
        request = urllib.request.Request(f"{self.store}{self.path}", method=self.command, headers=dict(self.headers))
        with urllib.request.urlopen(request) as answer:
            body = answer.read()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in ("transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.end_headers()
        if self.command == "GET":
            self.ranges.append(self.headers.get("Range", ""))
            if type(self).cuts:
                type(self).cuts -= 1
                body, self.close_connection = body[: len(body) // 2], True
            self.wfile.write(body)

    do_GET = do_HEAD = forward

    def log_message(self, *args: object) -> None:
        pass


def test_a_connection_that_breaks_is_taken_up_again(bucket, store, monkeypatch, small_blocks):
    put("t.csv", TABLE.encode())
    monkeypatch.setattr(Faults, "store", store)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Faults)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        for cuts in (1, 2):
            monkeypatch.setattr(Faults, "cuts", cuts)
            file = S3File(f"s3://{bucket}/t.csv")
            if cuts == 1:
                assert file.read(100) == TABLE.encode()[:100]
            else:
                with pytest.raises(InputError, match="check network and MLFLOW_S3_ENDPOINT_URL"):
                    file.read(100)
        assert set(Faults.ranges) == {"bytes=0-99"}
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
