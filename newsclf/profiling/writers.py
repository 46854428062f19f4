"""Where a profile is sent besides the MLflow run: a path, an S3 store, a WhyLabs platform of one's own.

whylogs' own S3 writer knows nothing of MLflow's settings; its WhyLabs writer is the one that the platform expects.
"""

import os
from pathlib import Path

from newsclf.data.tables.s3 import bucket_and_key, without_login, write_object
from newsclf.errors import InputError
from newsclf.messages import one_line
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
        _object(destination)
    elif "://" in destination:
        raise InputError(
            f"{one_line(without_login(destination))}: a profile is written to a path, an s3:// URI or whylabs"
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
        uri = _object(destination)
        write_object(uri, profile.to_bytes())
        return uri
    path = Path(destination).expanduser()
    if destination.endswith(("/", os.sep)) or path.is_dir():
        path = path / FILE
    return str(profile.write(path))


def _to_whylabs(profile: TextProfile) -> str:
    """Through whylogs' writer: it asks the endpoint for an upload address, and puts the file there."""
    from whylogs.api.writer.whylabs import WhyLabsWriter

    endpoint, _, organisation, dataset = (os.environ[name] for name in WHYLABS_VARIABLES)
    where = f"cannot write the profile to WhyLabs at {without_login(endpoint)}"
    try:
        done, answer = WhyLabsWriter(_timeout_seconds=WHYLABS_TIMEOUT_S).write(profile.view)
    except Exception as error:  # whatever its client, urllib3 and protobuf raise
        raise InputError(f"{where}: {without_login(str(error))}; check the variables WHYLABS_*") from None
    if not done:
        raise InputError(f"{where}: the upload was refused ({without_login(str(answer))}); check the platform's store")
    return f"WhyLabs, {organisation}/{dataset}"


def _object(uri: str) -> str:
    """`uri` with the name of the file, where it names a folder or a bucket alone."""
    whole = uri if "/" in uri.removeprefix(S3) else f"{uri}/"
    whole = whole + FILE if whole.endswith("/") else whole
    bucket_and_key(whole)
    return whole
