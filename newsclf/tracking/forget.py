"""Passwords and tokens in a run's parameters and tags: `mlflow run` logs what was typed before our code runs."""

from collections.abc import Iterable

from mlflow import MlflowClient
from mlflow.store.tracking.dbmodels.models import SqlParam
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import text

from newsclf.masking import masked_addresses


def forget_secrets(client: MlflowClient, run_id: str, names: Iterable[str] = ()) -> list[str]:
    """Remove the run's parameters that have a secret in an address, and those of `names`; mask it in its tags.

    Returns the names of those that stay: MLflow's servers take no parameter back, a database does.
    Raises MlflowException where there is no such run.
    """
    data = client.get_run(run_id).data
    for name, value in data.tags.items():  # such as the address that the project was fetched from
        if masked_addresses(value) != value:
            client.set_tag(run_id, name, masked_addresses(value))
    secret = sorted(name for name, value in data.params.items() if name in names or masked_addresses(value) != value)
    store = client._tracking_client.store
    if not secret or not isinstance(store, SqlAlchemyStore):
        return secret
    with store.ManagedSessionMaker() as session:
        if in_sqlite := store.db_type == "sqlite":
            session.execute(text("PRAGMA secure_delete = ON"))  # or the text stays in the file
        session.query(SqlParam).filter(SqlParam.run_uuid == run_id, SqlParam.key.in_(secret)).delete()
    if in_sqlite:
        with store.engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))  # the file beside it has it as well
    return []
