"""The model registry: versions with their lineage, and the aliases challenger and champion."""

import json
import re
from collections.abc import Mapping

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from newsclf.errors import InputError
from newsclf.tracking.once import Once
from newsclf.tracking.server import first_line, tracking_uri, trouble

CHAMPION, CHALLENGER = "champion", "challenger"
PROMOTED, ROLLED_BACK = "promoted", "rolled back"
# Tags of a run that its version gets as well: what the model was made of.
LINEAGE = ("newsclf.data_fingerprint", "newsclf.reference", "newsclf.encoder_sha256", "mlflow.source.git.commit")
REGISTER = "newsclf.register"  # tag of a run whose model is to be registered under that name
ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # what MLflow says of an alias or version
DECISION = "newsclf.promotion"  # tag of a version that was promoted, refused, replaced or kept


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

    def remove(version: ModelVersion, first: ModelVersion) -> None:
        """The request that made the first one was doubled. What a person has made, named or decided on stays."""
        named = client.get_registered_model(name).aliases.values()
        ours = version.tags.get("newsclf.run_id") == run_id and DECISION not in version.tags
        if ours and str(version.version) not in map(str, named):
            client.delete_model_version(name, version.version)

    once = Once(lambda: _versions_of_run(client, name, run_id), remove)
    version = once.made(lambda: _create(client, name, run_id))
    challenger, champion = version_by_alias(client, name, CHALLENGER), version_by_alias(client, name, CHAMPION)
    decided = DECISION in version.tags or (champion is not None and champion.version == version.version)
    if not decided and (challenger is None or int(challenger.version) < int(version.version)):
        client.set_registered_model_alias(name, CHALLENGER, version.version)
    return version


def _create(client: MlflowClient, name: str, run_id: str) -> None:
    """A new version of model `name`, with the run's first model and its lineage."""
    run = client.get_run(run_id)
    outputs = run.outputs.model_outputs if run.outputs else []
    if not outputs:
        raise InputError(f"run {run_id} has logged no model, so there is nothing to register as {name}")
    create_if_missing(
        client, name, "News classifiers; champion answers, challenger wants to: newsclf's promote decides"
    )
    tags = {tag: run.data.tags[tag] for tag in LINEAGE if tag in run.data.tags}
    tags |= {"newsclf.run_id": run_id, "newsclf.reference_uri": f"runs:/{run_id}/reference"}
    model_id = outputs[0].model_id
    source = client.get_logged_model(model_id).artifact_location
    client.create_model_version(name, source, run_id, tags=tags, model_id=model_id)


def version_of_run(client: MlflowClient, name: str, run_id: str) -> ModelVersion | None:
    """The first version of model `name` whose model is of this run."""
    return next(iter(_versions_of_run(client, name, run_id)), None)


def _versions_of_run(client: MlflowClient, name: str, run_id: str) -> list[ModelVersion]:
    found = [one for one in client.search_model_versions(f"run_id = '{run_id}'") if one.name == name]
    return sorted(found, key=lambda one: int(one.version))


def version_by_alias(client: MlflowClient, name: str, alias: str) -> ModelVersion | None:
    """None where the model or the alias is not there."""
    try:
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code in ABSENT:
            return None
        raise


def find_version(client: MlflowClient, name: str, model: str) -> ModelVersion:
    """The version of `name` that `model` means: models:/<name>@<alias>, models:/<name>/<version>, runs:/<run id>/...

    Raises InputError where there is none.
    """
    try:
        if model.startswith("runs:/"):
            found = version_of_run(client, name, model.removeprefix("runs:/").partition("/")[0])
        elif "@" in model:
            found = (
                version_by_alias(client, name, model.rpartition("@")[2])
                if model.startswith(f"models:/{name}@")
                else None
            )
        elif model.startswith(f"models:/{name}/"):
            found = client.get_model_version(name, model.rpartition("/")[2])
        else:
            found = None
    except MlflowException as error:
        if error.error_code not in ABSENT:
            raise
        found = None
    if found is None:
        raise InputError(
            f"model {model} is no version of the registered model {name}: train with register={name}, or give "
            f"models:/{name}/<version>"
        )
    return found


def tag_decision(
    client: MlflowClient,
    name: str,
    version: str,
    champion: str | None,
    outcome: str,
    sentence: str,
    numbers: Mapping[str, float],
    run_id: str,
) -> None:
    """Tag both versions with what was decided, why, with which numbers, and by which run. champion: the one before."""
    tags = {f"{DECISION}_reason": sentence, f"{DECISION}_run": run_id, f"{DECISION}_numbers": json.dumps(dict(numbers))}
    moved = outcome in (PROMOTED, ROLLED_BACK)
    says = {version: "champion again" if outcome == ROLLED_BACK else outcome}
    if champion:
        says[champion] = f"{'replaced by' if moved else 'kept against'} version {version}"
    for one, said in says.items():
        for tag, text in {**tags, DECISION: said}.items():
            client.set_model_version_tag(name, one, tag, text[:5000])


def create_if_missing(client: MlflowClient, name: str, description: str) -> None:
    """The registered model is there. Raises InputError where the server does not allow it or refuses the name."""
    try:
        client.create_registered_model(name, description=description)
    except MlflowException as error:
        if error.error_code == "RESOURCE_ALREADY_EXISTS":
            return
        if trouble(error).lasting:
            raise InputError(f"the registered model {name!r} cannot be made ({first_line(error)})") from error
        raise
