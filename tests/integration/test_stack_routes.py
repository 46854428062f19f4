"""Every route of the installed MLflow by every role, on a server as infra starts it, where a new user may do nothing.

The kinds of it: a route that a later MLflow adds; one that is on for too many, or off for who needs it; another method
of a route; what is told of others' things in the answer of a search.
"""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.stack.roles import GRANTED, ROLES
from tests.stack.routes import ORDER, SOUND, call_of, installed, sound_call, table

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("native_only")]
ROUTES = table()
# The roles that are let in; the others are told 403.
EXPECTED = {
    "user": ("no_permissions", "read", "edit", "manage", "admin"),
    "read": ("read", "edit", "manage", "admin"),
    "edit": ("edit", "manage", "admin"),
    "manage": ("manage", "admin"),
    "admin": ("admin",),
}


@pytest.fixture(scope="module")
def routes(tmp_path_factory) -> set[tuple[str, str]]:
    return installed(tmp_path_factory.mktemp("tables"))


def is_off(path: str) -> bool:
    return any(path == off or path.startswith(f"{off}/") for off in ROUTES.SWITCHED_OFF)


def test_every_route_of_the_installed_mlflow_is_in_the_table_once(routes) -> None:
    assert sorted(route for route in routes if route not in ROUTES.ROUTES and not is_off(route[1])) == []
    assert sorted(ROUTES.ROUTES.keys() - routes) == [], "MLflow has them no more"
    assert [path for _, path in ROUTES.ROUTES if is_off(path)] == []
    assert [off for off in ROUTES.SWITCHED_OFF if not any(path.startswith(off) for _, path in routes)] == []


def test_every_route_that_is_on_has_a_sound_call() -> None:
    on = {call_of(*route) for route, who in ROUTES.ROUTES.items() if who != "off"}
    assert on == set(SOUND)


def status(answer: requests.Response, call: str) -> int:
    """200 for what was let in; the one call that would change a password is made with a wrong one."""
    if call == "PATCH users/update-password" and "Current password does not match" in answer.text:
        return 200
    return answer.status_code


@pytest.mark.parametrize("role", ROLES)
def test_who_may_call_what(strict, role) -> None:
    wrong, told = {}, []
    for api in ("/api/", "/ajax-api/"):
        values = strict.things() | strict.people(role)
        if role in GRANTED:
            strict.grant(role, values)
        asked = [(route, who) for route, who in ROUTES.ROUTES.items() if who != "off" and _is_of(api, route[1])]
        for (method, path), who in sorted(asked, key=lambda one: ORDER[call_of(*one[0])]):
            where, how = sound_call(method, path, values | {"new": f"new-{uuid.uuid4().hex}"})
            answer = strict.ask(role, method, where, **how)
            expected = 200 if who == "public" or role in EXPECTED[who] else 401 if role == "none" else 403
            if status(answer, call_of(method, path)) != expected:
                wrong[method, path] = answer.status_code, answer.text[:300]
            if (
                role == "no_permissions"
                and answer.ok
                and any(values[one] in answer.text for one in ("run", "name", "model"))
            ):
                told.append((method, path))
    assert wrong == {}
    assert told == [], "what is not his is told to him"


def _is_of(api: str, path: str) -> bool:
    """Paths that are of neither are asked with the first."""
    return path.startswith(api) or (api == "/api/" and not path.startswith("/ajax-api/"))


@pytest.mark.parametrize("role", ROLES)
def test_what_is_off_is_off_for_everybody(strict, routes, role) -> None:
    """With what Flask makes of each route that is on by itself: HEAD and OPTIONS."""
    off = sorted(route for route in routes if ROUTES.ROUTES.get(route, "off") == "off")
    assert len(off) > 300
    implied = [
        (method, path) for method in ("HEAD", "OPTIONS") for (_, path), who in ROUTES.ROUTES.items() if who != "public"
    ]
    odd = [("GET", "/nothing/here"), ("POST", "/"), ("GET", "/api/2.0/mlflow/runs/get/"), ("GET", "//"), ("TRACE", "/")]

    def answer(route: tuple[str, str]) -> int:
        return strict.ask(role, route[0], route[1].replace("<", "").replace(">", "")).status_code

    with ThreadPoolExecutor(4) as pool:
        answers = dict(zip(asked := [*off, *implied, *odd], pool.map(answer, asked), strict=True))
    expected = 401 if role == "none" else 404
    assert {route: code for route, code in answers.items() if code != expected} == {}


def test_nobody_changes_the_password_of_another(strict) -> None:
    name, _ = strict.user("somebody")
    for role in ("no_permissions", *GRANTED):
        sent = {"username": name, "password": "mine-from-now-on", "current_password": "x"}
        assert strict.ask(role, "PATCH", "/api/2.0/mlflow/users/update-password", json=sent).status_code == 403
