"""What is normal: found by the option `reference`, fitted to a data set, or logged by train."""

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from mlflow.exceptions import MlflowException

from newsclf.config import DataOptions
from newsclf.config.shared import ComputeOptions
from newsclf.data import Dataset, fingerprint_texts, load, open_stream, own_split
from newsclf.drift import Reference, fit_reference, load_reference, save_reference, with_predictor
from newsclf.drift.predictor import KnownPredictor, Predictor
from newsclf.errors import InputError
from newsclf.features.text_statistics import text_statistics
from newsclf.messages import one_line
from newsclf.model.device import resolved
from newsclf.model.text_classifier import TextClassifier
from newsclf.profiling.profile import TEXT, TextProfile
from newsclf.profiling.summary import table
from newsclf.tracking.artifacts.models import fetch, made_by
from newsclf.tracking.run import Run
from newsclf.tracking.runs import download, get_run, run_id_of

PROFILE = "profile.bin"  # of a profile run's artifacts
FOLDER = "reference"  # of a run's artifacts
FILE = "reference.json"  # what tells the folder of a reference

Predict = Callable[[list[str]], np.ndarray]


def open_reference(
    options: DataOptions, name: str, folder: Path, compute: ComputeOptions, embedding: str, model: str | None = None
) -> Reference:
    """The reference that a run has logged or that lies in a folder, or one fitted to the data set `name`.

    options: how that data set is read; a fitted reference is kept below `folder` and found there again.
    compute: where its encoder, and the model, compute, and how.
    embedding: of a reference that is fitted here, see `fit_reference`.
    model: the model to predict with; without one, that of the reference's run, if it has one.
    """
    compute = resolved(compute)
    found = fetch_reference(name)
    if found is not None:
        loaded = load_reference(found, None, compute.precision)
        if uri := model or loaded.predictor_name:
            return with_predictor(loaded, open_predictor(uri, compute), str(found))
        return loaded
    try:
        texts, labels = reference_rows(options)
    except InputError as error:
        if Path(name).is_dir():
            raise InputError(f"reference {name} is a folder without {FILE}, and no dataset: {error}") from None
        raise
    content = [fingerprint_texts(text or "" for text in column) for column in (texts, labels or [])]
    arithmetic = [] if compute.precision == "fp32" else [compute.precision]  # before there was a choice, it was fp32
    key = " ".join([*content, str(options.seed), embedding, model or "", *arithmetic])
    kept = folder / "reference" / hashlib.sha256(key.encode()).hexdigest()[:16]
    predictor = open_predictor(model, compute) if model else None
    if not (kept / FILE).is_file():
        print(f"fitting the reference to {len(texts):,} texts of {name}", flush=True)
        fitted = fit_reference(texts, labels, predictor, options.seed, embedding=embedding, precision=compute.precision)
        save_reference(fitted, kept)
    return load_reference(kept, predictor, compute.precision)


def fetch_reference(name: str) -> Path | None:
    """The local folder of a reference that was logged; None where `name` is none of these (a dataset, perhaps).

    name: a run id, runs:/<run id>, models:/<name>@<alias> or models:/<name>/<version> (the reference of the run that
    logged the model), or a local folder. Raises InputError when it is not there.
    """
    if (Path(name) / FILE).is_file():
        return Path(name)
    if Path(name).is_dir():
        return None
    try:
        if name.startswith("models:/"):
            run_id = made_by(download(f"{name}/MLmodel"))[0] or ""
        elif found := run_id_of(name.removeprefix("runs:/").partition("/")[0]):
            run_id = found
        elif name.startswith("runs:/"):
            raise InputError(f"reference {name} names no run: write runs:/<run id>")
        else:
            return None
        folder = download(f"runs:/{run_id}/{FOLDER}")
    except (MlflowException, OSError, ValueError) as error:
        raise InputError(
            f"reference {name} cannot be loaded ({one_line(error, 200)}): give a run that trained a model, its model, "
            "a folder with a reference, or a dataset"
        ) from error
    if not (folder / FILE).is_file():
        raise InputError(
            f"reference {name}: its run {run_id} has logged no reference; train has, and monitor of a dataset"
        )
    return folder


def fetch_profile(name: str) -> Path | None:
    """The profile.bin of a run of profile, by its run id or runs:/<run id>; None where `name` is anything else."""
    run_id = run_id_of(name)
    if run_id is None:
        return None
    try:
        if get_run(run_id).data.tags.get("newsclf.verb") != "profile":
            return None
        return download(f"runs:/{run_id}/{PROFILE}")
    except (MlflowException, OSError) as error:
        raise InputError(
            f"reference {name}: the run's {PROFILE} cannot be loaded ({one_line(error, 200)}): give another"
        ) from error


def log_training_reference(
    run: Run, dataset: Dataset, test_probabilities: np.ndarray, predict: Predict, seed: int, folder: Path
) -> Path | None:
    """Log the reference of a training run's data and model, and the profile of its training rows, to the run.

    The map is fitted on the training rows; the model is judged by the test rows, which it has not seen.
    test_probabilities: [test rows, classes]; predict: texts to [texts, classes]; folder: an empty one to write to.
    Returns the reference's own folder in it; None where the rows are too few for one.
    """
    train, test = dataset.splits["train"], dataset.splits["test"]
    texts, held_out = train["text"].tolist(), (test["text"].tolist(), test["label"].tolist())
    predictor = KnownPredictor(f"runs:/{run.id}/model", dataset.classes, predict)
    predictor.set(held_out[0], test_probabilities)
    try:
        reference = fit_reference(texts, train["label"].tolist(), predictor, seed, held_out=held_out)
    except InputError as error:  # a handful of rows trains a model, but says nothing of what is normal
        print(f"warning: no reference is logged: {error}", flush=True)
        run.tag({"newsclf.reference": f"none: {error}"})
        return None
    profile = TextProfile(reference.id, reference.encoder_sha256)
    statistics = text_statistics(texts, reference.reader.counter)
    profile.log(statistics.assign(**{TEXT: texts}, label=train["label"].to_numpy(object)))
    save_reference(reference, folder / "reference")
    profile.write(folder / "profile" / "profile.bin")
    table(profile).to_csv(folder / "profile" / "summary.csv", index=False)
    run.log_files(folder)
    run.tag({"newsclf.reference": reference.id})
    return folder / "reference"


def log_reference(run: Run, reference: Reference) -> None:
    """Log a reference that was judged by, so that another call can name this run as its reference."""
    with tempfile.TemporaryDirectory() as temporary:
        save_reference(reference, Path(temporary) / "reference")
        run.log_files(Path(temporary))


def open_predictor(model: str, compute: ComputeOptions) -> Predictor:
    """A logged model as a function of texts."""
    return TextClassifier.load(fetch(model).folder, compute.device, model, compute.precision)


def reference_rows(options: DataOptions) -> tuple[list[str | None], list[str] | None]:
    """(texts, labels or None) of the reference: the training rows of a built-in data set, or all rows of a table.

    Of a table with labels, the rows that have none are left out.
    """
    split = own_split(options.dataset, "train")
    rows = open_stream(options).read() if split == "all" else load(options).splits[split]
    if "label" not in rows or rows["label"].isna().all():
        return rows["text"].tolist(), None
    rows = rows[rows["label"].notna()]
    return rows["text"].tolist(), rows["label"].tolist()
