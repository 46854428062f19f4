"""The server's start script, on real stores: what is wrong with one of them is one line, and nothing is started."""

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("native_only")]


def refused(stack, **environment: str) -> str:
    """The one line with which the container would end."""
    (command,) = stack.mlflow.commands()
    with pytest.raises(RuntimeError, match="ended with 2: ") as ended:
        stack.mlflow.run(*command, **environment)
    (line,) = str(ended.value).partition("ended with 2: ")[2].strip().splitlines()
    return line


def test_a_bucket_that_is_not_there(stack):
    assert "bucket nowhere cannot be used" in refused(stack, NEWSCLF_BUCKET="nowhere")


def test_an_object_store_that_knows_the_key_no_more(stack):
    line = refused(stack, AWS_SECRET_ACCESS_KEY="another-secret")
    assert "bucket mlflow cannot be used" in line
    assert "another-secret" not in line


def test_a_database_that_does_not_let_the_server_in(stack):
    uri = stack.mlflow.environment["MLFLOW_BACKEND_STORE_URI"]
    wrong = uri.replace(stack.db.password, "another-password")
    line = refused(stack, MLFLOW_BACKEND_STORE_URI=wrong)
    assert "does not answer" in line
    assert "Access denied" in line
    assert "another-password" not in line


def test_a_database_with_the_tables_of_an_older_mlflow(stack):
    """The running server is not disturbed: it has looked at the revision when it was started."""
    revision = stack.db.sql("SELECT version_num FROM alembic_version").strip()
    stack.db.sql("UPDATE alembic_version SET version_num = '2d6e25af4d3e'")
    try:
        line = refused(stack)
    finally:
        stack.db.sql(f"UPDATE alembic_version SET version_num = '{revision}'")
    assert "revision 2d6e25af4d3e" in line
    assert "docker compose run --rm mlflow upgrade" in line


def test_the_upgrade_makes_no_difference_to_a_database_that_is_up_to_date(stack):
    start = next(iter(stack.mlflow.commands()))[:2]
    before = stack.db.sql("CHECKSUM TABLE runs, metrics, params, experiments, alembic_version")
    stack.mlflow.run(*start, "upgrade")
    assert stack.db.sql("CHECKSUM TABLE runs, metrics, params, experiments, alembic_version") == before
