"""Secrets in a diff: each way of writing one, in lines added, removed and unchanged, and what looks like one only.

The examples are put together here, or this file would hold what the scan of the repository looks for.
"""

import subprocess
from pathlib import Path

import pytest

from newsclf.tracking.diff_secrets import told, without_secrets

WORD = "hunter" + "2"
LONG = "8f3a9c0d" + "1e2b4f5a"
KEY = "-----BEGIN RSA PRIVATE" + " KEY-----"
END = "-----END RSA PRIVATE" + " KEY-----"
BODY = "MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MhgHcTz6sE2I2yPB"
SECRETS = {
    "code.py": [
        f'password = "{WORD}"',
        f"PASSWORD: str = '{WORD}'",
        f'password: str | None = "{WORD}"',
        f'os.environ["DB_PASSWORD"] = "{WORD}"',
        f'connect(user="ann", passwd="{WORD}")',
        f'{{"client_secret": "{WORD}"}}',
        f'secret = b"{WORD}"',
        f'SECRET_KEY_BASE = "{WORD}"',
        f'api_key = f"{WORD}"',
        f'token = "{LONG}"',
        f'signing_key = "{LONG}"',
        f'os.getenv("PASSWORD", "{WORD}x9")',
        f'set_password("{WORD}x9")',
        f"# the password: {WORD}x9",
        'passphrase = "several words of it"',
        'aws = "AKIA' + 'IOSFODNN7EXAMPLE"',
        "# ghp" + "_" + "a1" * 18,
        "hub = 'hf" + "_" + "aB" * 17 + "'",
        "# dapi" + "0f" * 16,
        "slack('xoxb" + "-123456789012')",
        "# glpat" + "-abcdefghij0123456789",
        "# sk" + "-proj-abcdefghij0123456789",
        "# AIza" + "SyA0123456789abcdefghijklmnopqrstu",
        "# eyJhbGciOiJI" + ".eyJzdWIiOiIxMjM0.c2lnbmF0dXJl",
        f'headers = {{"Authorization": "Bearer {LONG}"}}',
        f'url = "postgresql://ann:{WORD}' + '@host/db"',
        f'url = "https://{LONG}' + '@host/"',
        f'get("https://host/file?sig={LONG}&page=1")',
        KEY + r"\nMIIEpA\n" + END,
    ],
    "settings.yaml": [f"password: {WORD}", f'db_password: "{WORD}"', f"secret: {WORD}  # ours", f"token: {LONG}"],
    "Dockerfile": [f"ENV DB_PASSWORD={WORD}", f"ENV DB_PASSWORD {WORD}", f"RUN curl -u ann:{WORD} http://host"],
    "run.sh": [f"export PGPASSWORD={WORD}", f"tool --password {WORD}", f"tool --api-key={WORD}"],
    "grant.sql": [f"CREATE USER ann IDENTIFIED BY '{WORD}'"],
    "app.properties": [f"datasource.password={WORD}"],
    "app.xml": [f"<password>{WORD}</password>"],
    "app.json": [f'"token": "{LONG}"', f'"accountKey": "{WORD}"'],
    ".env": ["ANYTHING=goes"],
    "server.pem": ["anything"],
}
HARMLESS = {
    "code.py": [
        "password = getpass()",
        "password = os.environ['DB_PASSWORD']",
        "def password(self) -> str:",
        "password: str = ''",
        'if "password" in names:',
        'words = ("password", "secret", "token")',
        'f"{user}: password {password}"',
        '"password": f"{value}"',
        "secret = None",
        "self.secret = secret",
        "api_key=config.api_key",
        "token = tokenizer(text)",
        "token = match[1]",
        'unk_token = "[UNK]"',
        'pad_token="<pad>"',
        'tokenizer = "bert-base-uncased-2"',
        "tokens: list[int] = []",
        "max_tokens = 12345678",
        "for key, value in items:",
        'key = "accuracy"',
        "sorted(found, key=str.lower)",
        "key = prefix.key(files.sha256)",
        'monkey = "bananas12"',
        'author = "Somebody 12345678"',
        'sha256 = "' + "0a" * 32 + '"',
        'url = "http://127.0.0.1:5000/#/experiments/0"',
        'url = "postgresql://ann@host/db"',
        'uri = "models:/newsclf@champion"',
    ],
    "settings.yaml": ["password: ${DB_PASSWORD}", 'password: ""', "tokenizer: bert1234", "monkey: abc12345"],
    "run.sh": ['tool --password "$PASSWORD"', "tool --password=$P", "curl -u $USER http://host"],
    "docs.md": ["password: the one of the database"],
}


def diff_of(name: str, *lines: str) -> bytes:
    head = f"diff --git a/{name} b/{name}\nindex 1..2 100644\n--- a/{name}\n+++ b/{name}\n@@ -1,{len(lines)} +1 @@\n"
    return (head + "\n".join(lines) + "\n").encode()


@pytest.mark.parametrize("sign", ["+", "-", " "])
@pytest.mark.parametrize("name", SECRETS)
def test_a_line_that_holds_a_secret_is_masked(name: str, sign: str) -> None:
    missed = []
    for line in SECRETS[name]:
        masked, found = without_secrets(diff_of(name, " before", sign + line, " after"))
        lines = masked.decode().splitlines()[5:]
        if found.total() != (3 if name in (".env", "server.pem") else 1) or lines[1][:10] != f"{sign}[masked: ":
            missed.append(line)
    assert missed == []


@pytest.mark.parametrize("name", HARMLESS)
def test_what_looks_like_one_only_stays(name: str) -> None:
    taken = [line for line in HARMLESS[name] if without_secrets(diff_of(name, "+" + line))[1]]
    assert taken == []


def test_the_head_of_a_hunk_quotes_a_line_of_the_file() -> None:
    diff = diff_of("settings.yaml", "+a").replace(b" +1 @@", f" +1 @@ password: {WORD}".encode())
    assert b"\n@@ -1,1 +1 @@ [masked: a password or key]\n+a\n" in without_secrets(diff)[0]


def test_a_private_key_is_masked_from_its_first_line_to_its_last_and_in_parts() -> None:
    key = ["+" + line for line in (KEY, "Proc-Type: 4", BODY, BODY, "abc123==", END)]
    masked, found = without_secrets(diff_of("notes.txt", "+before", *key, "+after"))
    assert masked.decode().splitlines()[5:] == ["+before", *["+[masked: a private key]"] * 6, "+after"]
    assert found == {"a private key": 6}
    assert without_secrets(diff_of("notes.txt", *key[2:], "+after"))[1].total() == 4, "its head is above the hunk"
    assert without_secrets(diff_of("notes.txt", *key[3:], "+after"))[1].total() == 3
    assert without_secrets(diff_of("notes.txt", *key[:4]) + diff_of("b.txt", "+x"))[1].total() == 4, "another file"


def test_a_value_on_the_next_line() -> None:
    for lines in (["+password = (", f'+    "{WORD}"', "+)"], ["+password: >", f"+  {WORD}", "+a: b"]):
        masked, _ = without_secrets(diff_of("settings.yaml", *lines))
        assert masked.decode().splitlines()[6] == "+[masked: a password or key]"


def test_what_the_environment_keeps_secret_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "Tr0ub4dor")
    assert without_secrets(diff_of("code.py", "+login('ann', 'Tr0ub4dor')"))[1].total() == 1


def test_a_file_that_git_takes_for_binary_is_looked_into(tmp_path: Path) -> None:
    def git(*words: str) -> bytes:
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        return subprocess.run(["git", "-C", tmp_path, *who, *words], check=True, capture_output=True).stdout

    git("init", "-q")
    (tmp_path / ".gitattributes").write_text("*.dat binary\n")
    (tmp_path / "a.dat").write_text("".join(f"line {number}\n" for number in range(300)))
    (tmp_path / "b.dat").write_text("nothing\n")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    (tmp_path / "a.dat").write_text((tmp_path / "a.dat").read_text() + f"password: {WORD}\n")
    (tmp_path / "b.dat").write_text("nothing more\n")
    diff = git("diff", "--binary", "HEAD")
    masked, found = without_secrets(diff)
    assert found == {"a password or key": 1}, "the old content holds none"
    assert masked[masked.index(b"diff --git a/b.dat") :] == diff[diff.index(b"diff --git a/b.dat") :]


def test_what_has_none_stays_byte_by_byte() -> None:
    diff = (
        diff_of("code.py", "+x = 1\r", "-y").replace(b"x = 1", b"x = '\xe9\x00\xff'")
        + b"\\ No newline at end of file\n"
    )
    assert without_secrets(diff) == (diff, {})
    assert without_secrets(b"") == (b"", {})


def test_the_warning_names_the_kinds() -> None:
    _, found = without_secrets(
        diff_of("a.yaml", f"+password: {WORD}", f"+password: {WORD}", f"+a: ftp://x:{WORD}" + "@h")
    )
    assert "(a password in a URL, 2 lines: a password or key)" in told(found)
