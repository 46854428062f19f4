"""Passwords and tokens taken out of what is printed, stored or reported."""

import os
import re
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

HIDDEN = "***"
# A password in an address may have been typed with @ or / in it; it ends at the last @ before the path.
_END = r"@(?=[^\s/@'\"<>]*(?:[\s/'\"<>?#,;)]|$))"
PASSWORD_IN_URL = re.compile(rf"(://[^\s:/@?#'\"<>]{{0,256}}:)(?!\d{{1,5}}/)([^\s'\"<>]{{1,512}}?){_END}")
USER_IN_URL = re.compile(rf"(https?://)([^\s:/@?#'\"<>]{{1,512}}):?{_END}")  # a token in the place of the user
_WORDS = r"token|passw(?:or)?d|pwd|passphrase|secret|credentials?|signature|\bsig|api[_-]?key|access[_-]?key|\bkey|auth"
_SECRET_NAME = re.compile(rf"(?i)(?:{_WORDS})\w*$")
SECRET_IN_QUERY = re.compile(rf"(?i)([?&;][\w.-]{{0,64}}(?:{_WORDS})[\w-]{{0,32}}=)([^&\s#'\"<>;,)]{{1,2048}})")
# A secret that is looked for by itself, outside of an address: others are words, or parts of many a word.
_TELLING = re.compile(r"(?=.*[^a-z]).{6,}", re.DOTALL)
OF_ADDRESSES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_BACKEND_STORE_URI", "NEWSCLF_SWEEP_STORAGE")
ITSELF = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def masked(text: str) -> str:
    """`text` with *** in place of passwords and tokens in addresses, and of those that the environment holds.

    Libraries quote an address, or a part of it, in their errors: whole, percent-encoded or decoded.

    >>> masked("sqlalchemy: no postgresql://ann:secret@db/runs?sslpassword=x, nor https://t0k3n@host/")
    'sqlalchemy: no postgresql://ann:***@db/runs?sslpassword=***, nor https://***@host/'
    """
    for secret in sorted(known_secrets(), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return masked_addresses(text)


def masked_addresses(text: str) -> str:
    """`text` with *** in place of passwords and tokens in addresses."""
    text = USER_IN_URL.sub(rf"\1{HIDDEN}@", text)
    text = PASSWORD_IN_URL.sub(rf"\1{HIDDEN}@", text)
    return SECRET_IN_QUERY.sub(rf"\1{HIDDEN}", text)


def secrets_of(uri: str) -> set[str]:
    """The password of an address, what stands in its place, and the tokens in its query, as they are written.

    >>> sorted(secrets_of("https://ann:secret@host/?token=abcd&page=2"))
    ['abcd', 'secret']
    """
    login = urlsplit(uri).netloc.rpartition("@")[0] if "://" in uri else ""
    user, _, password = login.partition(":")
    found = {password or (user if uri.lower().startswith("http") else "")}
    if match := PASSWORD_IN_URL.search(uri):  # with a / in it, which ends it for urlsplit
        found.add(match[2])
    found |= {value for name, value in parse_qsl(urlsplit(uri).query) if _SECRET_NAME.search(name)}
    return found - {""}


def known_secrets() -> set[str]:
    """The secrets that the environment's addresses and logins hold, in every way they may be written."""
    found = {secret for name in OF_ADDRESSES for secret in _parsed(os.environ.get(name, ""))}
    found |= {os.environ.get(name, "") for name in ITSELF}
    plain = found | {unquote(secret) for secret in found}
    return {
        text for secret in plain for text in (secret, quote(secret, ""), quote_plus(secret)) if _TELLING.fullmatch(text)
    }


def _parsed(uri: str) -> set[str]:
    try:
        return secrets_of(uri)
    except ValueError:  # no address at all
        return set()
