"""What a call says of who makes it, and of where artifacts are: read so that it can be read in one way only."""

import base64
import binascii
import math
import re
from urllib.parse import parse_qsl, unquote, urlsplit

# The names under which MLflow takes the path of an artifact.
PATHS = {"path", "artifact_path", "artifact_file_path", "artifact_directory_path"}
SOURCES = {"runs", "models", "mlflow-artifacts"}
UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")
OF_AN_EXPERIMENT = re.compile(r"[0-9]+(/|$)")


def login(headers: list[tuple[bytes, bytes]]) -> tuple[str, str] | None:
    """Name and password. None where there are none, or two."""
    given = [value for name, value in headers if name == b"authorization"]
    if len(given) != 1:
        return None
    scheme, _, encoded = given[0].partition(b" ")
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if scheme.lower() == b"basic" and colon else None


def length(headers: list[tuple[bytes, bytes]]) -> float:
    """Bytes of the call's body, as it says; infinite where it does not say beforehand."""
    said = dict(headers)
    return math.inf if b"transfer-encoding" in said else int(said.get(b"content-length", b"0"))


def is_safe(path: str) -> bool:
    """Whether it names something below where it starts, however often it is decoded. Empty is the start itself."""
    for _ in range(5):
        segments = path.removesuffix("/").split("/") if path else []
        if UNSAFE.search(path) or path.lower().startswith("file:") or not {"", ".", ".."}.isdisjoint(segments):
            return False
        before, path = path, unquote(path)
        if path == before:
            return True
    return False


def wrong_path(path: str, parameters: list[tuple[str, str]], query: bytes) -> str | None:
    """What is wrong with a path of an artifact in a call, in its path's parameters or its query."""
    asked = [*parameters, *parse_qsl(query.decode("latin-1"), keep_blank_values=True)]
    paths = [value for name, value in asked if name in PATHS]
    if not all(is_safe(one) for one in paths):
        return "the path of an artifact is relative, and has no . or .. in it"
    # MLflow judges what is of no experiment by what a new user may do.
    if "/mlflow-artifacts/" in path and not (paths and all(OF_AN_EXPERIMENT.match(one) for one in paths)):
        return "the path of an artifact begins with the number of its experiment"
    return None


def is_own_source(source: str) -> bool:
    """Whether it is of this server. That its maker may read that run, logged or registered model, MLflow checks."""
    try:
        parts = urlsplit(source)
    except ValueError:
        return False
    own = parts.scheme in SOURCES and not (parts.netloc or parts.query or parts.fragment or UNSAFE.search(source))
    return own and parts.path.startswith("/") and len(parts.path) > 1 and is_safe(parts.path[1:])
