"""Who is champion of a registered model, and how that changes when several want to change it at once.

MLflow sets an alias without asking what it was, so that of two promotions at the same time the later one would win, and
neither would know. A version's number, however, is given out once (it is a key of the table), and what is created with
it does not change. So every move of `champion` is first created as a version of the model `<name>-promotions`, with the
number of the move that it knew as the last; it counts if that is the one before its own. Of any number of moves that
were decided on the same champion just one counts, without clocks or locks, and whoever is killed holds up nobody.

The alias follows the moves: whoever makes a move sets it and reads the moves again, until both agree; who finds a move
that was not carried out (its maker was killed), does that. An alias that was set by hand after the last move counts.
"""

import random
import time
import uuid
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from newsclf.errors import InputError
from newsclf.tracking.registry.versions import CHALLENGER, CHAMPION, ROLLED_BACK, create_if_missing, version_by_alias
from newsclf.tracking.runs import pages
from newsclf.tracking.server import address_of, briefly, first_line, tracking_uri

AFTER, TO, FROM, KIND, TOKEN, DONE = (f"newsclf.{name}" for name in ("after", "to", "from", "kind", "token", "done"))
ATTEMPTS = 8


@dataclass(frozen=True)
class Move:
    """A move of champion: its number, the versions that it goes to and comes from ("": none), promoted or rolled back.

    token: whose it is; done: whether the alias was set.
    """

    number: int
    to: str
    came_from: str
    kind: str
    token: str
    done: bool


@dataclass(frozen=True)
class ChampionState:
    """Who is champion, and after which move: what a promotion is decided on. version: None before the first."""

    version: str | None
    after: int
    moves: tuple[Move, ...]

    @property
    def previous(self) -> str | None:
        """The version that a rollback goes to: the champion before the present one; None where there was none."""
        stack: list[str] = []
        for move in self.moves:
            if move.kind == ROLLED_BACK:
                while stack and stack[-1] != move.to:
                    stack.pop()
            elif move.came_from and stack[-1:] != [move.came_from]:  # by hand, in between
                stack.append(move.came_from)
            if stack[-1:] != [move.to]:
                stack.append(move.to)
        if stack[-1:] == [self.version]:
            stack.pop()
        return stack[-1] if stack else None


def read_state(client: MlflowClient, name: str) -> ChampionState:
    """Who is champion now; a move whose maker was killed before it set the alias is carried out first.

    Raises InputError where the registry does not answer, at once.
    """

    def ask() -> ChampionState:
        after, moves = _moves(client, name)
        if moves and not moves[-1].done:
            _carry_out(client, name)
        champion = version_by_alias(client, name, CHAMPION)
        return ChampionState(str(champion.version) if champion else None, after, tuple(moves))

    try:
        return briefly(ask)
    except MlflowException as error:
        where = address_of(tracking_uri())
        raise InputError(
            f"the registry {where} cannot be used ({first_line(error)}): check MLFLOW_TRACKING_URI"
        ) from error


def set_champion(client: MlflowClient, name: str, seen: ChampionState, to: str, kind: str, run_id: str) -> bool:
    """Make version `to` the champion, if none has moved since `seen` was read; whether that was so.

    Of all moves from the same `seen`, on whatever machines, exactly one returns True. run_id: of the deciding run.
    An alias that was moved by hand since then is not overwritten either, if it is seen in time.
    """
    champion = version_by_alias(client, name, CHAMPION)
    if (str(champion.version) if champion else None) != seen.version:
        return False
    log, token = log_name(name), uuid.uuid4().hex
    create_if_missing(
        client, log, f"The moves of {name}'s champion, one a version. Versions that came too late do not count"
    )
    tags = {AFTER: str(seen.after), TO: to, FROM: seen.version or "", KIND: kind, TOKEN: token}
    for attempt in range(ATTEMPTS):
        try:
            # The source is only named, never read: a move is no model.
            source = f"runs:/{run_id}/decision.json"
            client.create_model_version(log, source, run_id, tags=tags, description=f"{kind}: version {to} of {name}")
        except MlflowException:  # a busy database; or it was made, and the answer was lost
            if attempt + 1 == ATTEMPTS:
                raise
        after, moves = _moves(client, name)
        if any(move.token == token for move in moves):
            _carry_out(client, name)
            return True
        if after > seen.after:
            return False
        time.sleep(random.uniform(0.1, 0.5))
    return False


def log_name(name: str) -> str:
    """The registered model whose versions are the moves."""
    return f"{name}-promotions"


def _carry_out(client: MlflowClient, name: str) -> None:
    """Set the alias to the last move's version; again, where another move has come in between."""
    number = 0
    while number != (last := _moves(client, name)[1][-1]).number:
        number = last.number
        client.set_registered_model_alias(name, CHAMPION, last.to)
    client.set_model_version_tag(log_name(name), str(last.number), DONE, "yes")
    challenger = version_by_alias(client, name, CHALLENGER)
    if challenger is not None and str(challenger.version) == last.to:
        client.delete_registered_model_alias(name, CHALLENGER)


def _moves(client: MlflowClient, name: str) -> tuple[int, list[Move]]:
    """(the number of the last one made, the moves that count, oldest first)."""
    query = f"name = '{log_name(name)}'"
    found = list(pages(lambda token: client.search_model_versions(query, page_token=token)))
    found.sort(key=lambda one: int(one.version))
    moves = [
        Move(int(one.version), one.tags[TO], one.tags[FROM], one.tags[KIND], one.tags[TOKEN], DONE in one.tags)
        for one in found
        if AFTER in one.tags and int(one.tags[AFTER]) == int(one.version) - 1
    ]
    return (int(found[-1].version) if found else 0), moves
