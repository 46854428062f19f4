"""How a reference is learnt of texts, their labels and a predictor."""

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np

from newsclf.drift.batch import HeldOut, Labelled
from newsclf.drift.inputs import bad_rows, filled_rows, labelled, prediction_columns
from newsclf.drift.predictor import Predictor, fit_light
from newsclf.drift.reading import Embedder, TextReader
from newsclf.drift.reference import Reference
from newsclf.drift.words import KnownTerms
from newsclf.errors import InputError
from newsclf.features.embedding import TokenEmbedder, at_length_1, fit_map, token_vectors, token_weights
from newsclf.features.tokens import TokenCounter
from newsclf.features.words import WordFrequencies
from newsclf.model.weights import find
from newsclf.profiling.profile import TEXT, TextProfile
from newsclf.stats.calibration import calibrated, fit_temperature, logits_of

MIN_TEXTS = 100  # of a reference
MAX_TEXTS = 20_000  # of a reference that are used


def fit_reference(
    texts: Sequence[str | None],
    labels: Sequence[str] | None = None,
    predictor: Predictor | None = None,
    seed: int = 0,
    *,
    held_out: tuple[Sequence[str | None], Sequence[str] | None] | None = None,
    embedding: str = "tokens",
    encoder: str = "minilm",
    precision: str = "auto",
) -> Reference:
    """The reference of these texts, at most MAX_TEXTS of them, drawn by `seed`.

    predictor: what the concept and performance are judged by; without one, and with labels, a light one is fitted.
    held_out: texts (and labels) that the predictor has not been trained on. Without them, half of the texts is held
        out, which is right for the light predictor and for a model that has not seen the texts.
    embedding: "tokens" is the quick form; "encoder" reads every text (of a batch at most READ_ROWS for a verdict) with
        the encoder, which sees new subjects better and takes some 10 ms a text.
    precision: the arithmetic of the encoder, as of the option.
    Raises InputError for too few texts and for labels that do not fit.

    >>> news = [f"Team {number} beats team {number % 7} by {number % 5} goals." for number in range(100)]
    >>> news += [f"Minister {number} meets minister {number % 6} about {number % 8} laws." for number in range(100)]
    >>> reference = fit_reference(news, ["Sports"] * 100 + ["World"] * 100)
    >>> reference.classes, len(reference.held_out.columns)
    (('Sports', 'World'), 100)
    """
    random = np.random.default_rng(seed)
    given = labelled(texts, labels)
    frames = _halves(given, None if held_out is None else labelled(*held_out), random)
    named = [label for _, part in frames if part is not None for label in part]
    classes = predictor.classes if predictor is not None else tuple(sorted({str(label) for label in named}))
    if predictor is not None and (strangers := sorted({str(label) for label in named} - set(classes))):
        raise InputError(f"the reference has labels that its predictor does not know: {', '.join(strangers[:5])}")
    index = {name: number for number, name in enumerate(classes)}
    (fitted_texts, fitted_labels), (kept_texts, kept_labels) = (
        (part, None if marks is None else np.array([index[str(mark)] for mark in marks], dtype=np.int64))
        for part, marks in frames
    )
    files = find(encoder)
    reader, embedded = _learn(
        fitted_texts,
        fitted_labels,
        classes,
        files.folder,
        partial(make_embedder, embedding, precision=precision),
        random,
    )
    columns, kept_embedded = reader.columns(kept_texts, np.arange(len(kept_texts)))
    light, probabilities, temperature = None, None, 1.0
    if predictor is not None:  # all held-out texts are predicted, once: the reference is worth it
        probabilities = predictor.predict_proba(kept_texts)
    elif fitted_labels is not None and len(reader.map.classes) > 1:
        light = fit_light(embedded, fitted_labels, len(classes))
        probabilities = calibrated(light(kept_embedded), temperature)
    if probabilities is not None and kept_labels is not None:
        temperature = fit_temperature(logits_of(probabilities), kept_labels)
        probabilities = calibrated(probabilities, temperature)
    kept = HeldOut(
        columns=columns,
        classes=classes,
        labelled=None if kept_labels is None else Labelled(kept_labels, probabilities),
        counts=bad_rows(given[0]) | {"unreadable": 0, "unknown_class": 0},
        rows=len(texts),
        terms=_terms(frames if held_out is None else frames[1:], index),
    )
    name = sha256(f"{files.sha256} {seed} {fitted_texts} {kept_texts} {named}".encode("utf-8", "replace")).hexdigest()
    profile = TextProfile(name[:16], files.sha256)
    _log(profile, reader, kept, kept_texts, probabilities)
    return Reference(
        id=name[:16],
        encoder=encoder,
        encoder_sha256=files.sha256,
        embedding=embedding,
        reader=reader,
        held_out=kept,
        light=light,
        temperature=temperature,
        seed=seed,
        profile=profile,
        predictor_name="" if predictor is None else predictor.name,
        predictor=predictor,
    )


def _learn(
    texts: list[str],
    labels: np.ndarray | None,
    classes: tuple[str, ...],
    folder: Path,
    embedder_of: Callable[[Path, np.ndarray], Embedder],
    random: np.random.Generator,
) -> tuple[TextReader, np.ndarray]:
    """What is measured in a text, with class centres where every class has a text; the embeddings [texts, hidden].

    labels: [texts] class indices.
    """
    counter = TokenCounter(folder)
    counts = counter.counts(texts)
    embedder = embedder_of(folder, token_weights(counts))
    embedded = at_length_1(embedder(texts, counts))
    if labels is not None and len(set(labels.tolist())) < len(classes):
        labels = None
    fitted_map = fit_map(counts, embedded, labels, classes, random)
    return TextReader(counter, embedder, fitted_map, WordFrequencies.fit(texts)), embedded


def _terms(parts: Sequence[tuple[list[str], list[str] | None]], index: dict[str, int]) -> KnownTerms:
    """Of texts and labels: of both halves where these are of one kind, as nothing is learnt of words but counts."""
    texts = [text for part, _ in parts for text in part]
    labels = [index[str(label)] for _, marks in parts for label in marks or ()]
    known = np.array(labels, np.int64) if len(labels) == len(texts) else None
    return KnownTerms.fit(texts, known, len(index))


def _log(
    profile: TextProfile, reader: TextReader, kept: HeldOut, texts: list[str], probabilities: np.ndarray | None
) -> None:
    """Add the held-out texts to a profile."""
    frame, labels = kept.columns, None
    if kept.labelled is not None:
        labels = kept.labelled.labels
        frame = frame.assign(label=np.asarray(kept.classes, dtype=object)[labels])
    if probabilities is not None:
        frame = frame.join(prediction_columns(probabilities, kept.classes, labels))
    profile.log(frame.assign(**{TEXT: texts}))
    # Empty rows are not held out, but belong to what is normal: as many of them as all rows have.
    filled = kept.rows - kept.counts["empty"]
    empty, null = (round(kept.counts[name] * len(texts) / filled) for name in ("empty", "missing"))
    nothing: list[str | None] = [None] * null + [""] * (empty - null)
    if nothing:
        profile.log(reader.columns(nothing, np.arange(0))[0])


def make_embedder(embedding: str, folder: Path, weights: np.ndarray, precision: str = "auto") -> Embedder:
    """The embedder of the form "tokens" or "encoder" with the encoder's files in `folder`. weights: [vocabulary].

    precision: the arithmetic of the encoder, as of the option.
    """
    if embedding == "tokens":
        return TokenEmbedder(token_vectors(folder), weights)
    from newsclf.model.embed import EncoderEmbedder

    return EncoderEmbedder(folder, precision=precision)


def _halves(
    given: tuple[list[str | None], list[str] | None],
    held_out: tuple[list[str | None], list[str] | None] | None,
    random: np.random.Generator,
) -> tuple[tuple[list[str], list[str] | None], tuple[list[str], list[str] | None]]:
    """Texts (and labels) that the map is fitted on, and those it is judged by; without empty texts."""
    filled = set(filled_rows(given[0]).tolist())
    rows = [row for row in random.permutation(len(given[0])).tolist() if row in filled][:MAX_TEXTS]
    first, second = rows, rows
    if held_out is None:
        first, second = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    else:
        second = random.permutation(filled_rows(held_out[0])).tolist()[:MAX_TEXTS]
    if len(first) < MIN_TEXTS // 2 or (held_out is None and len(second) < MIN_TEXTS // 2):
        raise InputError(f"a reference of {len(rows)} texts that are not empty is too small: {MIN_TEXTS} are needed")
    if len(second) < (least := MIN_TEXTS // 2):
        raise InputError(f"{len(second)} held-out texts that are not empty are too few for a reference: give {least}")

    def taken(side: tuple[list[str | None], list[str] | None], rows: list[int]) -> tuple[list[str], list[str] | None]:
        texts, labels = side
        return [str(texts[row]) for row in rows], None if labels is None else [labels[row] for row in rows]

    return taken(given, first), taken(held_out or given, second)
