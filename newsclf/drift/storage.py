"""A reference in a folder: numbers as safetensors, facts as JSON, its profile as whylogs writes it. No pickle."""

import json
import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from newsclf.drift.batch import HeldOut, Labelled
from newsclf.drift.fitting import make_embedder
from newsclf.drift.predictor import LightPredictor, Predictor
from newsclf.drift.reading import TextReader
from newsclf.drift.reference import Reference
from newsclf.drift.words import KnownTerms
from newsclf.errors import InputError
from newsclf.features.embedding import EmbeddingMap
from newsclf.features.tokens import TokenCounter
from newsclf.features.words import BUCKETS, WordFrequencies
from newsclf.files import in_one_step
from newsclf.messages import one_line
from newsclf.model.weights import find
from newsclf.profiling.profile import TextProfile
from newsclf.untrusted import check_inside, load_json_object, tensors

FORMAT = 1
FACTS, ARRAYS, PROFILE = "reference.json", "reference.safetensors", "profile.bin"
KINDS_OF_FACTS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("id", "encoder", "embedding", "encoder_sha256", "predictor_name"), str),
    **dict.fromkeys(("classes", "map_classes", "columns"), list),
    "temperature": (int, float),
    "counts": dict,
    "rows": int,
    "seed": int,
}
# Equal letters are equal lengths: vocabulary, hidden, directions, anchors, classes of the map, buckets, rows, columns.
SHAPES = {
    "map.weights": "v",
    "map.surprise": "v",
    "map.rarity": "v",
    "map.mean": "h",
    "map.directions": "hd",
    "map.anchors": "ah",
    "map.centres": "mh",
    "words": "b",
    "held_out": "rc",
    "labels": "r",
    "probabilities": "rk",
    "light.weights": "hk",
    "light.bias": "k",
    "terms.texts": "tj",
    "terms.rows": "j",
}
OPTIONAL = ("labels", "probabilities", "light.weights", "light.bias", "terms.texts", "terms.rows")


def save(reference: Reference, folder: Path) -> None:
    """Write the reference into `folder`, each file in one step; reference.json last, so that a half is none."""
    from safetensors.numpy import save as to_bytes

    held_out = reference.held_out
    arrays: dict[str, np.ndarray | None] = {
        **{f"map.{name}": getattr(reference.reader.map, name) for name in _map_arrays()},
        "words": reference.reader.words.frequencies,
        "held_out": held_out.columns.to_numpy(np.float32),
        "labels": None if held_out.labelled is None else held_out.labelled.labels,
        "probabilities": None if held_out.labelled is None else held_out.labelled.probabilities,
        "light.weights": None if reference.light is None else reference.light.weights,
        "light.bias": None if reference.light is None else reference.light.bias,
        "terms.texts": None if held_out.terms is None else held_out.terms.texts,
        "terms.rows": None if held_out.terms is None else held_out.terms.rows,
    }
    facts = {
        "format": FORMAT,
        "id": reference.id,
        "encoder": reference.encoder,
        "embedding": reference.embedding,
        "encoder_sha256": reference.encoder_sha256,
        "classes": reference.classes,
        "map_classes": reference.reader.map.classes,
        "columns": list(held_out.columns),
        "temperature": reference.temperature,
        "counts": held_out.counts,
        "rows": held_out.rows,
        "seed": reference.seed,
        "predictor_name": reference.predictor_name,
        "terms": [] if held_out.terms is None else held_out.terms.terms,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FACTS).unlink(missing_ok=True)
        reference.profile.write(folder / PROFILE)
        present = {name: np.ascontiguousarray(values) for name, values in arrays.items() if values is not None}
        _write(folder / ARRAYS, to_bytes(present))
        _write(folder / FACTS, json.dumps(facts, indent=2, ensure_ascii=False).encode())
    except OSError as error:
        raise InputError(f"reference folder {folder} cannot be written ({error.strerror}): give another") from error


def load(folder: Path, predictor: Predictor | None = None, precision: str = "auto") -> Reference:
    """The reference that `save` wrote.

    predictor: the one it was fitted with, where that came from outside; without it, what takes predictions cannot be
    judged. precision: the arithmetic of the encoder that embeds texts, as of the option.
    Raises InputError for a folder that is no whole reference, and for one of another format or encoder.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        facts = load_json_object(folder / FACTS)
        if facts["format"] != FORMAT:
            raise InputError(
                f"reference {folder} has format {facts['format']}, this version reads {FORMAT}: fit it again"
            )
        check_inside(folder / PROFILE, folder)
        tensors(folder / ARRAYS)
        arrays: dict[str, Any] = load_file(folder / ARRAYS)
        _check_facts(facts)
        _check_arrays(arrays, facts)
        embedding = EmbeddingMap(
            **{name: arrays[f"map.{name}"] for name in _map_arrays()}, classes=tuple(facts["map_classes"])
        )
        light = None
        if "light.weights" in arrays:
            light = LightPredictor(arrays["light.weights"], arrays["light.bias"])
        files = find(facts["encoder"])
        if files.sha256 != facts["encoder_sha256"]:
            raise InputError(
                f"reference {folder} was fitted with another encoder: {facts['encoder']} of sha256 "
                f"{facts['encoder_sha256'][:16]}..., here it is {files.sha256[:16]}...: fit the reference again"
            )
        counter = TokenCounter(files.folder)
        if counter.vocabulary_size != len(embedding.weights):
            raise InputError(f"reference {folder} was fitted with another tokenizer than that of {facts['encoder']}")
        classes = tuple(facts["classes"])
        columns = pd.DataFrame(arrays["held_out"], columns=facts["columns"])
        labelled = Labelled(arrays["labels"], arrays.get("probabilities")) if "labels" in arrays else None
        embedder = make_embedder(facts["embedding"], files.folder, embedding.weights, precision)
        loaded = Reference(
            id=facts["id"],
            encoder=facts["encoder"],
            encoder_sha256=facts["encoder_sha256"],
            embedding=facts["embedding"],
            reader=TextReader(counter, embedder, embedding, WordFrequencies(arrays["words"])),
            held_out=HeldOut(columns, classes, labelled, facts["counts"], facts["rows"], _terms(facts, arrays)),
            light=light,
            temperature=facts["temperature"],
            seed=facts["seed"],
            profile=TextProfile.read(folder / PROFILE),
            predictor_name=facts["predictor_name"],
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise InputError(
            f"{folder} is no whole reference ({one_line(error, 200)}): give a folder that has {FACTS}"
        ) from error
    if loaded.profile.reference != loaded.id:
        raise InputError(f"{folder} is no whole reference: its {PROFILE} is that of another; fit it again")
    return loaded if predictor is None else with_predictor(loaded, predictor, str(folder))


def with_predictor(reference: Reference, predictor: Predictor, name: str) -> Reference:
    """A loaded reference with the predictor it was fitted with. Raises InputError where that knows other classes.

    name: of the reference, for the message.
    """
    if predictor.classes != reference.classes:
        raise InputError(
            f"reference {name} knows the classes {', '.join(reference.classes)}; its predictor knows others"
        )
    return replace(reference, predictor=predictor)


def _terms(facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> KnownTerms | None:
    """Raises ValueError where they do not fit the classes. Until 0.3.0 there were none."""
    if "terms.texts" not in arrays:
        return None
    texts, rows = arrays["terms.texts"], arrays["terms.rows"]
    by_class = len(facts["classes"]) if "labels" in arrays else 1
    if texts.shape[1] not in (1, by_class) or (texts < 0).any() or (texts > rows).any() or rows.sum() < 1:
        raise ValueError(f"{ARRAYS}: terms.texts and terms.rows are no numbers of texts of each class")
    return KnownTerms(tuple(facts["terms"]), texts, rows)


def _check_facts(facts: dict[str, Any]) -> None:
    """Raises ValueError where reference.json holds something else than `save` writes."""
    for name, kind in KINDS_OF_FACTS.items():
        if not isinstance(facts[name], kind) or isinstance(facts[name], bool):
            raise ValueError(f"{FACTS}: {name} is {one_line(repr(facts[name]), 40)}")
    for name in ("classes", "map_classes", "columns", *(("terms",) if "terms" in facts else ())):
        if not all(isinstance(text, str) for text in facts[name]) or len(set(facts[name])) < len(facts[name]):
            raise ValueError(f"{FACTS}: {name} must be different names")
    if not all(type(count) is int and count >= 0 for count in (facts["rows"], *facts["counts"].values())):
        raise ValueError(f"{FACTS}: rows and counts must be whole numbers")
    if not (math.isfinite(facts["temperature"]) and facts["temperature"] > 0):
        raise ValueError(f"{FACTS}: temperature is {facts['temperature']}")


def _check_arrays(arrays: dict[str, np.ndarray], facts: dict[str, Any]) -> None:
    """Raises ValueError where the arrays do not fit each other or the names in reference.json, or hold NaN."""
    sizes = {
        "t": len(facts.get("terms", [])),
        "k": len(facts["classes"]),
        "m": len(facts["map_classes"]),
        "c": len(facts["columns"]),
        "b": BUCKETS,
    }
    for name, letters in SHAPES.items():
        if name not in arrays and name in OPTIONAL:
            continue
        shape = arrays[name].shape
        if len(shape) != len(letters) or any(
            sizes.setdefault(*pair) != pair[1] for pair in zip(letters, shape, strict=True)
        ):
            raise ValueError(f"{ARRAYS}: {name} has the shape {list(shape)}, which does not fit the rest")
        if name != "held_out" and not np.isfinite(arrays[name]).all():  # which has NaN where a text has no such number
            raise ValueError(f"{ARRAYS}: {name} holds NaN or infinite values")
    labels = arrays.get("labels", np.zeros(0))
    if len(labels) and not (labels.min() >= 0 and labels.max() < sizes["k"]):
        raise ValueError(f"{ARRAYS}: there are labels of no class")


def _map_arrays() -> list[str]:
    return [field.name for field in fields(EmbeddingMap) if field.name != "classes"]


def _write(path: Path, data: bytes) -> None:
    with in_one_step(path) as unfinished:
        unfinished.write_bytes(data)
