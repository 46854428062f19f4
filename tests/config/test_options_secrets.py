"""An option never holds a password or a token: options are logged. The rule is one for all options, in options.py.

Other places of the kind: what `mlflow run` has logged before (tests/tracking/test_forget.py), addresses in the
environment (tests/tracking/test_run_login.py), code that is not committed (tests/tracking/test_diff_secrets.py).
"""

import json
from pathlib import Path
from typing import Any

import pytest

from newsclf.config import MonitorConfig, SweepConfig, SyncConfig, TrainConfig
from newsclf.config.options import resolve
from newsclf.errors import SecretGiven

LOGIN = "://ann:" + "secret@"


@pytest.mark.parametrize(
    ("config_class", "option", "value", "says"),
    [
        (SweepConfig, "storage", f"mysql{LOGIN}host/db", "put it into $NEWSCLF_SWEEP_STORAGE instead"),
        (SweepConfig, "storage", f"postgresql+psycopg2{LOGIN}host:5432/db?sslmode=require", "$NEWSCLF_SWEEP_STORAGE"),
        (SweepConfig, "storage", "mysql://host/db?password=secret", "$NEWSCLF_SWEEP_STORAGE"),
        (SyncConfig, "server", f"https{LOGIN}host", "$MLFLOW_TRACKING_PASSWORD"),
        (SyncConfig, "server", "https://secret@host", "$MLFLOW_TRACKING_PASSWORD"),
        (TrainConfig, "dataset", f"s3{LOGIN}bucket/a.csv", "$AWS_SECRET_ACCESS_KEY"),
        (TrainConfig, "dataset", "https://host/a.csv?X-Amz-Signature=secret", "$AWS_SECRET_ACCESS_KEY"),
        (TrainConfig, "encoder", "https://host/a?token=secret", "a password or a token"),
        (MonitorConfig, "stream", f"s3{LOGIN}bucket/in", "a password or a token"),
        (MonitorConfig, "reference", f"s3{LOGIN}bucket/in", "a password or a token"),
        (MonitorConfig, "notify", "slack://token/secret/c", "must be the name of an environment variable"),
        (MonitorConfig, "notify", "secret@host", "must be the name of an environment variable"),
        (SweepConfig, "runs", f"[{{dataset: 's3{LOGIN}bucket/a.csv'}}]", "option runs has a password"),
        (SweepConfig, "train", f"{{dataset: 's3{LOGIN}bucket/a.csv'}}", "option train has a password"),
    ],
)
def test_a_secret_is_refused_and_not_repeated(
    config_class: type, option: str, value: str, says: str, tmp_path: Path
) -> None:
    written = value if value.startswith(("[", "{")) else json.dumps(value)
    (tmp_path / "options.yaml").write_text(f"{option}: {written}\n")
    for arguments in ([f"--{option}={value}"], [f"--config={tmp_path / 'options.yaml'}"]):
        with pytest.raises(SecretGiven, match=says.replace("$", "\\$")) as error:
            resolve(config_class, arguments)
        assert error.value.option == option
        assert "secret" not in str(error.value).lower().replace("secret_access", "").replace("are secrets", "")


@pytest.mark.parametrize(
    ("config_class", "option", "value"),
    [
        (SweepConfig, "storage", "mysql+pymysql://host:3306/db"),
        (SweepConfig, "storage", "mysql://ann@host/db"),
        (SweepConfig, "storage", "sqlite:////tmp/a@b:c/study.db"),
        (SyncConfig, "server", "https://host:5000/mlflow"),
        (TrainConfig, "dataset", "s3://bucket/a:b@c.csv"),
        (TrainConfig, "dataset", "folder/a:b@c?key=1.csv"),
        (MonitorConfig, "notify", "MY_URLS"),
    ],
)
def test_what_is_none_is_taken(config_class: Any, option: str, value: str) -> None:
    required = {MonitorConfig: ["--stream=a", "--reference=b"], SweepConfig: ["--strategy=list"]}
    assert getattr(resolve(config_class, [*required.get(config_class, []), f"--{option}={value}"]), option) == value
