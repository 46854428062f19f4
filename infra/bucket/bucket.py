"""Makes the artifact bucket of any S3 server if it is missing, and turns versioning on. It never deletes anything.

Environment: NEWSCLF_BUCKET, MLFLOW_S3_ENDPOINT_URL (without it: AWS), AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_DEFAULT_REGION. Ends with 0 when the bucket stands, with 2 and one line when it cannot be had.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

WAIT = 60.0  # seconds a server that is just starting gets


def setting(name: str) -> str:
    """Raises ValueError where the variable is missing or empty."""
    if not (value := os.environ.get(name, "")):
        raise ValueError(f"{name} is empty: infra/.env has it")
    return value


def one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def client() -> Any:
    """An S3 client for the endpoint of the environment; buckets in the path, as most servers other than AWS want it."""
    endpoint = os.environ.get("MLFLOW_S3_ENDPOINT_URL")
    style = Config(s3={"addressing_style": "path"}) if endpoint else Config()
    return boto3.client("s3", endpoint_url=endpoint, config=style)


def make(s3: Any, bucket: str) -> str:
    """Makes `bucket` if it is missing, versioned, and returns the sentence that says what was done.

    Raises:
        ClientError: the server refuses.
    """
    try:
        s3.head_bucket(Bucket=bucket)
        done = "is there"
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        region = s3.meta.region_name
        # AWS takes every region but its first by name, and that one only without.
        place = {} if region in (None, "us-east-1") else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **place)
        done = "made"
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return f"bucket {bucket} {done}, versioned"


def main() -> int:
    try:
        bucket = setting("NEWSCLF_BUCKET")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    endpoint = os.environ.get("MLFLOW_S3_ENDPOINT_URL") or "AWS"
    end = time.monotonic() + WAIT
    while True:
        try:
            print(make(client(), bucket))
            return 0
        except EndpointConnectionError as error:
            if time.monotonic() < end:
                time.sleep(1)
                continue
            reason: Exception = error
        except (ClientError, BotoCoreError, ValueError) as error:
            reason = error
        print(f"bucket {bucket} on {endpoint}: {one_line(reason)}: check NEWSCLF_S3_* in infra/.env", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
