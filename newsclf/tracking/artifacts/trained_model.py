"""A registered model together with the run of train that made it."""

import dataclasses
import re
from dataclasses import dataclass

from mlflow.exceptions import MlflowException

from newsclf.config import TrainConfig
from newsclf.config.fields import names_of
from newsclf.config.options import build
from newsclf.errors import InputError
from newsclf.tracking.origin import absolute_paths
from newsclf.tracking.registry import champion
from newsclf.tracking.registry import versions as registry
from newsclf.tracking.runs import LoggedRun, get_run, logged_options
from newsclf.tracking.server import first_line


@dataclass(frozen=True)
class TrainedModel:
    """name, version: in the registry; run: of train; config: the options of that run, its paths absolute."""

    name: str
    version: str
    run: LoggedRun
    config: TrainConfig

    @property
    def uri(self) -> str:
        return f"models:/{self.name}/{self.version}"


def find_trained_model(model: str) -> TrainedModel:
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
    config = train_config(run)
    config = dataclasses.replace(config, **absolute_paths(run, TrainConfig, vars(config)))  # type: ignore[arg-type]
    return TrainedModel(name, str(version.version), run, config)


def train_config(run: LoggedRun) -> TrainConfig:
    """The options that a run of train was made with; one that was added since has its default."""
    names = names_of(TrainConfig)
    return build(TrainConfig, {name: text for name, text in logged_options(run).items() if name in names})
