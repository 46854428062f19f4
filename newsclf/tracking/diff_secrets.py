"""Secrets in a diff, which is uploaded with a run: the lines that hold one are masked, and named by their kind.

A pattern takes what looks like a secret, in a line that is added, removed or there as context. It takes too much rather
than too little: what is masked costs `reproduce`, what is not is read by everybody who may read the run.
"""

import base64
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from newsclf.masking import PASSWORD_IN_URL, SECRET_IN_QUERY, USER_IN_URL, known_secrets

_STRONG = r"passw(?:or)?d|passwd|passphrase|\bpwd|_pwd|secret|(?:api|access|private|account)[_-]?key"
_WEAK = r"token(?![a-z])|_key(?![a-z_])|\bkey(?![a-z_])|auth(?![a-z])|credentials?(?![a-z])|encryption[_-]?key"
# What stands between a name and its value: "name": value, name = value, environ["name"] = value, name: str = value
_BETWEEN = r"[\w.-]{0,32}[\"'\]]*\s*(?::=|=>|==?|:(?:\s*[\w\[\]., |]{1,32}=)?|,|\(|>)\s*(?:[a-zA-Z]{1,2}(?=[\"']))?"
_QUOTED = r"(?P<quote>[\"'`])(?P<value>(?:(?!(?P=quote)).){1,4096})(?P=quote)"
_ASSIGNED = {
    strong: re.compile(rf"(?i)(?:{words}){_BETWEEN}(?:{_QUOTED}|(?P<bare>[^\s\"'`<>]{{1,4096}})(?P<rest>\s*\S?))")
    for strong, words in {True: _STRONG, False: _WEAK}.items()
}
# Its value is on the next line.
_OPEN = re.compile(rf"(?i)(?:{_STRONG})[\w.-]{{0,32}}[\"'\]]*\s*[:=]\s*[(|>\\\[]?-?\s*$")
_TEMPLATE = re.compile(r"(?i)[$%{<\[*.]\S*|x+|.*(?:\$\{|\{\{|%\().*|none|null|nil|true|false|str|bytes|int|float|bool")
KINDS = {
    "a password in a URL": PASSWORD_IN_URL,
    "a login in a URL": USER_IN_URL,
    "a token in a URL": SECRET_IN_QUERY,
    "an AWS key": re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[0-9A-Z]{16}\b"),
    "a token": re.compile(
        r"\b(?:gh[a-z]_\w{20,}|github_pat_\w{20,}|gl[a-z]{2,5}-[\w-]{16,}|hf_\w{16,}|xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}"
        r"|dapi[0-9a-f]{32}|dop_v1_[0-9a-f]{32,}|sk-[\w-]{16,}|[spr]k_(?:live|test)_\w{10,}|AIza[\w-]{30,}|ya29\.[\w-]{16,}"
        r"|npm_\w{30,}|pypi-[\w-]{30,}|SG\.[\w-]{16,}\.[\w-]{16,}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*|hvs\.[\w-]{20,}"
        r"|AGE-SECRET-KEY-1\w{20,}|whlabs-[\w-]{10,}|glsa_\w{20,}|lin_api_\w{20,}|shp(?:at|ss|ca|pa)_[0-9a-f]{20,})"
    ),
    "a login": re.compile(
        r"(?i)\b(?:bearer|basic)\s+[\w+/=.~-]{16,}|(?:^|\s)(?:-u|--user)[ =]\S+:\S+|\blogin\s+\S+\s+password\s+\S+"
        r"|--?[\w-]*(?:password|passwd|token|secret|api-key)[ =](?![\"']?[$%{<-])\S{3,}|\bidentified\s+by\s+['\"]\S"
        r"|^\s*env\s+\w*(?:password|passwd|secret|token|_key)\w*\s+(?![$%{<])\S{3,}"
    ),
}
# Of the programs that keep logins: everything in them is one.
_FILES = re.compile(
    r"(?i)\.env(?:\..*)?|.*\.env|\.netrc|_netrc|\.pgpass|\.my\.cnf|\.pypirc|\.htpasswd|\.git-credentials|credentials"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)|.*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc)|secrets?\.\w+"
)
_AFTER = ("", "#", ";", ",", "&", "|", "<", "\\")
# Where a name without quotes is a variable, or a word of a sentence.
_CODE = {
    ".py",
    ".pyi",
    ".ipynb",
    ".js",
    ".ts",
    ".go",
    ".rs",
    ".java",
    ".c",
    ".h",
    ".cpp",
    ".md",
    ".rst",
    ".txt",
    ".jinja",
}
_KEY_BEGIN, _KEY_END = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY"), re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY")
_KEY_LINE = re.compile(r"\W*(?=\w*[a-z])(?=\w*[A-Z])(?:[A-Za-z0-9+/]{64}|[A-Za-z0-9+/]{70}|[A-Za-z0-9+/]{76})\W*")
_KEY_REST = re.compile(r"\W*[A-Za-z0-9+/]{2,76}={0,2}\W*")
PRIVATE_KEY, PASSWORD, FILE = "a private key", "a password or key", "a file of secrets"


def without_secrets(diff: bytes) -> tuple[bytes, Counter[str]]:
    """(the diff, its lines that hold secrets masked; how many of each kind). Lines that hold none stay as they are."""
    lines = diff.decode("latin-1").split("\n")  # byte for byte, whatever encodings its files have
    found = dict(_found(lines))
    masked = [f"{_marked(line)}[masked: {found[at]}]" if at in found else line for at, line in enumerate(lines)]
    return "\n".join(masked).encode("latin-1"), Counter(found.values())


def told(found: Counter[str]) -> str:
    """The warning for a person."""
    kinds = ", ".join(f"{count} lines: {kind}" if count > 1 else kind for kind, count in sorted(found.items()))
    return (
        f"uncommitted changes look as if they held secrets ({kinds}): these lines are masked in the run's diff, so "
        "reproduce cannot run this code again; log_diff=false logs no diff at all"
    )


def _marked(line: str) -> str:
    """What stays of a line: its sign; of a hunk's head the part that counts its lines."""
    hunk = re.match(r"@@ .*? @@ ?", line)
    return hunk[0] if hunk else line[:1]


def _found(lines: list[str]) -> Iterator[tuple[int, str]]:
    """(index of a line, kind) of all that are to be masked."""
    path, in_key, is_open = PurePosixPath(), False, False
    known = known_secrets()
    start, binary = 0, False  # of the hunk
    for at, line in enumerate(lines):
        if line.startswith("diff --git "):
            path, start, binary = PurePosixPath(line.rpartition(" b/")[2].strip('"')), 0, False
            continue
        if line == "GIT binary patch":
            binary = True
            yield from _in_binary(lines, at, path)
        if binary:
            continue
        if line.startswith("@@ "):
            in_key, is_open, start = False, False, at
        elif not start or not line.startswith(("+", "-", " ")):  # a head, or the end of a file without a line's end
            continue
        text = line.partition(" @@")[2] if line.startswith("@@ ") else line[1:]
        ends = bool(_KEY_END.search(text))
        if ends and not in_key and not _KEY_BEGIN.search(text):  # it begins above the hunk
            for one in range(at - 1, start, -1):
                if not _KEY_REST.fullmatch(lines[one][1:].rstrip("\r")):
                    break
                yield one, PRIVATE_KEY
        in_key = in_key or bool(_KEY_BEGIN.search(text))
        if in_key or ends or _KEY_LINE.fullmatch(text.rstrip("\r")):
            yield at, PRIVATE_KEY
        elif text.strip() and (kind := _kind(text, path, known, is_open)):
            yield at, kind
        in_key = in_key and not ends
        is_open = bool(_OPEN.search(text))


def _kind(text: str, path: PurePosixPath, known: set[str], is_open: bool = False) -> str:
    """What kind of secret a line holds; empty for none. is_open: it is the value of a name in the line before."""
    if _FILES.fullmatch(path.name):
        return FILE
    if any(secret in text for secret in known):
        return PASSWORD
    if kind := next((kind for kind, pattern in KINDS.items() if pattern.search(text)), ""):
        return kind
    code = path.suffix.lower() in _CODE
    candidates = [text, f"password={text.strip()}"] if is_open else [text]
    for one in candidates:
        for strong, pattern in _ASSIGNED.items():
            if any(_is_secret(match, strong, code) for match in pattern.finditer(one)):
                return PASSWORD
    return ""


def _is_secret(match: re.Match[str], strong: bool, code: bool) -> bool:
    """Whether what is assigned to the name of a secret is one, and no template, variable or call."""
    value = match["value"] or match["bare"]
    if _TEMPLATE.fullmatch(value) or len(value) < 3:
        return False
    mixed = bool(re.search(r"\d", value) and re.search(r"[A-Za-z]", value) and len(value) >= 8)
    if match["value"]:
        return (strong and not (code and "," in match[0].partition(value)[0] and not mixed)) or (
            " " not in value and (mixed or len(value) >= 20)
        )
    if re.search(r"[()\[\]{}]", value):
        return False
    if code:
        return mixed and not re.search(r"\.[A-Za-z_]|_", value)
    return (strong and match["rest"].strip() in _AFTER) or mixed


def _in_binary(lines: list[str], at: int, path: PurePosixPath) -> Iterator[tuple[int, str]]:
    """The lines of a binary patch whose content, which it holds compressed, has a secret."""
    known, block = known_secrets(), list[int]()
    for number in range(at + 1, len(lines) + 1):
        line = lines[number] if number < len(lines) else ""
        if line.startswith("diff --git "):
            break
        if line and not line.startswith(("literal ", "delta ")):
            block.append(number)
        elif block:
            text = _content([lines[one] for one in block])
            kinds = {kind for one in text.split("\n") if one.strip() and (kind := _kind(one, path, known))}
            if kinds or _KEY_BEGIN.search(text):
                yield from ((one, min(kinds, default=PRIVATE_KEY)) for one in block)
            block = []


def _content(block: list[str]) -> str:
    """What lines of git's base 85 hold: a file, or what a delta puts into one."""
    sizes = {**{chr(64 + n): n for n in range(1, 27)}, **{chr(96 + n): n + 26 for n in range(1, 27)}}
    try:
        packed = b"".join(base64.b85decode(line[1:])[: sizes[line[0]]] for line in block)
        return zlib.decompress(packed).decode("latin-1")
    except (KeyError, ValueError, zlib.error):
        return ""
