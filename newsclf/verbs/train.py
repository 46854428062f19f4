"""train: labelled text to a tested, logged model, all of it in one MLflow run."""

import dataclasses
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from newsclf.config import TrainConfig
from newsclf.data import Dataset, fingerprint_texts, load
from newsclf.data.folds import is_cross_validation
from newsclf.data.tables.values import by_class
from newsclf.errors import InputError
from newsclf.evaluation import concerns
from newsclf.evaluation.baseline import BesideBaseline
from newsclf.evaluation.scores import accuracy
from newsclf.model import encoder, prefix, weights
from newsclf.model.batches import RaggedRows, TokenDataset
from newsclf.model.cache import Cache, default_folder
from newsclf.model.classifier import Classifier
from newsclf.model.datamodule import NewsDataModule, labelled
from newsclf.model.device import choose, peak_gpu_bytes, resolved
from newsclf.model.finishing import finish, fit_words, hear
from newsclf.model.text_classifier import TextClassifier
from newsclf.model.tokenizer import Tokenizer
from newsclf.model.training import fit, seed_everything
from newsclf.model.weights import EncoderFiles
from newsclf.progress import progress
from newsclf.tracking.artifacts.ensemble import open_members
from newsclf.tracking.artifacts.evaluation import log_losses, log_report
from newsclf.tracking.artifacts.models import log_model, logged_model
from newsclf.tracking.artifacts.references import log_training_reference
from newsclf.tracking.environment import peak_memory_bytes
from newsclf.tracking.lightning_logger import RunLogger
from newsclf.tracking.lineage import log_dataset
from newsclf.tracking.registry.versions import check_name
from newsclf.tracking.resume import checkpoints, find_interrupted_run, tag_superseded_run
from newsclf.tracking.run import Run, open_run
from newsclf.tracking.runs import STUDYS_ACCURACY
from newsclf.tuning.cross_validation import cross_validate

HEAD_RATE, ENCODER_RATE = 1e-3, 2e-4


def train(config: TrainConfig) -> dict[str, float]:
    """Run the recipe of this file; the logged metrics by name. Raises InputError for bad input."""
    began = time.perf_counter()
    earlier = None
    if config.resume:
        earlier = find_interrupted_run(config)
        tag_superseded_run(earlier.run_id)
        config = dataclasses.replace(earlier.config, resume="")
    if is_cross_validation(config):
        return cross_validate(config, earlier.run_id if earlier else "")
    config = resolve_auto(config)
    with (
        open_run("train", config, earlier.run_id if earlier else "") as run,
        checkpoints(run, (earlier and earlier.checkpoints) or run.folder / "checkpoints") as checkpoint_folder,
    ):
        if config.register:
            check_name(config.register)
        seed_everything(config.seed)

        dataset = load(config)
        run.warn(dataset.warnings)
        log_dataset(run, dataset, "train", ("train", "validation", "test"))
        print(_described(dataset), flush=True)
        config = fitted_to(config, dataset)
        assert config.learning_rate is not None

        members = open_members(config.ensemble, dataset.fingerprint, config.device, config.precision)
        files = weights.find(config.encoder)
        tokenizer = Tokenizer(files.folder, config.max_length)
        classifier = make_classifier(config, files, dataset.classes, tokenizer)
        bf16 = config.precision == "bf16"
        run.tag({"newsclf.encoder_sha256": files.sha256, "newsclf.device_name": choose(config.device).name})

        inputs, seconds = model_inputs(config, dataset, files, tokenizer, classifier, bf16)
        result = fit(
            classifier,
            NewsDataModule(config, inputs),
            config,
            learning_rate=config.learning_rate,
            bf16=bf16,
            logger=RunLogger(run),
            folder=checkpoint_folder,
        )

        run.warn(concerns.of_training(result.losses, config.epochs))
        log_losses(run, result.losses, result.kept_epoch)
        model, probabilities, metrics, said = finish_and_test(
            run, config, dataset, classifier, tokenizer, inputs, bf16, members
        )
        with tempfile.TemporaryDirectory() as references:
            reference = log_training_reference(
                run, dataset, probabilities, model.predict_proba, config.seed, Path(references)
            )
            model_id = (earlier and logged_model(run)) or log_model(run, model, reference)
        metrics |= {
            "epochs_run": result.epochs,
            "kept_epoch": result.kept_epoch + 1,
            "train_tokens_per_second": result.tokens_per_second,
            "train_rows_per_second": result.rows_per_second,
            "seconds/frozen_layers": seconds,
            "seconds/training": result.train_seconds,
            "seconds/total": time.perf_counter() - began,
            "peak_memory_bytes": peak_memory_bytes(),
            "peak_gpu_memory_bytes": peak_gpu_bytes(),
        }
        run.log_metrics(metrics, model_id=model_id)
        uri = f"runs:/{run.id}/model"
        run.finish(metrics, model=uri, plots=str(run.folder))
        run.show(model=uri, **({"version": run.register(config.register)} if config.register else {}))
        print(
            f"test accuracy {metrics['test_accuracy']:.4f}, macro-F1 {metrics['test_macro_f1']:.4f}, log-loss "
            f"{metrics['test_log_loss']:.4f}, calibration error {metrics['test_expected_calibration_error']:.4f}",
            *said,
            sep="\n",
        )
    return metrics


def resolve_auto(config: TrainConfig) -> TrainConfig:
    """The config with every "auto" replaced by what it stands for on this machine."""
    return dataclasses.replace(
        resolved(config),
        learning_rate=config.learning_rate or (HEAD_RATE if config.trainable_layers == 0 else ENCODER_RATE),
    )


def fitted_to(config: TrainConfig, dataset: Dataset) -> TrainConfig:
    """The config with the data's own class names. Raises InputError where it names a class that is not there."""
    if not isinstance(config.class_weights, dict):
        return config
    weights = by_class(config.class_weights, dataset.classes, "class_weights")
    return dataclasses.replace(config, class_weights=weights)


def make_classifier(
    config: TrainConfig, files: EncoderFiles, classes: tuple[str, ...], tokenizer: Tokenizer
) -> Classifier:
    """The encoder with a new head, on its device. Raises InputError where the options do not fit it."""
    loaded = encoder.load(files.folder, config.dropout, config.attention_dropout)
    depth = len(loaded.layers)
    if config.trainable_layers is not None and config.trainable_layers > depth:
        raise InputError(
            f"option trainable_layers is {config.trainable_layers}: encoder {config.encoder} has {depth} layers"
        )
    if config.layer_decay < 1 and config.trainable_layers == 0:
        raise InputError(
            f"option layer_decay is {config.layer_decay:g} and trainable_layers 0: no layer is trained; leave it out"
        )
    loaded.check_reads(tokenizer, "option max_length")
    frozen = 0 if config.trainable_layers is None else depth - config.trainable_layers
    if config.reinitialised_layers > depth - frozen:
        raise InputError(
            f"option reinitialised_layers is {config.reinitialised_layers}: {depth - frozen} layers are trained, and "
            "one that is not would stay random"
        )
    loaded.reinitialise(config.reinitialised_layers)
    return Classifier(loaded, classes, config.dropout, frozen).to(config.device)


def model_inputs(
    config: TrainConfig,
    dataset: Dataset,
    files: EncoderFiles,
    tokenizer: Tokenizer,
    classifier: Classifier,
    bf16: bool,
) -> tuple[dict[str, TokenDataset], float]:
    """Each split as model input, and the seconds that frozen layers took.

    With frozen layers, what they put out (from the cache, or computed into it); else token ids.
    """
    cache = Cache(Path(config.cache_dir) if config.cache_dir else default_folder(), int(config.cache_limit_gb * 1e9))
    inputs, seconds = {}, 0.0
    for split, frame in dataset.splits.items():
        texts = frame["text"].tolist()
        if classifier.frozen and config.prefix_cache:
            began = time.perf_counter()
            table = _frozen_output(split, texts, files, tokenizer, classifier, cache, bf16)
            seconds += time.perf_counter() - began
        else:
            table = tokenizer(texts)
        inputs[split] = labelled(table, frame, dataset.classes, tokenizer.pad_id)
    return inputs, seconds


def _frozen_output(
    split: str,
    texts: list[str],
    files: EncoderFiles,
    tokenizer: Tokenizer,
    classifier: Classifier,
    cache: Cache,
    bf16: bool,
) -> RaggedRows:
    key = prefix.key(files.sha256, tokenizer.key, fingerprint_texts(texts), classifier, bf16)
    found = prefix.cached(cache, key, classifier)
    if found is not None:
        print(f"frozen layers, {split}: read from the cache", flush=True)
        return found
    tokens = tokenizer(texts)
    size = prefix.size(classifier, tokens)
    if not cache.fits(size):
        print(
            f"frozen layers, {split}: their {size / 1e9:.1f} GB are over cache_limit_gb, so every epoch computes them",
            flush=True,
        )
        return tokens
    with progress(f"frozen layers, {split}", len(texts)) as update:
        return prefix.compute(classifier, cache, key, tokens, tokenizer.pad_id, bf16, update)


def finish_and_test(
    run: Run,
    config: TrainConfig,
    dataset: Dataset,
    classifier: Classifier,
    tokenizer: Tokenizer,
    inputs: dict[str, TokenDataset],
    bf16: bool,
    members: Sequence[TextClassifier],
) -> tuple[TextClassifier, np.ndarray, dict[str, float], list[str]]:
    """The finished model, its probabilities [test rows, classes], its metrics, and what a terminal is told of it."""
    texts = {split: frame["text"].tolist() for split, frame in dataset.splits.items()}
    test = inputs["test"]
    assert test.labels is not None
    words = fit_words(config, texts["train"], inputs["train"], dataset.classes)
    model, finished = finish(
        config, classifier, tokenizer, inputs["validation"], texts["validation"], words, bf16, members
    )

    heard = hear(classifier, test, texts["test"], words, members, bf16)
    probabilities = model.fusion.probabilities(heard)
    identity = dataset.identity["test"]
    metrics = log_report(run, texts["test"], test.labels, probabilities, dataset.classes, "test_", identity)
    metrics = {STUDYS_ACCURACY: metrics["test_accuracy"], **metrics, **finished}
    said = []
    joined = ["a classifier of words"] * (model.linear is not None) + ["the models of earlier runs"] * bool(members)
    if joined:
        metrics["encoder_accuracy"] = accuracy(test.labels, heard.encoder.argmax(axis=1))
        said.append(f"with {' and '.join(joined)} in it; the encoder alone: accuracy {metrics['encoder_accuracy']:.4f}")
    if config.baseline and heard.margins is not None:
        beside = BesideBaseline.of(test.labels, probabilities.argmax(axis=1), heard.margins.argmax(axis=1))
        metrics |= beside.metrics
        said.append(str(beside))
        run.warn(beside.concerns())
    return model, probabilities, metrics, said


def _described(dataset: Dataset) -> str:
    rows = ", ".join(f"{len(frame):,} {split}" for split, frame in dataset.splits.items())
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in dataset.notes.items() if count)
    return f"{dataset.name}: {len(dataset.classes)} classes, {rows} rows" + (
        f" (dropped: {dropped})" if dropped else ""
    )
