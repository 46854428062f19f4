"""Where a sweep's trials are kept: an SQLite file of its own, or a database that several machines share."""

import contextlib
import logging
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from sqlalchemy.exc import SQLAlchemyError

from newsclf.config import SweepConfig
from newsclf.errors import InputError
from newsclf.masking import masked_addresses
from newsclf.messages import one_line
from newsclf.tracking.database import sqlite_uri

STORAGE_VARIABLE = "NEWSCLF_SWEEP_STORAGE"
HEARTBEAT_SECONDS, GRACE_SECONDS = 30, 180
TRIES, SECONDS_BETWEEN_TRIES = 5, 2.0


def open_study(config: SweepConfig, name: str, file: str, lowest: bool, wanted: str) -> tuple[RDBStorage, optuna.Study]:
    """The study `name`, made if it is not there. file: the SQLite file where no storage is given.

    lowest: whether low values of the aim are best; wanted: what the sweep tries (see `identity`). Raises InputError
    where the storage cannot be used, or holds another sweep of this name.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    url = storage_url(config) or sqlite_uri(Path(file))
    try:
        with quiet():
            storage = _tables(url)
            return storage, _open(storage, name, lowest, wanted)
    except InputError:
        raise
    except ImportError as error:
        raise InputError(f"storage {masked_addresses(url)} needs a driver that is not installed: {error}") from None
    except Exception as error:
        raise InputError(f"storage {masked_addresses(url)} cannot be used ({one_line(error, 200)})") from None


def storage_url(config: SweepConfig) -> str:
    """The database of the sweep; empty for the file in output_dir. Raises InputError for what is no URL."""
    if config.storage and "://" not in config.storage:
        raise InputError(f"option storage is {config.storage!r}: give an SQLAlchemy URL, as sqlite:////path/study.db")
    return config.storage or os.environ.get(STORAGE_VARIABLE, "")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Optuna warns that heartbeats are young, and meant for its own loop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _tables(url: str) -> RDBStorage:
    """The storage with its tables, which another machine may be making at the same moment."""
    for _ in range(TRIES - 1):
        try:
            return RDBStorage(url, heartbeat_interval=HEARTBEAT_SECONDS, grace_period=GRACE_SECONDS)
        except SQLAlchemyError as error:
            if not any(word in str(error).lower() for word in ("already exists", "duplicate", "unique constraint")):
                raise
            time.sleep(SECONDS_BETWEEN_TRIES)
    return RDBStorage(url, heartbeat_interval=HEARTBEAT_SECONDS, grace_period=GRACE_SECONDS)


def _open(storage: RDBStorage, name: str, lowest: bool, wanted: str) -> optuna.Study:
    direction = StudyDirection.MINIMIZE if lowest else StudyDirection.MAXIMIZE
    with contextlib.suppress(DuplicatedStudyError):
        study = optuna.create_study(storage=storage, study_name=name, direction=direction)
        study.set_user_attr("identity", wanted)
    study = optuna.load_study(storage=storage, study_name=name)
    there = study.user_attrs.get("identity")
    if there is None:  # killed between the two lines above
        study.set_user_attr("identity", wanted)
    elif there != wanted:
        raise InputError(
            f"sweep {name} is there already and tries other settings: give another name, or other options as before"
        )
    return study
