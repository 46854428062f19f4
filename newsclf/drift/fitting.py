"""How a reference is learnt of texts, their labels and a predictor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from newsclf.drift.inputs import bad_rows, labelled, prediction_columns
from newsclf.drift.predictor import Predictor, fit_light
from newsclf.drift.reference import Embedder, Reference
from newsclf.errors import InputError
from newsclf.features.embedding import TokenEmbedder, at_length_1, fit_map, token_vectors, token_weights
from newsclf.features.tokens import TokenCounter
from newsclf.features.words import Words
from newsclf.model.weights import find
from newsclf.profiling.profile import TextProfile
from newsclf.stats.calibration import calibrated, fit_temperature, logits_of

LEAST_TEXTS = 100  # of a reference
LARGEST = 20_000  # texts of a reference that are used


def fit_reference(
    texts: Sequence[str | None],
    labels: Sequence[str] | None = None,
    predictor: Predictor | None = None,
    seed: int = 0,
    *,
    held_out: tuple[Sequence[str | None], Sequence[str] | None] | None = None,
    embedding: str = "tokens",
    encoder: str = "minilm",
) -> Reference:
    """The reference of these texts, at most LARGEST of them, drawn by `seed`.

    predictor: what the concept and performance are judged by; without one, and with labels, a light one is fitted.
    held_out: texts (and labels) that the predictor has not been trained on. Without them, half of the texts is held
        out, which is right for the light predictor and for a model that has not seen the texts.
    embedding: "tokens" is the quick form; "encoder" reads every text (of a batch at most READ_ROWS) with the encoder,
        which sees new subjects better and takes some 10 ms a text.
    Raises InputError for too few texts and for labels that do not fit.
    """
    random = np.random.default_rng(seed)
    given = labelled(texts, labels)
    frames = _halves(given, None if held_out is None else labelled(*held_out), random)
    named = [label for _, part in frames if part is not None for label in part]
    classes = predictor.classes if predictor is not None else tuple(sorted({str(label) for label in named}))
    if predictor is not None and (strangers := sorted({str(label) for label in named} - set(classes))):
        raise InputError(f"the reference has labels that its predictor does not know: {', '.join(strangers[:5])}")
    files = find(encoder)
    counter = TokenCounter(files.folder)
    place = {name: number for number, name in enumerate(classes)}
    (fitted_texts, fitted_labels), (kept_texts, kept_labels) = (
        (part, None if marks is None else np.array([place[str(mark)] for mark in marks], dtype=np.int64))
        for part, marks in frames
    )
    counts = counter.counts(fitted_texts)
    present = sorted(set(fitted_labels.tolist())) if fitted_labels is not None else []
    everywhere = len(present) == len(classes)
    embedder = make_embedder(embedding, files.folder, token_weights(counts))
    embedded = at_length_1(embedder(fitted_texts, counts))
    fitted_map = fit_map(counts, embedded, fitted_labels if everywhere else None, classes, random)
    light = None
    if predictor is None and fitted_labels is not None and everywhere and len(classes) > 1:
        light = fit_light(embedded, fitted_labels, len(classes))

    bare = Reference(
        id="",
        encoder=encoder,
        encoder_sha256=files.sha256,
        map=fitted_map,
        words=Words().frequencies(fitted_texts),
        held_out=pd.DataFrame(),
        classes=classes,
        labels=kept_labels,
        probabilities=None,
        light=light,
        temperature=1.0,
        counts=bad_rows(given[0]) | {"unreadable": 0, "unknown_class": 0},
        rows=len(texts),
        seed=seed,
        counter=counter,
        embedder=embedder,
        embedding=embedding,
        profile=TextProfile(),
        predictor_name="" if predictor is None else predictor.name,
        predictor=predictor,
    )
    if embedding == "encoder":  # what is held out is read whole: here alone, so that a batch costs no more than it must
        bare = replace(bare, embedding="tokens")
    batch = replace(bare, predictor=None)._read(kept_texts, None)
    bare = replace(bare, embedding=embedding)
    # Of a model from outside, all held-out texts are predicted, once: the reference is worth it.
    probabilities, temperature = predictor(kept_texts) if predictor else batch.probabilities, 1.0
    if probabilities is not None and kept_labels is not None:
        temperature = fit_temperature(logits_of(probabilities), kept_labels)
        probabilities = calibrated(probabilities, temperature)
    name = sha256(f"{files.sha256} {seed} {fitted_texts} {kept_texts} {named}".encode("utf-8", "replace")).hexdigest()
    fitted = replace(bare, id=name[:16], held_out=batch.columns, probabilities=probabilities, temperature=temperature)
    return replace(fitted, profile=_profile(fitted, kept_texts))


def _profile(reference: Reference, texts: list[str]) -> TextProfile:
    """The profile of the held-out texts."""
    frame = reference.held_out
    names = np.asarray(reference.classes, dtype=object)
    if reference.labels is not None:
        frame = frame.assign(label=names[reference.labels])
    if reference.probabilities is not None:
        frame = frame.join(prediction_columns(reference.probabilities, reference.classes, reference.labels))
    profile = TextProfile(reference.id, reference.encoder_sha256)
    profile.log(frame.assign(text=texts))
    # Empty rows are not held out, but belong to what is normal: as many of them as all rows have.
    filled = reference.rows - reference.counts["empty"]
    empty, null = (round(reference.counts[name] * len(texts) / filled) for name in ("empty", "missing"))
    nothing: list[str | None] = [None] * null + [""] * (empty - null)
    if nothing:
        profile.log(reference.columns(nothing))
    return profile


def make_embedder(embedding: str, folder: Path, weights: np.ndarray) -> Embedder:
    """The embedder of the form "tokens" or "encoder" with the encoder's files in `folder`."""
    if embedding == "tokens":
        return TokenEmbedder(token_vectors(folder), weights)
    from newsclf.model.embed import EncoderEmbedder

    return EncoderEmbedder(folder)


def _halves(
    given: tuple[list[str | None], list[str] | None],
    held_out: tuple[list[str | None], list[str] | None] | None,
    random: np.random.Generator,
) -> tuple[tuple[list[str], list[str] | None], tuple[list[str], list[str] | None]]:
    """Texts (and labels) that the map is fitted on, and those it is judged by; without empty texts."""
    texts, labels = given
    rows = [row for row in random.permutation(len(texts)).tolist() if texts[row] and str(texts[row]).strip()][:LARGEST]
    first, second = rows, rows
    other_texts, other_labels = held_out or given
    if held_out is None:
        first, second = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    else:
        usable = [row for row in range(len(other_texts)) if other_texts[row] and str(other_texts[row]).strip()]
        second = random.permutation(usable).tolist()[:LARGEST]
    if len(first) < LEAST_TEXTS // 2 or (held_out is None and len(second) < LEAST_TEXTS // 2):
        raise InputError(f"a reference of {len(rows)} texts that are not empty is too small: {LEAST_TEXTS} are needed")
    if len(second) < (least := LEAST_TEXTS // 2):
        raise InputError(f"{len(second)} held-out texts that are not empty are too few for a reference: give {least}")
    return (
        ([str(texts[row]) for row in first], None if labels is None else [labels[row] for row in first]),
        (
            [str(other_texts[row]) for row in second],
            None if other_labels is None else [other_labels[row] for row in second],
        ),
    )
