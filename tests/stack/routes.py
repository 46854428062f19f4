"""The routes of the installed MLflow, and a sound call of each that infra/mlflow/routes.py lets through."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.stack.compose import INFRA

# MLflow's own tables of routes, of both its applications, in a process of its own: they are made from the environment.
TABLES = """
import json
from mlflow.server import app as flask
from mlflow.server.auth import create_app
native = create_app(flask).openapi()["paths"]
print(json.dumps([
    [(method, rule.rule) for rule in flask.url_map.iter_rules() for method in rule.methods],
    [(method.upper(), path) for path, methods in native.items() for method in methods],
]))
"""
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|{(\w+)}")
PLACEHOLDER = re.compile(r"\$([a-z]+)")
IMPLIED = {"HEAD", "OPTIONS"}  # of Flask, beside what a route is for


def installed(folder: Path) -> set[tuple[str, str]]:
    """(method, path) of every route, with <name> for each parameter. folder: for the login database it needs."""
    (folder / "auth.ini").write_text(
        f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{folder / 'login.db'}\n"
        "admin_username = admin\nadmin_password = only-for-this-process\n"
    )
    environment = os.environ | {
        "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "only for this process",
        "_MLFLOW_SGI_NAME": "uvicorn",
        "prometheus_multiproc_dir": str(folder / "metrics"),  # --expose-prometheus
    }
    printed = subprocess.run(
        [sys.executable, "-c", TABLES], env=environment, cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    flask, native = json.loads(printed.splitlines()[-1])
    assert len(flask) > 400
    assert len(native) > 50
    return {
        (method, PARAMETER.sub(lambda found: f"<{found[1] or found[2]}>", path))
        for method, path in (*flask, *native)
        if method not in IMPLIED
    }


def table() -> ModuleType:
    """infra/mlflow/routes.py."""
    spec = importlib.util.spec_from_file_location("infra_routes", INFRA / "mlflow" / "routes.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_MODEL_FILE = json.dumps({"artifact_path": "m", "run_id": "$run", "flavors": {}, "utc_time_created": "2026-01-01"})
_GRAPHQL = "query($i: MlflowGetRunInput!) {mlflowGetRun(input: $i) {run {info {runId}}}}"
_DATASET = {"name": "d", "digest": "1", "source_type": "local", "source": "{}"}
_NEW = "$new"  # a name that nothing has yet
_ARTIFACT = {"artifact_path": "$experiment/$run/artifacts/a.txt"}
_GRANT = {"username": "$friend", "resource_type": "experiment", "resource_id": "$experiment"}
_VERSION = {"name": "$name", "version": "$version"}
_SEARCH = {"experiment_ids": ["$experiment"], "max_results": 5}
_PREFIX = re.compile(r"^(/api|/ajax-api)?/(2\.0|3\.0)/mlflow/|^/")
# What is sent: in the query of a GET, else as JSON; a parameter of the path goes there. In the order in which a call
# leaves what the later ones need.
SOUND: dict[str, dict[str, Any]] = {
    "GET health": {},
    "GET ": {},
    "GET static-files/<path>": {"path": "index.html"},
    "GET version": {},
    "GET server-info": {},
    "GET metrics": {},
    "POST graphql": {"query": _GRAPHQL, "variables": {"i": {"runId": "$run"}}},
    "POST experiments/create": {"name": _NEW},
    "GET experiments/search": {"max_results": 1000},
    "POST experiments/search": {"max_results": 1000},
    "GET experiments/get": {"experiment_id": "$experiment"},
    "GET experiments/get-by-name": {"experiment_name": "$name"},
    "POST experiments/search-datasets": {"experiment_ids": ["$experiment"]},
    "POST experiments/set-experiment-tag": {"experiment_id": "$experiment", "key": "k", "value": "v"},
    "POST experiments/delete-experiment-tag": {"experiment_id": "$experiment", "key": "k"},
    "POST runs/search": _SEARCH,
    "GET runs/get": {"run_id": "$run"},
    "POST runs/create": {"experiment_id": "$experiment"},
    "POST runs/update": {"run_id": "$run", "status": "FINISHED"},
    "POST runs/log-batch": {"run_id": "$run", "tags": [{"key": "q", "value": "1"}]},
    "POST runs/log-inputs": {"run_id": "$run", "datasets": [{"dataset": _DATASET}]},
    "POST runs/log-metric": {"run_id": "$run", "key": "m", "value": 1, "timestamp": 1},
    "POST runs/log-model": {"run_id": "$run", "model_json": _MODEL_FILE},
    "POST runs/log-parameter": {"run_id": "$run", "key": "p", "value": "1"},
    "POST runs/outputs": {"run_id": "$run", "models": [{"model_id": "$model", "step": 0}]},
    "POST runs/set-tag": {"run_id": "$run", "key": "k", "value": "v"},
    "POST runs/delete-tag": {"run_id": "$run", "key": "k"},
    "GET metrics/get-history": {"run_id": "$run", "metric_key": "m"},
    "GET metrics/get-history-bulk-interval": {"run_ids": ["$run"], "metric_key": "m"},
    "GET metrics/get-history-bulk": {"run_id": ["$run"], "metric_key": "m"},
    "GET artifacts/list": {"run_id": "$run", "path": ""},
    "GET get-artifact": {"run_id": "$run", "path": "a.txt"},
    "GET mlflow-artifacts/artifacts": {"path": "$experiment/$run/artifacts"},
    "GET mlflow-artifacts/artifacts/<artifact_path>": _ARTIFACT,
    "PUT mlflow-artifacts/artifacts/<artifact_path>": _ARTIFACT,
    "POST logged-models/search": _SEARCH,
    "POST logged-models": {"experiment_id": "$experiment", "name": "another"},
    "GET logged-models/<model_id>": {"model_id": "$model"},
    "PATCH logged-models/<model_id>": {"model_id": "$model", "status": "LOGGED_MODEL_READY"},
    "GET logged-models/<model_id>/artifacts/directories": {"model_id": "$model"},
    "GET logged-models/<model_id>/artifacts/files": {"model_id": "$model", "artifact_file_path": "a.txt"},
    "POST logged-models/<model_id>/params": {"model_id": "$model", "params": [{"key": "p", "value": "1"}]},
    "PATCH logged-models/<model_id>/tags": {"model_id": "$model", "tags": [{"key": "t", "value": "1"}]},
    "DELETE logged-models/<model_id>/tags/<tag_key>": {"model_id": "$model", "tag_key": "t"},
    "POST registered-models/create": {"name": _NEW},
    "GET registered-models/search": {"max_results": 1000},
    "GET registered-models/get": {"name": "$name"},
    "GET registered-models/get-latest-versions": {"name": "$name"},
    "POST registered-models/get-latest-versions": {"name": "$name"},
    "POST registered-models/alias": {"name": "$name", "alias": "best", "version": "$version"},
    "GET registered-models/alias": {"name": "$name", "alias": "best"},
    "DELETE registered-models/alias": {"name": "$name", "alias": "best"},
    "PATCH registered-models/update": {"name": "$name", "description": "d"},
    "POST registered-models/rename": {"name": "$name-spare", "new_name": _NEW},
    "POST registered-models/set-tag": {"name": "$name", "key": "k", "value": "v"},
    "DELETE registered-models/delete-tag": {"name": "$name", "key": "k"},
    "GET model-versions/search": {"max_results": 1000},
    "GET model-versions/get": _VERSION,
    "GET model-versions/get-download-uri": _VERSION,
    "GET model-versions/get-artifact": _VERSION | {"path": "a.txt"},
    "POST model-versions/create": {"name": "$name", "source": "runs:/$run/a.txt", "run_id": "$run"},
    "PATCH model-versions/update": _VERSION | {"description": "d"},
    "POST model-versions/transition-stage": _VERSION | {"stage": "Staging"},
    "POST model-versions/set-tag": _VERSION | {"key": "k", "value": "v"},
    "DELETE model-versions/delete-tag": _VERSION | {"key": "k"},
    "GET users/current": {},
    "GET users/current/permissions": {},
    "PATCH users/update-password": {"username": "$me", "current_password": "$password", "password": "$password!"},
    "POST users/permissions/grant": _GRANT | {"permission": "READ"},
    "POST users/permissions/revoke": _GRANT,
    "GET users/permissions/get": _GRANT,
    "GET users/permissions/list": {"username": "$friend"},
    "GET users/get": {"username": "$friend"},
    "GET users/list": {},
    "POST users/create": {"username": _NEW, "password": "a-long-password"},
    "PATCH users/update-admin": {"username": "$friend", "is_admin": False},
    "POST roles/create": {"name": _NEW, "workspace": "default"},
    "GET roles/list": {"workspace": "default"},
    "GET roles/get": {"role_id": "$role"},
    "PATCH roles/update": {"role_id": "$role", "description": "d"},
    "POST roles/assign": {"role_id": "$role", "username": "$friend"},
    "GET users/roles/list": {"username": "$friend"},
    "GET roles/users/list": {"role_id": "$role"},
    "DELETE roles/unassign": {"role_id": "$role", "username": "$friend"},
    "POST roles/permissions/add": {
        "role_id": "$role",
        "resource_type": "experiment",
        "resource_pattern": "$experiment",
        "permission": "READ",
    },
    "GET roles/permissions/list": {"role_id": "$role"},
    "PATCH roles/permissions/update": {"role_permission_id": "$grant", "permission": "EDIT"},
    "DELETE roles/permissions/remove": {"role_permission_id": "$grant"},
    "DELETE roles/delete": {"role_id": "$role"},
    "DELETE users/delete": {"username": "$friend"},
    "DELETE model-versions/delete": _VERSION,
    "DELETE registered-models/delete": {"name": "$name"},
    "DELETE logged-models/<model_id>": {"model_id": "$model"},
    "DELETE mlflow-artifacts/artifacts/<artifact_path>": _ARTIFACT,
    "POST experiments/update": {"experiment_id": "$experiment", "new_name": _NEW},
    "POST runs/delete": {"run_id": "$run"},
    "POST runs/restore": {"run_id": "$run"},
    "POST experiments/delete": {"experiment_id": "$experiment"},
    "POST experiments/restore": {"experiment_id": "$experiment"},
}
ORDER = {call: position for position, call in enumerate(SOUND)}


def call_of(method: str, path: str) -> str:
    """The key of a route in SOUND, which is one for /api and /ajax-api."""
    short = re.sub(r"^(/ajax-api|/api)/[23]\.0/(?=mlflow-artifacts)", "/", path)
    return f"{method} {_PREFIX.sub('', short)}"


def filled(value: Any, values: dict[str, str]) -> Any:
    """`value` with each $name in its texts filled in."""
    if isinstance(value, dict):
        return {key: filled(one, values) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, values) for one in value]
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), value) if isinstance(value, str) else value


def sound_call(method: str, path: str, values: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """The path and what `requests` takes beside it."""
    sent = filled(SOUND[call_of(method, path)], values)
    in_path = re.findall(r"<(\w+)>", path)
    for name in in_path:
        path = path.replace(f"<{name}>", sent[name])
    if method == "PUT":
        return path, {"data": b"x"}
    if method == "GET":
        return path, {"params": {name: value for name, value in sent.items() if name not in in_path}}
    return path, {"json": sent}
