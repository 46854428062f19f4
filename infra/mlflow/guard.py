"""The server as infra runs it: MLflow with its login, and before it a guard that lets through what routes.py lists.

`mlflow server --app-name=newsclf` finds create_app through newsclf_guard-1.dist-info. docs/backend.md says what is
closed, and why.
"""

import contextlib
import functools
import json
import math
import os
from collections.abc import Callable
from typing import Any

import anyio
import checks
from flask import request
from logins import Logins
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, PERMISSION_DENIED
from mlflow.protos.model_registry_pb2 import CreateModelVersion
from mlflow.protos.service_pb2 import CreateExperiment
from mlflow.server import app as flask_app
from mlflow.server import auth
from mlflow.server.constants import ARTIFACTS_DESTINATION_ENV_VAR
from mlflow.server.handlers import _get_request_message, catch_mlflow_exception
from mlflow.store.artifact.artifact_repository_registry import get_registered_artifact_repositories
from prometheus_client import Counter
from routes import Access, find
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

REFUSED = Counter("newsclf_refused", "Calls that MLflow has not seen, by the status of their answer", ["status"])
LARGEST = 32 * 2**20  # of what is read into memory before it is looked at


def create_app() -> ASGIApp:
    app = auth.create_app(flask_app)
    # After MLflow's own, so that permissions are checked by then.
    for refuse in (refuse_foreign_locations, refuse_a_second_name):
        flask_app.before_request(catch_mlflow_exception(refuse))
    open_only(os.environ[ARTIFACTS_DESTINATION_ENV_VAR])
    return Guard(app)


class Guard:
    """Whoever is not logged in gets 401, whatever the path; who was wrong too often 429; what is not listed is 404."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.logins = app, Logins(auth._authenticate_cached)
        # Checking a password takes a core for a tenth of a second, so it is one at a time, beside the event loop.
        self.one_at_a_time = anyio.CapacityLimiter(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self.app
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http" and (refused := await self.refusal(scope)):
            REFUSED.labels(refused.status_code).inc()
            app = refused
        await app(scope, receive, send)

    async def refusal(self, scope: Scope) -> Response | None:
        """What is answered in place of MLflow; None where the call goes on to it."""
        method, path = scope["method"], scope["path"]
        access, parameters = find(method, path)
        if access is Access.PUBLIC:
            return None
        user: Any = None
        if login := checks.login(scope["headers"]):
            address = (scope.get("client") or ("",))[0]
            user = await anyio.to_thread.run_sync(self.logins.check, address, *login, limiter=self.one_at_a_time)
        if isinstance(user, float):
            refused = error(429, "REQUEST_LIMIT_EXCEEDED", "too many wrong logins: wait and try again")
            refused.headers["Retry-After"] = str(math.ceil(user))
            return refused
        if user is None:
            ask = {"WWW-Authenticate": 'Basic realm="mlflow"'}
            return PlainTextResponse("Log in with your MLflow user name and password.", 401, ask)
        if access is Access.OFF:
            return error(404, "ENDPOINT_NOT_FOUND", f"{method} {path[:200]} is switched off on this server")
        if access is Access.ADMIN and not user.is_admin:
            return error(403, "PERMISSION_DENIED", "Permission denied: this is for administrators")
        if method != "PUT" and checks.length(scope["headers"]) > LARGEST:  # what is put is an artifact, and is streamed
            return error(413, "INVALID_PARAMETER_VALUE", f"a call says its length, and has at most {LARGEST} bytes")
        if wrong := checks.wrong_path(path, parameters, scope["query_string"]):
            return error(400, "INVALID_PARAMETER_VALUE", wrong)
        return None


def error(status: int, code: str, message: str) -> Response:
    """As MLflow's own errors, which its client prints."""
    return JSONResponse({"error_code": code, "message": message}, status)


def refuse_foreign_locations() -> None:
    """Where artifacts are kept is for the server to say; a version of a model is made of what its maker may read."""
    call = request.path.rpartition("/mlflow/")[2]
    if call == "experiments/create" and _get_request_message(CreateExperiment()).artifact_location:
        raise MlflowException(
            "artifact_location: this server chooses where artifacts are kept; leave it out", INVALID_PARAMETER_VALUE
        )
    if call == "model-versions/create":
        source = _get_request_message(CreateModelVersion()).source
        if not checks.is_own_source(source):
            raise MlflowException(
                f"source {source[:200]!r}: give runs:/<run id>/<path>, models:/<name>/<version>, models:/<model id>, "
                "or the artifact location of a run or model of this server, with its run_id or model_id",
                INVALID_PARAMETER_VALUE,
            )


def refuse_a_second_name() -> None:
    """MLflow judges the model that the path names, and finalizes the one that the body names."""
    if not request.view_args:
        return
    body = request.get_json(force=True, silent=True)
    if isinstance(body, str):  # as older clients send it
        with contextlib.suppress(ValueError):
            body = json.loads(body)
    said = [*request.args.items(multi=True), *(body.items() if isinstance(body, dict) else ())]
    for name, value in request.view_args.items():
        if any(_plain(other) == _plain(name) and str(one) != value for other, one in said):
            raise MlflowException(f"{name}: the path says {value[:200]}, and the call another", INVALID_PARAMETER_VALUE)


def _plain(name: str) -> str:
    """One spelling of model_id, modelId and the like, which are one name to MLflow."""
    return name.replace("_", "").lower()


def open_only(own: str) -> None:
    """No other store of artifacts is opened than the server's own, whatever a run, model or version names."""
    registered: dict[str, Any] = get_registered_artifact_repositories()
    for scheme, repository in registered.items():
        registered[scheme] = functools.partial(_opened, own, repository)


def _opened(own: str, repository: Callable[..., Any], artifact_uri: str, **how: Any) -> Any:
    if artifact_uri != own:
        raise MlflowException(f"{artifact_uri} is not kept on this server", PERMISSION_DENIED)
    return repository(artifact_uri, **how)
