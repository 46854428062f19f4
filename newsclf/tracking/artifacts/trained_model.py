"""A registered model together with the run of train that made it."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from newsclf.config import TrainConfig
from newsclf.config.options import build
from newsclf.errors import InputError
from newsclf.tracking.reads import get_run
from newsclf.tracking.registry import champion
from newsclf.tracking.registry import versions as registry
from newsclf.tracking.server import first_line


@dataclass(frozen=True)
class Trained:
    """name, version: in the registry; run: of train; config: the options of that run."""

    name: str
    version: str
    run: Run
    config: TrainConfig

    @property
    def uri(self) -> str:
        return f"models:/{self.name}/{self.version}"


def find_trained(model: str) -> Trained:
    """model: models:/<name>@<alias> or models:/<name>/<version>.

    Raises InputError where there is none, and where a run of train did not make it.
    """
    match = re.fullmatch(r"models:/([^/@]+)[/@].+", model)
    if match is None:
        raise InputError(
            f"model {model} is no registered model: give models:/<name>@<alias> or models:/<name>/<version>"
        )
    name, client = match[1], registry.registry_client()
    champion.read_state(client, name)
    version = registry.find_version(client, name, model)
    try:
        run = get_run(version.run_id or "")
    except MlflowException as error:
        raise InputError(f"model {model}: the run that made it is not there ({first_line(error)})") from error
    if run.data.tags.get("newsclf.verb") != "train":
        raise InputError(f"model {model} was not made by train: there are no options and no rows to go on from")
    return Trained(name, str(version.version), run, options_of(run))


def options_of(run: Run) -> TrainConfig:
    """The options that a run of train has logged; one that was added since has its default."""
    names = {field.name for field in dataclasses.fields(TrainConfig)}
    return build(
        TrainConfig, {name: "" if text == "''" else text for name, text in run.data.params.items() if name in names}
    )
