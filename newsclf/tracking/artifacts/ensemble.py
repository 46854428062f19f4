"""The models of earlier runs that are joined with a new one."""

from collections.abc import Sequence

from mlflow.exceptions import MlflowException

from newsclf.errors import InputError
from newsclf.model.text_classifier import MAX_MEMBERS, TextClassifier
from newsclf.tracking.artifacts.models import fetch
from newsclf.tracking.lineage import FINGERPRINT
from newsclf.tracking.runs import get_run, run_id_of
from newsclf.tracking.server import first_line


def open_members(runs: Sequence[str], fingerprint: str, device: str, precision: str) -> list[TextClassifier]:
    """The models of these runs of train, in their order.

    fingerprint: of the rows that the new model is trained, validated and tested on, which must be theirs: what weighs
    the models against each other are validation rows that none has learnt from. Raises InputError.
    """
    ids = [run_id_of(name.strip()) for name in runs]
    if len(ids) > MAX_MEMBERS or len(set(ids)) < len(ids):
        raise InputError(f"option ensemble names {len(ids)} runs: give up to {MAX_MEMBERS} different ones")
    return [_open(name, run_id, fingerprint, device, precision) for name, run_id in zip(runs, ids, strict=True)]


def _open(name: str, run_id: str | None, fingerprint: str, device: str, precision: str) -> TextClassifier:
    if run_id is None:
        raise InputError(f"option ensemble: {name} is no run id; give ids of runs of train")
    try:
        tags = get_run(run_id).data.tags
    except MlflowException as error:
        raise InputError(f"option ensemble: run {run_id} is not there ({first_line(error)})") from error
    if tags.get("newsclf.verb") != "train":
        raise InputError(
            f"option ensemble: run {run_id} is one of {tags.get('newsclf.verb', 'nothing of newsclf')}, "
            "and must be one of train"
        )
    if tags.get(FINGERPRINT) != fingerprint:
        raise InputError(
            f"option ensemble: run {run_id} has other rows: give the same dataset, num_samples, val_fraction and seed, "
            "so that no model has learnt from another's validation or test rows"
        )
    uri = f"runs:/{run_id}/model"
    model = TextClassifier.load(fetch(uri).folder, device, uri, precision)
    if model.members:
        raise InputError(f"option ensemble: run {run_id} is an ensemble itself: name the runs that it is made of")
    return model
