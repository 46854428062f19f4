"""Starts the MLflow server once what it needs is there; says what is missing in one line instead of a traceback.

    python start.py mlflow server ...     checks, then becomes the server
    python start.py upgrade               brings an older database to this MLflow's tables (after a backup)

Environment: MLFLOW_BACKEND_STORE_URI, NEWSCLF_LOGIN_DATABASE (a file), NEWSCLF_DEFAULT_PERMISSION,
MLFLOW_AUTH_ADMIN_PASSWORD, and what bucket.py needs. Ends with 2 when one of these, or what it names, is wrong.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
from pathlib import Path
from string import Template

PERMISSIONS = ("READ", "USE", "EDIT", "MANAGE", "NO_PERMISSIONS")
UPGRADE = "make backup, then docker compose run --rm mlflow upgrade (in infra/)"


class Refused(Exception):
    """One line for the operator: what is wrong, where, what to do."""


def setting(name: str) -> str:
    """Raises Refused where the variable is missing or empty."""
    value = os.environ.get(name, "")
    if not value:
        raise Refused(f"{name} is empty: infra/init-env.sh writes an infra/.env that has everything")
    return value


def scratch() -> Path:
    """A folder for what this server puts down in passing; those of servers that were killed are removed.

    A server holds the lock of its folder, which goes over to what this process becomes.
    """
    for old in Path(tempfile.gettempdir()).glob("newsclf-server-*"):
        if _lock(old) is not None:
            shutil.rmtree(old, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix="newsclf-server-"))
    if (held := _lock(made)) is not None:
        os.set_inheritable(held, True)
    return made


def _lock(folder: Path) -> int | None:
    """The descriptor that holds it; None where another has it, or has removed it."""
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(opened)
        return None
    return opened


def login_settings(template: Path, folder: Path) -> Path:
    """The server's basic_auth.ini, written from the template into the folder."""
    values = {name: setting(name) for name in ("NEWSCLF_DEFAULT_PERMISSION", "NEWSCLF_LOGIN_DATABASE")}
    if values["NEWSCLF_DEFAULT_PERMISSION"] not in PERMISSIONS:
        raise Refused(
            f"NEWSCLF_DEFAULT_PERMISSION is {values['NEWSCLF_DEFAULT_PERMISSION']!r}: one of {', '.join(PERMISSIONS)}"
        )
    if len(setting("MLFLOW_AUTH_ADMIN_PASSWORD")) < 12:
        raise Refused("the admin password is shorter than 12 characters: set NEWSCLF_ADMIN_PASSWORD in infra/.env")
    path = folder / template.name
    path.write_text(Template(template.read_text()).substitute(values))
    return path


def check_database(uri: str) -> None:
    """A new database is fine: the server makes its tables. One of an older MLflow is not."""
    import sqlalchemy
    from mlflow.store.db import utils

    try:
        engine = sqlalchemy.create_engine(uri)
    except Exception as error:
        raise Refused(
            f"MLFLOW_BACKEND_STORE_URI cannot be read ({type(error).__name__}): mysql+pymysql://<user>:<password>@<host>:3306/<name>,"
            " the password in letters and digits"
        ) from None
    where = engine.url.render_as_string()
    try:
        empty = utils._is_empty_database(engine)
        found = None if empty else utils._get_schema_version(engine)
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise Refused(
            f"the database {where} does not answer: {' '.join(str(getattr(error, 'orig', error)).split())}"
        ) from None
    finally:
        engine.dispose()
    if not empty and found != utils._get_latest_schema_revision():
        raise Refused(f"the database {where} has the tables of another MLflow (revision {found}): {UPGRADE}")


def check_bucket() -> None:
    from botocore.exceptions import BotoCoreError, ClientError
    from bucket import client, one_line

    name = setting("NEWSCLF_BUCKET")
    try:
        client().head_bucket(Bucket=name)
    except (ClientError, BotoCoreError, ValueError) as error:
        raise Refused(
            f"the bucket {name} cannot be used: {one_line(error)}: bucket.py makes it, check NEWSCLF_S3_*"
        ) from None


def make_admin() -> None:
    """The login tables and the administrator, before there are workers, which would all make them at once."""
    from mlflow.exceptions import MlflowException
    from mlflow.server import auth

    try:
        auth.bootstrap_admin_user()
    except MlflowException as error:
        raise Refused(f"the administrator cannot be made: {error.message}") from None


def upgrade(uri: str) -> None:
    from mlflow.store.db import utils

    engine = utils.create_sqlalchemy_engine_with_retry(uri)
    if not utils._is_empty_database(engine):
        utils._upgrade_db(engine)


def main(command: list[str]) -> None:
    try:
        uri = setting("MLFLOW_BACKEND_STORE_URI")
        if command == ["upgrade"]:
            upgrade(uri)
            return
        os.environ["TMPDIR"] = str(folder := scratch())
        settings = login_settings(Path(__file__).with_name("basic_auth.ini"), folder)
        os.environ["MLFLOW_AUTH_CONFIG_PATH"] = str(settings)
        check_database(uri)
        check_bucket()
        make_admin()
    except Refused as refused:
        print(f"newsclf: {refused}", file=sys.stderr)
        sys.exit(2)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
