"""The limits on wrong logins: by name, by address, and for nobody who is right. Time is told, not waited for."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

INFRA = Path(__file__).resolve().parents[2] / "infra"
RIGHT = {"ann": "right", "bob": "right"}


@pytest.fixture(scope="module")
def logins() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(INFRA / "mlflow"))
        yield import_module("logins")


class Door:
    """`Logins` over two users, at a time that the test sets; `asked` is what the password check was asked."""

    def __init__(self, logins: Any) -> None:
        self.now, self.asked = 1000.0, list[tuple[str, str]]()
        self.logins = logins.Logins(self.authenticate, lambda: self.now)

    def authenticate(self, name: str, password: str) -> str | None:
        self.asked.append((name, password))
        return name if RIGHT.get(name) == password else None

    def fail(self, name: str, address: str, times: int) -> list[Any]:
        return [self.logins.check(address, name, f"wrong {number}") for number in range(times)]


@pytest.fixture
def door(logins: Any) -> Door:
    return Door(logins)


def test_the_right_login_is_let_in(door: Door) -> None:
    assert [door.logins.check("1.2.3.4", "ann", "right") for _ in range(1000)] == ["ann"] * 1000


def test_a_name_may_be_wrong_so_often_from_wherever(door: Door, logins: Any) -> None:
    burst, seconds = logins.PER_NAME
    answers = [door.fail("ann", f"10.0.{number}.1", 1)[0] for number in range(burst + 20)]
    assert answers == [None] * burst + [pytest.approx(seconds)] * 20
    assert len(door.asked) == burst, "a login that has to wait is not looked at"
    assert door.logins.check("10.9.9.9", "bob", "right") == "bob"


def test_an_address_may_be_wrong_so_often_for_whomever(door: Door, logins: Any) -> None:
    burst, seconds = logins.PER_ADDRESS
    answers = [door.fail(f"user {number}", "1.2.3.4", 1)[0] for number in range(burst + 1)]
    assert answers == [None] * burst + [pytest.approx(seconds)]
    assert door.logins.check("1.2.3.5", "ann", "right") == "ann"


def test_who_was_wrong_too_often_waits_seconds(door: Door) -> None:
    wait = door.fail("ann", "1.2.3.4", 100)[-1]
    assert door.logins.check("1.2.3.4", "ann", "right") == wait
    assert wait <= 3
    door.now += wait
    assert door.logins.check("1.2.3.4", "ann", "right") == "ann"


def test_after_some_minutes_all_is_forgotten(door: Door, logins: Any) -> None:
    door.fail("ann", "1.2.3.4", 100)
    door.now += logins.PER_NAME[0] * logins.PER_NAME[1]
    assert door.fail("ann", "1.2.3.4", logins.PER_NAME[0])[-1] is None


def test_who_has_been_let_in_is_not_locked_out_by_others(door: Door) -> None:
    door.logins.check("10.0.0.1", "ann", "right")
    door.fail("ann", "10.0.0.1", 100)
    assert door.logins.check("10.0.0.1", "ann", "right") == "ann"
    assert isinstance(door.logins.check("10.0.0.1", "ann", "else"), float)


def test_a_login_that_was_right_and_is_no_more_counts(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    door.logins.check("1.2.3.4", "ann", "right")
    monkeypatch.setitem(RIGHT, "ann", "changed")
    answers = [door.logins.check("1.2.3.4", "ann", "right") for _ in range(100)]
    assert answers[0] is None
    assert isinstance(answers[-1], float)


def test_what_is_remembered_is_bounded(door: Door, logins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "REMEMBERED", 100)
    for number in range(500):
        door.fail(f"{number}" + "x" * 10_000, f"{number >> 8}.{number & 255}.0.1", 1)
        monkeypatch.setitem(RIGHT, f"user {number}", "right")
        door.logins.check("1.2.3.4", f"user {number}", "right")
    kept = door.logins.by_name.forgotten_at, door.logins.by_address.forgotten_at, door.logins.right
    assert [len(one) for one in kept] == [100, 100, 100]
    assert max(map(len, kept[0])) <= 100


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("", ""),
        ("x" * 1000, "x" * 100),
    ],
)
def test_an_address_is_what_one_client_has(logins: Any, address: str, network: str) -> None:
    assert logins.network(address) == network
