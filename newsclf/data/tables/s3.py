"""Objects in an S3 store such as the MinIO of `infra/`, by the settings that MLflow uses."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from newsclf.errors import InputError
from newsclf.messages import one_line

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
ATTEMPTS = 2
SET_CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"

# What boto3 calls an error: what it means for the user.
MEANINGS = {
    "NoSuchBucket": "there is no such bucket; check its name",
    "NoSuchKey": "there is no such object in the bucket; check its name",
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
        raise InputError(f"{one_line(uri)} is empty")
    return data


def write_object(uri: str, data: bytes) -> None:
    """Make `data` the content of `s3://bucket/key`; settings and errors as for `read_object`."""
    bucket, key = bucket_and_key(uri)
    with _client(f"write {one_line(uri)} to") as client:
        client.put_object(Bucket=bucket, Key=key, Body=data, ContentType="application/octet-stream")


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
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    endpoint = os.environ.get("MLFLOW_S3_ENDPOINT_URL") or None
    ignore_tls = os.environ.get("MLFLOW_S3_IGNORE_TLS", "").lower() in ("true", "1")
    where = f"cannot {act} {without_login(endpoint or 'Amazon S3')}"
    try:
        yield boto3.client(
            "s3",
            endpoint_url=endpoint,
            verify=False if ignore_tls else None,
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=READ_TIMEOUT_S,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            ),
        )
    except (NoCredentialsError, PartialCredentialsError):
        raise InputError(f"{where}: no credentials; {SET_CREDENTIALS}") from None
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        raise InputError(f"{where}: {MEANINGS.get(code) or without_login(str(error))}") from None
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
        raise InputError(f"{where}: {without_login(str(error))}; check network and MLFLOW_S3_ENDPOINT_URL") from None


def without_login(text: str) -> str:
    """`text` in one line, its URLs without user and password."""
    return one_line(re.sub(r"//[^/@\s]*@", "//", text), 200)
