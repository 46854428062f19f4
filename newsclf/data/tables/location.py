"""Where a table lies, by its path or URI."""

import os


def public_name(location: str) -> str:
    """`location` without what may be secret in a URI: user, password and query.

    >>> public_name("s3://key:secret@bucket/a/b.csv?X-Signature=secret")
    's3://bucket/a/b.csv'
    """
    scheme, mark, rest = location.partition("://")
    if not mark:
        return location
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


def file_name(location: str) -> str:
    """The last part of a path or URI.

    >>> file_name("s3://bucket/a/b.csv?versionId=1"), file_name("data/news/")
    ('b.csv', 'news')
    """
    return public_name(location).replace(os.sep, "/").rstrip("/").rpartition("/")[2]


def scheme_of(location: str) -> str:
    """ "s3" of s3://...; empty of a local path."""
    return location.partition("://")[0].lower() if "://" in location else ""
