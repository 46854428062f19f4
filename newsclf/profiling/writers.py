"""Where a profile is sent besides the MLflow run: a path, an S3 store, a WhyLabs platform of one's own.

whylogs' own S3 writer knows nothing of MLflow's settings; its WhyLabs writer is the one that the platform expects.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from newsclf.data.messages import one_line
from newsclf.data.s3 import ATTEMPTS, CONNECT_TIMEOUT_S, MEANINGS, READ_TIMEOUT_S, SET_CREDENTIALS
from newsclf.errors import InputError
from newsclf.profiling.profile import TextProfile

NONE, WHYLABS, S3 = "none", "whylabs", "s3://"
FILE = "profile.bin"
# The firm's own platform has shut down: the endpoint has no default.
WHYLABS_VARIABLES = ("WHYLABS_API_ENDPOINT", "WHYLABS_API_KEY", "WHYLABS_DEFAULT_ORG_ID", "WHYLABS_DEFAULT_DATASET_ID")
WHYLABS_TIMEOUT_S = 30.0


def check_destination(destination: str) -> None:
    """Raises InputError for a destination that `write` would refuse, before any work; nothing is sent or made."""
    if destination == WHYLABS:
        if missing := [name for name in WHYLABS_VARIABLES if not os.environ.get(name)]:
            raise InputError(f"to write profiles to whylabs, set {', '.join(missing)} (of a platform that you host)")
        key = os.environ["WHYLABS_API_KEY"]
        if len(key) < 12 or key[10] != ".":
            raise InputError("WHYLABS_API_KEY is no key of WhyLabs: its eleventh character is a dot")
    elif destination.startswith(S3):
        _bucket_and_key(destination)
    elif "://" in destination:
        raise InputError(
            f"{one_line(_without_login(destination))}: a profile is written to a path, an s3:// URI or whylabs"
        )


def write(profile: TextProfile, destination: str) -> str:
    """Send `profile` to `destination`; where it went, in words ("" for nowhere).

    destination: "none" (or ""), "whylabs", "s3://bucket/key", or a path. A path or key that ends in "/", and a folder
        that is there, stand for `profile.bin` in it.
    Raises InputError, without secrets, for all that fails.
    """
    check_destination(destination)
    if destination in ("", NONE):
        return ""
    if destination == WHYLABS:
        return _to_whylabs(profile)
    if destination.startswith(S3):
        return _to_s3(profile, destination)
    path = Path(destination).expanduser()
    if destination.endswith(("/", os.sep)) or path.is_dir():
        path = path / FILE
    return str(profile.write(path))


def _to_s3(profile: TextProfile, uri: str) -> str:
    """As for reading, MLFLOW_S3_ENDPOINT_URL is the store (else Amazon's): see `newsclf.data.s3.read_object`."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    bucket, key = _bucket_and_key(uri)
    endpoint = os.environ.get("MLFLOW_S3_ENDPOINT_URL") or None
    ignore_tls = os.environ.get("MLFLOW_S3_IGNORE_TLS", "").lower() in ("true", "1")
    where = f"cannot write {one_line(uri)} to {_without_login(endpoint or 'Amazon S3')}"
    retries = {"total_max_attempts": ATTEMPTS, "mode": "standard"}
    try:
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            verify=False if ignore_tls else None,
            config=Config(connect_timeout=CONNECT_TIMEOUT_S, read_timeout=READ_TIMEOUT_S, retries=retries),
        )
        client.put_object(Bucket=bucket, Key=key, Body=profile.to_bytes(), ContentType="application/octet-stream")
    except (NoCredentialsError, PartialCredentialsError):
        raise InputError(f"{where}: no credentials; {SET_CREDENTIALS}") from None
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        raise InputError(f"{where}: {MEANINGS.get(code) or _without_login(str(error))}") from None
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
        raise InputError(f"{where}: {_without_login(str(error))}; check network and MLFLOW_S3_ENDPOINT_URL") from None
    return f"s3://{bucket}/{key}"


def _to_whylabs(profile: TextProfile) -> str:
    """Through whylogs' writer: it asks the endpoint for an upload address, and puts the file there."""
    from whylogs.api.writer.whylabs import WhyLabsWriter

    endpoint, _, organisation, dataset = (os.environ[name] for name in WHYLABS_VARIABLES)
    where = f"cannot write the profile to WhyLabs at {_without_login(endpoint)}"
    try:
        done, answer = WhyLabsWriter(_timeout_seconds=WHYLABS_TIMEOUT_S).write(profile.view)
    except Exception as error:  # whatever its client, urllib3 and protobuf raise
        raise InputError(f"{where}: {_without_login(str(error))}; check the variables WHYLABS_*") from None
    if not done:
        raise InputError(f"{where}: the upload was refused ({_without_login(str(answer))}); check the platform's store")
    return f"WhyLabs, {organisation}/{dataset}"


def _bucket_and_key(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix(S3).partition("/")  # no URL parsing: keys may hold ? and #
    if "@" in bucket:
        raise InputError(f"credentials have no place in an s3:// URI; {SET_CREDENTIALS}")
    if not key or key.endswith("/"):
        key += FILE
    if not bucket:
        raise InputError(f"{one_line(uri)} names no bucket: write s3://bucket/path/{FILE}")
    return bucket, key


def _without_login(text: str) -> str:
    """`text` in one line, its URLs without user and password."""
    return one_line(re.sub(r"//[^/@\s]*@", "//", text), 200)
