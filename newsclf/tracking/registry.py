"""The model registry: versions with their lineage, the aliases champion and challenger, and who is champion.

MLflow sets an alias without asking what it was, so that of two promotions at the same time the later one would win, and
neither would know. A version's number, however, is given out once (it is a key of the table), and what is created with
it does not change. So every move of `champion` is first created as a version of the model `<name>-promotions`, with the
number of the move that it knew as the last; it counts if that is the one before its own. Of any number of moves that
were decided on the same champion just one counts, without clocks or locks, and whoever is killed holds up nobody.

The alias follows the moves: whoever makes a move sets it and reads the moves again, until both agree; who finds a move
that was not carried out (its maker was killed), does that. An alias that was set by hand after the last move counts.
"""

from __future__ import annotations

import random
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from newsclf.errors import InputError
from newsclf.tracking.server import first_line, tracking_uri

CHAMPION, CHALLENGER = "champion", "challenger"
PROMOTED, ROLLED_BACK = "promoted", "rolled back"
# Tags of a run that its version gets as well: what the model was made of.
LINEAGE = ("newsclf.data_fingerprint", "newsclf.reference", "newsclf.encoder_sha256", "mlflow.source.git.commit")
REGISTER = "newsclf.register"  # tag of a run whose model is to be registered under that name
DECISION = "newsclf.promotion"  # tag of a version that was promoted, refused, replaced or kept
AFTER, TO, FROM, KIND, TOKEN, DONE = (f"newsclf.{name}" for name in ("after", "to", "from", "kind", "token", "done"))
ATTEMPTS = 8


def register_run(run_id: str, name: str) -> str:
    """Have the active run's model registered; in words, as what.

    At once where the run is written to the store itself. A run in a journal keeps the name in the tag
    `newsclf.register`, and `register` is called for it once the server has the model.
    """
    mlflow.set_tag(REGISTER, name)
    if mlflow.get_tracking_uri() != tracking_uri():
        return f"{name}, when it is sent"
    return f"models:/{name}/{register(registry_client(), run_id, name).version}"


def registry_client() -> MlflowClient:
    """Of the tracking store, also while a run is written to a journal."""
    return MlflowClient(tracking_uri())


def check_name(name: str) -> None:
    """Raises InputError for a name that MLflow would refuse, or that its search could not find again."""
    if not re.fullmatch(r"[\w.\- ]+", name):
        raise InputError(f"{name!r} is no name of a registered model: use letters, digits, dots, dashes, underscores")


def register(client: MlflowClient, run_id: str, name: str) -> ModelVersion:
    """The version of model `name` that holds the run's model, made if there is none, with the alias `challenger`.

    It may be called any number of times: a version of the run is found again, and the alias goes to it unless a newer
    version has it, or this one has been decided on. Its tags hold the run's lineage; champion stays as it is.
    Raises InputError where the run has logged no model, or the name is no good.
    """
    run = client.get_run(run_id)
    version = version_of_run(client, name, run_id)
    if version is None:
        outputs = run.outputs.model_outputs if run.outputs else []
        if not outputs:
            raise InputError(f"run {run_id} has logged no model, so there is nothing to register as {name}")
        _make_sure(client, name, "News classifiers; champion answers, challenger wants to: newsclf's promote decides")
        tags = {tag: run.data.tags[tag] for tag in LINEAGE if tag in run.data.tags}
        tags |= {"newsclf.run_id": run_id, "newsclf.reference_uri": f"runs:/{run_id}/reference"}
        model_id = outputs[0].model_id
        version = client.create_model_version(
            name, client.get_logged_model(model_id).artifact_location, run_id, tags=tags, model_id=model_id
        )
    challenger, champion = by_alias(client, name, CHALLENGER), by_alias(client, name, CHAMPION)
    decided = DECISION in version.tags or (champion is not None and champion.version == version.version)
    if not decided and (challenger is None or int(challenger.version) < int(version.version)):
        client.set_registered_model_alias(name, CHALLENGER, version.version)
    return version


def version_of_run(client: MlflowClient, name: str, run_id: str) -> ModelVersion | None:
    """The first version of model `name` whose model is of this run."""
    found = [one for one in client.search_model_versions(f"run_id = '{run_id}'") if one.name == name]
    return min(found, key=lambda one: int(one.version), default=None)


def by_alias(client: MlflowClient, name: str, alias: str) -> ModelVersion | None:
    """None where the model or the alias is not there."""
    try:
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


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
class Throne:
    """Who is champion, and after which move: what a promotion is decided on. version: None before the first."""

    version: str | None
    after: int
    moves: tuple[Move, ...]

    @property
    def before(self) -> str | None:
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


def throne(client: MlflowClient, name: str) -> Throne:
    """Read who is champion; a move whose maker was killed before it set the alias is carried out first."""
    after, moves = _moves(client, name)
    if moves and not moves[-1].done:
        _carry_out(client, name)
    found = by_alias(client, name, CHAMPION)
    return Throne(str(found.version) if found else None, after, tuple(moves))


def move_champion(client: MlflowClient, name: str, seen: Throne, to: str, kind: str, run_id: str) -> bool:
    """Make version `to` the champion, if none has moved since `seen` was read; whether that was so.

    Of all moves from the same `seen`, on whatever machines, exactly one returns True. run_id: of the deciding run.
    An alias that was moved by hand since then is not overwritten either, if it is seen in time.
    """
    found = by_alias(client, name, CHAMPION)
    if (str(found.version) if found else None) != seen.version:
        return False
    log, token = log_of(name), uuid.uuid4().hex
    _make_sure(client, log, f"The moves of {name}'s champion, one a version. Versions that came too late do not count")
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


def log_of(name: str) -> str:
    return f"{name}-promotions"


def _carry_out(client: MlflowClient, name: str) -> None:
    """Set the alias to the last move's version; again, where another move has come in between."""
    number = 0
    while number != (last := _moves(client, name)[1][-1]).number:
        number = last.number
        client.set_registered_model_alias(name, CHAMPION, last.to)
    client.set_model_version_tag(log_of(name), str(last.number), DONE, "yes")
    challenger = by_alias(client, name, CHALLENGER)
    if challenger is not None and str(challenger.version) == last.to:
        client.delete_registered_model_alias(name, CHALLENGER)


def _moves(client: MlflowClient, name: str) -> tuple[int, list[Move]]:
    """(the number of the last one made, the moves that count, oldest first)."""
    found, token = [], None
    while True:
        page = client.search_model_versions(f"name = '{log_of(name)}'", page_token=token)
        found += list(page)
        token = page.token
        if not token:
            break
    found.sort(key=lambda one: int(one.version))
    moves = [
        Move(int(one.version), one.tags[TO], one.tags[FROM], one.tags[KIND], one.tags[TOKEN], DONE in one.tags)
        for one in found
        if AFTER in one.tags and int(one.tags[AFTER]) == int(one.version) - 1
    ]
    return (int(found[-1].version) if found else 0), moves


def find_version(client: MlflowClient, name: str, model: str) -> ModelVersion:
    """The version of `name` that `model` means: models:/<name>@<alias>, models:/<name>/<version>, runs:/<run id>/...

    Raises InputError where there is none.
    """
    try:
        if model.startswith("runs:/"):
            found = version_of_run(client, name, model.removeprefix("runs:/").partition("/")[0])
        elif "@" in model:
            found = by_alias(client, name, model.rpartition("@")[2]) if model.startswith(f"models:/{name}@") else None
        elif model.startswith(f"models:/{name}/"):
            found = client.get_model_version(name, model.rpartition("/")[2])
        else:
            found = None
    except MlflowException as error:
        raise InputError(f"model {model} cannot be read from the registry ({first_line(error)})") from error
    if found is None:
        raise InputError(
            f"model {model} is no version of the registered model {name}: train with register={name}, or give "
            f"models:/{name}/<version>"
        )
    return found


def tag_version(client: MlflowClient, name: str, version: str, tags: Mapping[str, str]) -> None:
    for tag, text in tags.items():
        client.set_model_version_tag(name, version, tag, text[:5000])


def _make_sure(client: MlflowClient, name: str, description: str) -> None:
    try:
        client.create_registered_model(name, description=description)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise InputError(f"the registered model {name!r} cannot be made ({first_line(error)})") from error
