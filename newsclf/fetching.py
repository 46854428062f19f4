"""What is fetched into a cache by its first use, and is not by a dry run."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from newsclf.errors import InputError

_allowed: ContextVar[bool] = ContextVar("allowed", default=True)


class NotFetched(InputError):
    """A dry run needs something that is not on this machine yet."""


@contextmanager
def nothing_fetched() -> Iterator[None]:
    """Inside, `may_fetch` raises NotFetched."""
    token = _allowed.set(False)
    try:
        yield
    finally:
        _allowed.reset(token)


def fetching_allowed() -> bool:
    """Not so in a dry run."""
    return _allowed.get()


def may_fetch(what: str) -> None:
    """To be called before something is fetched or written to a cache. Raises NotFetched in a dry run."""
    if not _allowed.get():
        raise NotFetched(f"{what} is not on this machine yet and would be fetched first")
