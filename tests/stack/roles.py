"""A server where a new user may do nothing, a user for each role, and things that belong to somebody."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.stack.native import NativeStack
from tests.stack.service import free_ports
from tests.stack.tracking_server import TrackingServer

GRANTED = ("read", "edit", "manage")
ROLES = ("none", "no_permissions", *GRANTED, "admin")
API, NEWER, ARTIFACTS = "/api/2.0/mlflow/", "/api/3.0/mlflow/", "/api/2.0/mlflow-artifacts/artifacts/"


class Strict:
    """The server at `url`, by role: the logins of all but `none` and `admin` are made here."""

    def __init__(self, url: str, stack: NativeStack) -> None:
        self.url, self.stack = url, stack
        self.logins: dict[str, tuple[str, str] | None] = {"none": None, "admin": stack.admin}
        for role in ("no_permissions", *GRANTED):
            self.logins[role] = self.user(role)

    def ask(self, role: str, method: str, path: str, **how: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, self.url + path, auth=self.logins[role], timeout=60, **how)

    def make(self, path: str, by: str = "admin", **sent: Any) -> dict[str, Any]:
        answer = self.ask(by, "POST", path, json=sent)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def user(self, start: str) -> tuple[str, str]:
        login = f"{start}-{uuid.uuid4().hex}", f"password-{uuid.uuid4().hex}"
        self.make(f"{API}users/create", username=login[0], password=login[1])
        return login

    def things(self, by: str = "admin") -> dict[str, str]:
        """An experiment with a run and a model, whose artifact a.txt has the text of "name"; two registered models."""
        name = f"thing-{uuid.uuid4().hex}"
        experiment = self.make(f"{API}experiments/create", by, name=name)["experiment_id"]
        run = self.make(f"{API}runs/create", by, experiment_id=experiment)["run"]["info"]["run_id"]
        self.make(f"{API}runs/log-metric", by, run_id=run, key="m", value=1, timestamp=1)
        described = {"experiment_id": experiment, "name": "m", "source_run_id": run}
        model = self.make(f"{API}logged-models", by, **described)["model"]["info"]
        for root in (f"{run}/artifacts", f"models/{model['model_id']}/artifacts"):
            sent = self.ask(by, "PUT", f"{ARTIFACTS}{experiment}/{root}/a.txt", data=name.encode())
            assert sent.status_code == 200, sent.text
        for registered in (name, f"{name}-spare"):
            self.make(f"{API}registered-models/create", by, name=registered)
        source = {"source": model["artifact_uri"], "model_id": model["model_id"], "run_id": run}
        version = self.make(f"{API}model-versions/create", by, name=name, **source)["model_version"]["version"]
        self.make(f"{API}registered-models/alias", by, name=name, alias="best", version=version)
        return {"experiment": experiment, "run": run, "model": model["model_id"], "name": name, "version": str(version)}

    def grant(self, role: str, things: dict[str, str]) -> None:
        """The role's permission on the things, to its user."""
        login = self.logins[role]
        assert login
        models = [("registered_model", f"{things['name']}{end}") for end in ("", "-spare")]
        for kind, thing in [("experiment", things["experiment"]), *models]:
            given = {"resource_type": kind, "resource_id": thing, "permission": role.upper()}
            self.make(f"{NEWER}users/permissions/grant", username=login[0], **given)

    def people(self, role: str) -> dict[str, str]:
        """Who the calls about users are about: somebody else, a role of MLflow's with a permission, and the caller."""
        made = self.make(f"{NEWER}roles/create", name=uuid.uuid4().hex, workspace="default")["role"]
        rule = {"resource_type": "experiment", "resource_pattern": "0", "permission": "READ"}
        given = self.make(f"{NEWER}roles/permissions/add", role_id=made["id"], **rule)["role_permission"]
        me, password = self.logins[role] or ("", "")
        ids = {"role": str(made["id"]), "grant": str(given["id"])}
        return ids | {"friend": self.user("friend")[0], "me": me, "password": f"not-{password}"}


@contextmanager
def strict_server(folder: Path, stack: NativeStack) -> Iterator[Strict]:
    """Started in `folder`, on the database and the object store of `stack`."""
    variables = stack.variables | {"NEWSCLF_DEFAULT_PERMISSION": "NO_PERMISSIONS"}
    (port,) = free_ports(1)
    service = TrackingServer(folder, port, stack.db, stack.s3, variables)
    service.start()
    try:
        yield Strict(service.url, stack)
    finally:
        service.stop()
