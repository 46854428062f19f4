"""Objects in an S3 store such as the MinIO of `infra/`, by the settings that MLflow uses."""

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from newsclf.data.tables.rows import EmptyTable
from newsclf.errors import InputError
from newsclf.messages import one_line

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
ATTEMPTS = 2
BLOCK = 8 << 20  # bytes of an object that are fetched at a time
KEPT_BLOCKS = 4  # for the columns of a Parquet file, which are read in turn
SET_CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"

# What boto3 calls an error: what it means for the user.
MEANINGS = {
    "NoSuchBucket": "there is no such bucket; check its name",
    "NoSuchKey": "there is no such object in the bucket; check its name",
    "412": "the object was replaced while it was read; call again",
    "PreconditionFailed": "the object was replaced while it was read; call again",
    "404": "there is no such object or bucket; check the names",
    "AccessDenied": "access is denied; check the rights of these credentials",
    "403": "access is denied; check the rights of these credentials",
    "InvalidAccessKeyId": "the access key is unknown; check AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret key is wrong; check AWS_SECRET_ACCESS_KEY",
}


def read_object(uri: str) -> bytes:
    """The content of `s3://bucket/key`.

    As in MLflow, MLFLOW_S3_ENDPOINT_URL is the store (else Amazon's) and MLFLOW_S3_IGNORE_TLS=true accepts
    any certificate; credentials come from boto3's usual places. Raises InputError, without secrets, for all
    that fails.
    """
    bucket, key = bucket_and_key(uri)
    with _client(f"read {one_line(uri)} at") as client:
        data = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    if not data.strip():
        raise EmptyTable(f"{one_line(uri)} is empty")
    return data


def write_object(uri: str, data: bytes) -> None:
    """Make `data` the content of `s3://bucket/key`; settings and errors as for `read_object`."""
    bucket, key = bucket_and_key(uri)
    with _client(f"write {one_line(uri)} to") as client:
        client.put_object(Bucket=bucket, Key=key, Body=data, ContentType="application/octet-stream")


def list_prefix(prefix: str) -> list[str]:
    """The URIs of all objects below `s3://bucket/folder/`, however deep; settings and errors as for `read_object`."""
    bucket, _, folder = prefix.removeprefix("s3://").partition("/")
    bucket_and_key(f"s3://{bucket}/-")
    with _client(f"list {one_line(prefix)} at") as client:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder)
        return [f"s3://{bucket}/{found['Key']}" for page in pages for found in page.get("Contents", [])]


class S3File(io.RawIOBase):
    """An object of any size as a file that can be read from any place: of its content some blocks are in memory.

    Settings and errors as for `read_object`. What is read is one version: one that is replaced meanwhile ends in an
    InputError. Raises EmptyTable for an empty object.
    """

    def __init__(self, uri: str) -> None:
        self._bucket, self._key = bucket_and_key(uri)
        self._act = f"read {one_line(uri)} at"
        with _client(self._act) as self._client:
            head = self._client.head_object(Bucket=self._bucket, Key=self._key)
        self._size, self._version, self._at = int(head["ContentLength"]), head["ETag"], 0
        if not self._size:
            raise EmptyTable(f"{one_line(uri)} is empty")
        self._blocks: dict[int, bytes] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._size:
            return 0
        number, start = divmod(self._at, BLOCK)
        part = self._block(number)[start : start + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _block(self, number: int) -> bytes:
        """BLOCK bytes of the object, or what is left of it at its end; those used last are kept."""
        data = self._blocks.pop(number, None)
        if data is None:
            data = self._fetched(number * BLOCK, min((number + 1) * BLOCK, self._size))
        self._blocks[number] = data
        while len(self._blocks) > KEPT_BLOCKS:
            self._blocks.pop(next(iter(self._blocks)))
        return data

    def _fetched(self, start: int, end: int) -> bytes:
        from botocore.exceptions import BotoCoreError

        part = {"Bucket": self._bucket, "Key": self._key, "IfMatch": self._version}
        with _explained(self._act):
            for attempt in range(ATTEMPTS, 0, -1):
                body = self._client.get_object(**part, Range=f"bytes={start}-{end - 1}")["Body"]
                try:
                    return bytes(body.read())
                except BotoCoreError:  # the connection broke: what boto3 itself does not try again
                    if attempt == 1:
                        raise
        raise AssertionError


def list_objects(prefix: str) -> list[str]:
    """The URIs of all objects right below `s3://bucket/folder/`, by name; settings and errors as for `read_object`."""
    bucket, _, folder = prefix.removeprefix("s3://").partition("/")
    bucket_and_key(f"s3://{bucket}/-")
    with _client(f"list {one_line(prefix)} at") as client:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder, Delimiter="/")
        return sorted(f"s3://{bucket}/{found['Key']}" for page in pages for found in page.get("Contents", []))


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Raises InputError for a URI that names no object, or holds credentials."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")  # no URL parsing: keys may hold ? and #
    if "@" in bucket:
        raise InputError(f"credentials have no place in an s3:// URI; {SET_CREDENTIALS}")
    if not bucket or not key:
        raise InputError(f"{one_line(uri)} names no object: write s3://bucket/path/file")
    return bucket, key


@contextmanager
def _client(act: str) -> Iterator[Any]:
    """A client of the store; what fails within becomes an InputError that says `act`."""
    import boto3
    from botocore.config import Config

    ignore_tls = os.environ.get("MLFLOW_S3_IGNORE_TLS", "").lower() in ("true", "1")
    with _explained(act):
        yield boto3.client(
            "s3",
            endpoint_url=_endpoint(),
            verify=False if ignore_tls else None,
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=READ_TIMEOUT_S,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            ),
        )


@contextmanager
def _explained(act: str) -> Iterator[None]:
    """What the store or the way to it refuses, as an InputError that says `act`."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    where = f"cannot {act} {without_login(_endpoint() or 'Amazon S3')}"
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError):
        raise InputError(f"{where}: no credentials; {SET_CREDENTIALS}") from None
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        raise InputError(f"{where}: {MEANINGS.get(code) or without_login(str(error))}") from None
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
        raise InputError(f"{where}: {without_login(str(error))}; check network and MLFLOW_S3_ENDPOINT_URL") from None


def _endpoint() -> str | None:
    """The store; None for that of boto3's own settings, else Amazon's."""
    return os.environ.get("MLFLOW_S3_ENDPOINT_URL") or None


def without_login(text: str) -> str:
    """`text` in one line, its URLs without user and password."""
    return one_line(re.sub(r"//[^/@\s]*@", "//", text), 200)
