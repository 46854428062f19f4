"""evaluate: a logged model on labelled rows, with intervals, alone or paired with a baseline."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from newsclf.config import EvaluateConfig
from newsclf.data import Dataset, load_split
from newsclf.data.tables.values import class_indices, unknown_labels
from newsclf.errors import InputError
from newsclf.evaluation.paired_configurations import SCORES
from newsclf.messages import listed
from newsclf.model.device import resolved
from newsclf.model.text_classifier import TextClassifier
from newsclf.stats.paired import bootstrap, interval, mcnemar_p
from newsclf.tracking.artifacts.evaluation import log_report
from newsclf.tracking.artifacts.models import fetch
from newsclf.tracking.environment import peak_memory_bytes
from newsclf.tracking.lineage import log_dataset
from newsclf.tracking.run import open_run


def evaluate(config: EvaluateConfig) -> dict[str, float]:
    """Run the recipe of this file; the logged metrics by name. Raises InputError for bad input."""
    config = resolved(config)
    with open_run("evaluate", config) as run:
        dataset = load_split(config, config.split)
        run.warn(dataset.warnings)
        log_dataset(run, dataset, "evaluate", (config.split,))
        rows = dataset.splits[config.split]
        texts = rows["text"].tolist()

        model = fetch(config.model)
        run.tag({"newsclf.model": config.model, "newsclf.model_run_id": model.run_id or ""})
        classes, probabilities = _predict(model.folder, texts, config)
        labels = label_indices(rows["label"].tolist(), classes, config.model, dataset)
        metrics = log_report(run, texts, labels, probabilities, classes, identity=dataset.identity[config.split])
        metrics["rows"] = len(rows)

        predictions = [probabilities.argmax(axis=1)]
        if config.baseline is not None:
            other = fetch(config.baseline)
            run.tag({"newsclf.baseline": config.baseline, "newsclf.baseline_run_id": other.run_id or ""})
            other_classes, other_probabilities = _predict(other.folder, texts, config)
            if set(other_classes) != set(classes):
                raise InputError(
                    f"baseline {config.baseline} has the classes {', '.join(other_classes)}, model {config.model} has "
                    f"{', '.join(classes)}: compare models of the same classes"
                )
            # The baseline's classes may stand in another order.
            place = np.array([classes.index(name) for name in other_classes])
            predictions.append(place[other_probabilities.argmax(axis=1)])
        metrics |= paired_metrics(labels, predictions, config.bootstrap_samples, config.seed)
        metrics["peak_memory_bytes"] = peak_memory_bytes()

        run.log_metrics(metrics, model_id=model.model_id)
        run.finish(metrics, model=config.model, plots=str(run.folder))
        run.show(model=config.model)
        print(described(metrics))
    return metrics


def described(metrics: Mapping[str, float]) -> str:
    """The scores with their intervals, for a terminal; with a baseline the difference from it."""
    lines = [
        f"{name} {metrics[name]:.4f} (95 % interval {metrics[f'{name}_low']:.4f} to {metrics[f'{name}_high']:.4f})"
        for name in ("accuracy", "macro_f1")
    ]
    lines.append(f"log-loss {metrics['log_loss']:.4f}, calibration error {metrics['expected_calibration_error']:.4f}")
    if "mcnemar_p" in metrics:
        lines.append(
            f"accuracy minus the baseline's {metrics['accuracy_difference']:+.4f} (95 % interval "
            f"{metrics['accuracy_difference_low']:+.4f} to {metrics['accuracy_difference_high']:+.4f}), "
            f"McNemar's p {metrics['mcnemar_p']:.4g}"
        )
    return "\n".join(lines)


def label_indices(labels: list[str], classes: tuple[str, ...], model: str, dataset: Dataset) -> np.ndarray:
    """The labels as the model's class indices, [rows]. Raises InputError that names labels the model does not know."""
    if unknown := unknown_labels(Counter(labels), classes):
        raise InputError(
            f"dataset {dataset.name} has labels that model {model} does not know: {listed(unknown, 10)}; "
            f"it knows {listed(classes, 25)}"
        )
    return np.array(class_indices(labels, classes))


def paired_metrics(labels: np.ndarray, predictions: list[np.ndarray], samples: int, seed: int) -> dict[str, float]:
    """95 % intervals of the first prediction's scores; with a second one, the paired differences and McNemar's p."""
    draws = bootstrap(labels, predictions, samples, seed)
    metrics = {}
    for name, values in draws.items():
        metrics[f"{name}_low"], metrics[f"{name}_high"] = interval(values[0])
        if len(predictions) > 1:
            observed = [SCORES[name](labels, predicted) for predicted in predictions]
            metrics[f"baseline_{name}"] = observed[1]
            metrics[f"{name}_difference"] = observed[0] - observed[1]
            metrics[f"{name}_difference_low"], metrics[f"{name}_difference_high"] = interval(values[0] - values[1])
    if len(predictions) > 1:
        metrics["mcnemar_p"] = mcnemar_p(labels, predictions[0], predictions[1])
    return metrics


def _predict(folder: Path, texts: list[str], config: EvaluateConfig) -> tuple[tuple[str, ...], np.ndarray]:
    model = TextClassifier.load(folder, config.device, precision=config.precision)
    return model.classes, model.predict_proba(texts)
