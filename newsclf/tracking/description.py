"""What a run is called and what its page says first: in words, from its options, numbers and tags."""

import dataclasses
import re
import shlex
from collections.abc import Mapping

from mlflow.utils.name_utils import _GENERATOR_NOUNS, _GENERATOR_PREDICATES

from newsclf.config import RunOptions
from newsclf.config.fields import names_of
from newsclf.config.options import as_text
from newsclf.masking import masked_addresses
from newsclf.messages import one_line

LONGEST_NAME, LONGEST_TEXT = 120, 400
NOTHING = ("", "none", "''")
ABOUT = ("model", "stream", "dataset", "runs", "run_id", "name", "strategy")  # what a run is about: the first there is
BESIDE = {"dataset": "on", "reference": "against", "kind": ""}  # and the options that are named after it
SENTENCES = ("verdict", "finding", "reason", "state")  # tags of newsclf. that say what came of it
SCORES = {"accuracy": "accuracy", "macro_f1": "macro-F1", "log_loss": "log-loss"}
COUNTS = {"batches": "batches", "batches_drifted": "of them drifted", "changes": "changes", "points": "points compared"}
WEAK, SHOWN = 0.9, 5  # the F1 below which a class is named, and the most that are
AGAIN = "To do it again:"
MADE_UP = {word.lower() for word in _GENERATOR_PREDICATES}, {word.lower() for word in _GENERATOR_NOUNS}


def run_name(verb: str, config: RunOptions) -> str:
    """`ag_news minilm head 20 epochs` for train; for every other verb its name and what it is about."""
    options = as_text(config)
    if verb == "train":
        layers, epochs = options["trainable_layers"], options["epochs"]
        part = {"0": "head", "all": "all layers"}.get(layers, f"top {layers}")
        words = [_short(options["dataset"]), _short(options["encoder"]), part, f"{epochs} epoch{'s'[: epochs != '1']}"]
        words += [f"{options['num_samples']} rows"] if options["num_samples"] != "all" else []
        fold = "" if options["fold"] == "each" else f"fold {options['fold']} of "
        words += [f"{fold}{options['folds']}{'' if fold else ' folds'}"] if options["folds"] != "1" else []
    else:
        about = next((name for name in ABOUT if options.get(name, "") not in NOTHING), "")
        words = [verb, _short(options.get(about, ""))]
        beside = (name for name in BESIDE if name != about and options.get(name, "") not in NOTHING)
        words += [f"{BESIDE[name]} {_short(options[name])}".strip() for name in beside]
    return one_line(" ".join(filter(None, words)), LONGEST_NAME)


def is_made_up(name: str) -> bool:
    """Whether it is MLflow that has named the run, as nobody else has.

    >>> is_made_up("bustling-fox-123"), is_made_up("second-try-3")
    (True, False)
    """
    words = name.split("-")
    return not name or (len(words) == 3 and words[0] in MADE_UP[0] and words[1] in MADE_UP[1] and words[2].isdigit())


def description(verb: str, config: RunOptions, metrics: Mapping[str, float], tags: Mapping[str, str]) -> str:
    """Markdown: what came of it, the data, weak classes, warnings, and the command to do it again.

    metrics, tags: all that the run has.
    """
    options, kind = as_text(config), type(config)
    lines = [outcome(metrics, tags), ""]
    sources = [(name, options[name]) for name in names_of(kind, "source") if options[name] not in NOTHING]
    lines += [f"- {name}: {_code(text)}" for name, text in sources]
    # In one order, whatever the order in which they were logged: a run that was resumed says the same.
    rows = [f"{int(value):,} {name.partition('/')[2]}" for name, value in _of_parts(metrics)]
    lines += [f"- rows: {', '.join(rows)}"] if rows else []
    weak = weak_classes(metrics)
    lines += [f"- weak classes, by F1: {', '.join(weak)}"] if weak else []
    warnings = [text for name, text in sorted(tags.items()) if name.startswith("newsclf.data_warning.")]
    lines += [f"- warning: {_plain(text)}" for text in warnings]
    return "\n".join([*lines, "", AGAIN, "", "```", command(verb, config), "```"])


def outcome(metrics: Mapping[str, float], tags: Mapping[str, str]) -> str:
    """One line of Markdown: the verdict, the decision or the scores."""
    said = [tags[f"newsclf.{name}"] for name in SENTENCES if tags.get(f"newsclf.{name}")]
    if decision := tags.get("newsclf.decision"):
        said = [f"{decision}: {said[0]}" if said else decision]
    if reproduced := tags.get("newsclf.reproduced"):
        said = ["reproduced, bit for bit" if reproduced == "true" else "not reproduced"]
    scores = [
        f"{word} {metrics[key]:.4f}"
        for name, word in SCORES.items()
        for key in [key for key in (f"test_{name}", f"cv_{name}", name) if key in metrics][:1]
    ]
    bests = sorted(name for name in metrics if name.startswith("best/"))
    best = [f"{name[5:]} {metrics[name]:.4f} is the best" for name in bests]
    counts = [f"{metrics[name]:,.0f} {word}" for name, word in COUNTS.items() if name in metrics and not scores]
    parts = [*(f"**{_plain(one)}**" for one in said[:1]), ", ".join([*scores, *best]), ", ".join(counts)]
    return "; ".join(filter(None, parts)) or "done"


def weak_classes(metrics: Mapping[str, float]) -> list[str]:
    """The classes with the lowest F1, where it is below 0.9; the lowest first."""
    by_class = {name.partition("/")[2]: f1 for name, f1 in metrics.items() if name.startswith(("test_f1/", "f1/"))}
    low = sorted((f1, name) for name, f1 in by_class.items() if f1 < WEAK)
    return [f"{_plain(name)} {f1:.3f}" for f1, name in low[:SHOWN]]


def _of_parts(metrics: Mapping[str, float]) -> list[tuple[str, float]]:
    """The numbers of rows: of train, validation and test, then of any other part."""
    first = [f"rows/{part}" for part in ("train", "validation", "test")]
    found = sorted(name for name in metrics if name.startswith("rows/"))
    names = [name for name in first if name in metrics] + [name for name in found if name not in first]
    return [(name, metrics[name]) for name in names]


def command(verb: str, config: RunOptions) -> str:
    """What is typed to have the same once more: the options that are neither defaults nor of this machine or call."""
    kind, options = type(config), as_text(config)
    defaults = {one.name: one.default for one in dataclasses.fields(kind)}
    required = {name: getattr(config, name) for name, value in defaults.items() if value is dataclasses.MISSING}
    plain, left_out = as_text(kind(**required)), names_of(kind, "machine", "output", "run")
    given = [name for name in options if name in required or options[name] != plain[name]]
    words = [f"{name}={options[name]}" for name in given if name not in left_out]
    return masked_addresses(shlex.join(["newsclf", verb, *words]))


def _short(text: str) -> str:
    """The part of a path, a URI or an id by which a person knows it."""
    if found := re.fullmatch(r"(?:runs:/)?([0-9a-f]{8})[0-9a-f]{24}(?:/.*)?", text):
        return f"run {found[1]}"
    if text.startswith("models:/"):
        return text.removeprefix("models:/")
    place = re.split(r"[?#]", text)[0] if "://" in text else text
    last = place.rstrip("/").rpartition("/")[2]
    return re.sub(r"\.(csv|tsv|parquet|jsonl|ndjson)(\.gz)?$", "", last) if "/" in place or "." in place else text


def _code(text: str) -> str:
    """A value as Markdown's code, in one line, without the login of an address."""
    return "`" + masked_addresses(one_line(text, LONGEST_TEXT)).replace("`", "'") + "`"


def _plain(text: str) -> str:
    """Words that are no Markdown, whatever is in them: names come from data."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", one_line(text, LONGEST_TEXT))
