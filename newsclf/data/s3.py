"""Objects in an S3 store such as the MinIO of `infra/`, by the settings that MLflow uses."""

from __future__ import annotations

import os
import re

from newsclf.data.messages import one_line
from newsclf.errors import InputError

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
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    bucket, _, key = uri.removeprefix("s3://").partition("/")  # no URL parsing: keys may hold ? and #
    if "@" in bucket:
        raise InputError(f"credentials have no place in an s3:// URI; {SET_CREDENTIALS}")
    if not bucket or not key:
        raise InputError(f"{one_line(uri)} names no object: write s3://bucket/path/table.csv")

    endpoint = os.environ.get("MLFLOW_S3_ENDPOINT_URL") or None
    ignore_tls = os.environ.get("MLFLOW_S3_IGNORE_TLS", "").lower() in ("true", "1")
    where = f"cannot read {one_line(uri)} at {_without_login(endpoint or 'Amazon S3')}"
    try:
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            verify=False if ignore_tls else None,
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=READ_TIMEOUT_S,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            ),
        )
        data = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except (NoCredentialsError, PartialCredentialsError):
        raise InputError(f"{where}: no credentials; {SET_CREDENTIALS}") from None
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        raise InputError(f"{where}: {MEANINGS.get(code) or _without_login(str(error))}") from None
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
        raise InputError(f"{where}: {_without_login(str(error))}; check network and MLFLOW_S3_ENDPOINT_URL") from None
    if not data.strip():
        raise InputError(f"{one_line(uri)} is empty")
    return data


def _without_login(text: str) -> str:
    """`text` in one line, its URLs without user and password."""
    return one_line(re.sub(r"//[^/@\s]*@", "//", text), 200)
