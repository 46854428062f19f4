"""How often a login may be wrong: a limit for each user name, and one for each address, in the memory of one worker."""

import hmac
import ipaddress
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

User = TypeVar("User")
Key = TypeVar("Key")
Value = TypeVar("Value")
# At most so many names, addresses or logins are remembered; the one that was seen longest ago is forgotten first.
REMEMBERED = 10_000
# So many wrong logins at once, then one every so many seconds.
PER_NAME = (10, 3.0)
PER_ADDRESS = (30, 1.0)


class Failures:
    """Failures by key, of which `burst` are let through at once, and then one every `seconds`.

    The generic cell rate algorithm: a key is one number, the time at which all its failures are forgotten.
    """

    def __init__(self, burst: int, seconds: float, clock: Callable[[], float]) -> None:
        self.burst, self.seconds, self.clock = burst, seconds, clock
        self.forgotten_at: OrderedDict[str, float] = OrderedDict()

    def wait(self, key: str) -> float:
        """Seconds until the key may fail again; 0 or less: it may now."""
        return self.forgotten_at.get(key, 0.0) - self.clock() - (self.burst - 1) * self.seconds

    def add(self, key: str) -> None:
        _remember(self.forgotten_at, key, max(self.forgotten_at.get(key, 0.0), self.clock()) + self.seconds)


class Logins(Generic[User]):
    """`authenticate` (name, password: the user, or None), asked no more often than the limits allow.

    A login that was right before is not held up by others' wrong ones, so nobody is locked out by an attack on his
    name. Not for several threads at once.
    """

    def __init__(
        self, authenticate: Callable[[str, str], User | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.authenticate, self.key = authenticate, secrets.token_bytes(32)
        self.by_name, self.by_address = Failures(*PER_NAME, clock), Failures(*PER_ADDRESS, clock)
        self.right: OrderedDict[bytes, None] = OrderedDict()

    def check(self, address: str, name: str, password: str) -> User | float | None:
        """The user; None where name or password is wrong; the seconds to wait where there were too many wrong ones."""
        login = hmac.digest(self.key, f"{name}\0{password}".encode(), "sha256")
        address, short = network(address), name[:100]
        wait = max(self.by_name.wait(short), self.by_address.wait(address))
        if wait > 0 and login not in self.right:
            return wait
        user = self.authenticate(name, password)
        if user is None:
            self.right.pop(login, None)
            self.by_name.add(short)
            self.by_address.add(address)
        else:
            _remember(self.right, login, None)
        return user


def network(address: str) -> str:
    """The address, or of IPv6 the network of 64 bits that one client has to itself."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))


def _remember(store: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    store[key] = value
    store.move_to_end(key)
    if len(store) > REMEMBERED:
        store.popitem(last=False)
