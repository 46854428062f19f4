"""The artifact bucket as one tar stream, and back.

    python mirror.py pull > bucket.tar     every object, in its present version
    python mirror.py push < bucket.tar     ends with every object in the bucket; with --force, and no other
    python mirror.py count                 how many objects the bucket holds

A stream needs no second copy on a disk, and holds keys that no file may be named by. Environment: as for bucket.py.
"""

from __future__ import annotations

import sys
import tarfile
from collections.abc import Iterator
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError
from bucket import client, one_line, setting

CONTENT_TYPE = "NEWSCLF.content-type"  # in the pax headers of a member
DELETED_IN_A_CALL = 1000  # S3's own limit


class Forward:
    """A tar member says that it can seek where its stream cannot; boto3 then reads it whole."""

    def __init__(self, file: IO[bytes]) -> None:
        self.read = file.read


def listed(s3: Any, bucket: str) -> Iterator[tuple[str, int]]:
    """(key, size in bytes) of every object."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            yield item["Key"], item["Size"]


def pull(s3: Any, bucket: str, to: IO[bytes]) -> int:
    """Writes the tar; the number of objects. One that goes away meanwhile is left out."""
    count = 0
    with tarfile.open(fileobj=to, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for key, _ in listed(s3, bucket):
            try:
                found = s3.get_object(Bucket=bucket, Key=key)
            except s3.exceptions.NoSuchKey:
                continue
            member = tarfile.TarInfo(key)
            member.size = found["ContentLength"]
            member.mtime = int(found["LastModified"].timestamp())
            member.pax_headers = {"path": key, CONTENT_TYPE: found.get("ContentType", "binary/octet-stream")}
            tar.addfile(member, found["Body"])
            count += 1
    return count


def push(s3: Any, bucket: str, source: IO[bytes], force: bool) -> int:
    """Uploads every member; the number of objects. With `force`, objects that are not in the tar are deleted.

    Raises ValueError where the bucket does not hold what the tar has, byte for byte of size, in the end.
    """
    wanted: dict[str, int] = {}
    with tarfile.open(fileobj=source, mode="r|") as tar:
        for member in tar:
            key = member.pax_headers.get("path", member.name)
            content = tar.extractfile(member)
            assert content is not None, key
            kind = {"ContentType": member.pax_headers.get(CONTENT_TYPE, "binary/octet-stream")}
            s3.upload_fileobj(Forward(content), bucket, key, ExtraArgs=kind)
            wanted[key] = member.size
    if force:
        foreign = [{"Key": key} for key, _ in listed(s3, bucket) if key not in wanted]
        for start in range(0, len(foreign), DELETED_IN_A_CALL):
            s3.delete_objects(Bucket=bucket, Delete={"Objects": foreign[start : start + DELETED_IN_A_CALL]})
    there = dict(listed(s3, bucket))
    if missing := [key for key, size in wanted.items() if there.get(key) != size]:
        raise ValueError(f"{len(missing)} objects did not arrive, the first of them {missing[0]}")
    return len(wanted)


def main(arguments: list[str]) -> int:
    try:
        bucket, s3 = setting("NEWSCLF_BUCKET"), client()
        match arguments:
            case ["count"]:
                print(sum(1 for _ in listed(s3, bucket)))
            case ["pull"]:
                print(f"{pull(s3, bucket, sys.stdout.buffer)} objects", file=sys.stderr)
            case ["push", *rest] if rest in ([], ["--force"]):
                print(f"{push(s3, bucket, sys.stdin.buffer, bool(rest))} objects", file=sys.stderr)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except (BotoCoreError, ClientError, OSError, ValueError, tarfile.TarError) as error:
        print(f"mirror.py {' '.join(arguments)}: {one_line(error)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
