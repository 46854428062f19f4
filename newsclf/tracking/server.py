"""The tracking server: which one it is, how it is spoken to, and what its errors mean to a person."""

import contextlib
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

from newsclf.errors import InputError
from newsclf.masking import masked, masked_addresses
from newsclf.messages import listed
from newsclf.tracking.database import readable_by_mlflow, sqlite_uri

T = TypeVar("T")
PROJECT = Path(__file__).resolve().parents[2]
EMBEDDED = sqlite_uri(PROJECT / "mlflow.db")
ARTIFACT_ROOT = "_MLFLOW_SERVER_ARTIFACT_ROOT"  # where MLflow keeps the files of a database; else ./mlruns
FIRST_CONTACT_SECONDS = 10
WITHOUT_SLASHES = ("databricks", "uc", "file")
# Downloads would come from the URL at which the server reaches its object store, which the client may not reach.
SETTINGS = {
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # The sender tries again by itself, for as long as it takes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
}
# Two that make the same at once, or one whose request was doubled on its way: the tables take the first alone.
RACE = re.compile(
    r"IntegrityError|UNIQUE constraint|Duplicate entry|duplicate key|RESOURCE_ALREADY_EXISTS|RESOURCE_CONFLICT"
    r"|StaleDataError|transaction has been rolled back|database is locked|[Dd]eadlock"
)
TRANSIENT = (408, 409, 425, 429)  # of the 4xx: what another attempt may get


def tracking_uri() -> str:
    """$MLFLOW_TRACKING_URI, else the database file mlflow.db in the project folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or EMBEDDED


@contextlib.contextmanager
def as_default(uri: str) -> Iterator[None]:
    """Inside, `uri` is the store of those of MLflow's functions that take none; `tracking_uri` is what it was.

    Everything else has a client of its own store. Logging a model has no such argument, and a download forgets the one
    that it was given where it looks a model up.
    """
    server = tracking_uri()
    mlflow.set_tracking_uri(uri)
    os.environ["MLFLOW_TRACKING_URI"] = server  # which MLflow has set as well
    try:
        yield
    finally:
        mlflow.set_tracking_uri(server)


def experiment_of(client: MlflowClient, name: str, number: str) -> str:
    """The id of the experiment `name`, made if it is not there; without a name `number`, else that of the default.

    Raises InputError for one that is not there, is deleted, or whose name and number are those of two.
    """
    try:
        found = client.get_experiment_by_name(name) if name else client.get_experiment(number or "0")
    except MlflowException as error:
        if name or status_of(error) not in (400, 404):
            raise
        there = listed([f"{one.experiment_id} ({one.name})" for one in client.search_experiments(max_results=20)])
        raise InputError(
            f"MLFLOW_EXPERIMENT_ID is {number or 0}: there is no such experiment, but {there or 'none'}; "
            "MLFLOW_EXPERIMENT_NAME makes one"
        ) from error
    if found is None:
        return _made(client, name)
    named = f"experiment {found.name!r} (id {found.experiment_id})"
    if found.lifecycle_stage != "active":
        raise InputError(
            f"{named} is deleted: `mlflow experiments restore --experiment-id {found.experiment_id}` brings it back, "
            "or name another in MLFLOW_EXPERIMENT_NAME"
        )
    if number and str(found.experiment_id) != number:
        raise InputError(f"MLFLOW_EXPERIMENT_NAME is {named}, and MLFLOW_EXPERIMENT_ID is {number}: unset one of them")
    return str(found.experiment_id)


def _made(client: MlflowClient, name: str) -> str:
    """The id of the experiment, which another run may be making at the same moment."""
    try:
        return str(client.create_experiment(name))
    except MlflowException:
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return str(found.experiment_id)


def is_server(uri: str) -> bool:
    return uri.startswith(("http://", "https://"))


def check_uri(uri: str) -> None:
    """Raises InputError for a host without a scheme, which MLflow would take for a folder."""
    if "://" not in uri and uri.partition(":")[0] not in WITHOUT_SLASHES:
        shown = uri.rpartition("@")[2]
        raise InputError(
            f"MLFLOW_TRACKING_URI is {shown!r}, which has no scheme: write http://{shown} or https://{shown} for a "
            "server, sqlite:///<file> for a database"
        )


def set_defaults() -> None:
    """The client's settings, where the environment does not say otherwise."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    if tracking_uri() == EMBEDDED:  # its files lie beside it, whatever folder the user is in
        root = PROJECT / "mlruns"
        os.environ.setdefault(ARTIFACT_ROOT, str(root) if readable_by_mlflow(root) else root.as_uri())


def quiet() -> None:
    """Silence what MLflow tells of its own housekeeping: tables of a new database, copies of small files."""
    for name in ("alembic", "mlflow.pyfunc", "mlflow.tracking.fluent", "mlflow.store.model_registry"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It prints the traceback of an error that it raises as well.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


@contextlib.contextmanager
def limited(seconds: float, retries: int = 1) -> Iterator[None]:
    """Inside, each request of this process has `seconds`, and `retries` more attempts."""
    limits = {
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(retries),
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(max(1, int(seconds))),
        "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
    }
    before = {name: os.environ.get(name) for name in limits}
    os.environ.update(limits)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class TooLate(MlflowException):
    """A server has not done in time what it was asked."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:g} seconds", TEMPORARILY_UNAVAILABLE)


def briefly(ask: Callable[[], T], seconds: float = 0, a_request: float = 0) -> T:
    """What `ask` gets from a server, in `seconds` in all, whatever the server does. Raises what `ask` raises.

    seconds: 0: those of the first contact; a_request: for each request, 0: as many. A server may answer each of several
    requests late, or one of them a byte at a time. When the time is over TooLate, an MlflowException, is raised, and
    `ask` is left to itself in a thread that keeps nobody from ending: it should leave to the caller what is kept of the
    answers.
    """
    seconds = seconds or FIRST_CONTACT_SECONDS
    answers, errors = list[T](), list[BaseException]()

    def work() -> None:
        try:
            answers.append(ask())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, name="newsclf-first-contact", daemon=True)
    with limited(a_request or seconds):
        thread.start()
        thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise TooLate(seconds)
    return answers[0]


def ask(uri: str) -> None:
    """Raises what MlflowClient raises where the server does not answer, or refuses."""
    briefly(lambda: MlflowClient(uri, uri).search_experiments(max_results=1))


class NotStored(Exception):
    """A server has said yes, and has not got what it was sent: it was not the server that answered, or it lies."""


@dataclass(frozen=True)
class Trouble:
    """Why a server did not take something. lasting: trying again is of no use until a person has done something."""

    text: str
    lasting: bool


def trouble(error: Exception) -> Trouble:
    """What an error of MLflow's client means, and what to do."""
    text, status = masked(str(error)), status_of(error)
    if isinstance(error, InputError):
        return Trouble(text, lasting=True)
    if certificate := re.search(r"certificate verify failed: ([^(\n]+)", text):
        return Trouble(
            f"its certificate is not accepted ({certificate[1].strip()}): have it renewed, or name the CA's file in "
            "MLFLOW_TRACKING_SERVER_CERT_PATH",
            lasting=True,
        )
    if status == 401:
        return Trouble(
            "it refuses the login (401): set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
            "MLFLOW_TRACKING_TOKEN",
            lasting=True,
        )
    if status == 403:
        return Trouble(f"it does not allow it (403, {first_line(error)}): ask its administrator", lasting=True)
    if away := re.search(r"\(Caused by \w+\(.*?([^:'\"]+)['\"]?\)\)", text):  # the end of a long line of urllib3's
        return Trouble(re.sub(r"\(?\[Errno -?\d+\] | \(read timeout.*|\)$", "", away[1]).strip(), lasting=False)
    race = RACE.search(text) or RACE.search(str(getattr(error, "error_code", "")))
    return Trouble(first_line(error), lasting=400 <= status < 500 and status not in TRANSIENT and not race)


def status_of(error: Exception) -> int:
    """The HTTP status behind an error of MLflow's client; 500 where there was no answer at all."""
    response = getattr(error, "response", None)  # of requests: how artifacts are sent
    if response is not None and hasattr(response, "status_code"):
        return int(response.status_code)
    status = getattr(error, "get_http_status_code", None)
    return int(status()) if status else 500


def address_of(uri: str) -> str:
    """The store without the login that the URI may hold: this is printed, linked to, and kept in files.

    >>> address_of("https://ann:secret@host:5000/mlflow/?token=abcd")
    'https://host:5000/mlflow'
    """
    shown = masked_addresses(uri)
    if not is_server(uri):
        return shown
    return re.sub(r"://[^/]*\*\*\*@", "://", re.split(r"[?#]", shown)[0]).rstrip("/")


def with_login(address: str) -> str:
    """The URI of a store that is known by its address: the environment has the login, and files have not."""
    here = tracking_uri()
    return here if address_of(here) == address_of(address) else address


def first_line(error: BaseException) -> str:
    """What an error says, without the logins that it may quote."""
    lines = masked(str(error)).strip().splitlines()
    return lines[0][:500] if lines else type(error).__name__
