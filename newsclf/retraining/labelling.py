"""Which texts are most worth a label: uncertain, unlike what is known, and unlike each other."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from newsclf.config import DataOptions
from newsclf.retraining.context import RetrainContext
from newsclf.retraining.judged_stream import StreamBatch
from newsclf.tracking.artifacts.references import open_reference


def k_center_greedy(points: np.ndarray, uncertainty: np.ndarray, known: np.ndarray, budget: int) -> list[int]:
    """At most `budget` rows, the most telling first.

    points: [rows, directions]; known: [others, directions] of what needs no label; uncertainty: [rows] in 0..1.
    k-centre greedy (Sener & Savarese 2018, Active Learning for Convolutional Neural Networks: A Core-Set Approach):
    the next is always the one furthest from all that is known or chosen. Here the distance counts by the uncertainty,
    so that what the model is sure of is left for last.
    """
    nearest = np.full(len(points), np.inf)
    for start in range(0, len(points), 1000):  # bounds the memory of the distances
        part = slice(start, start + 1000)
        if len(known):
            nearest[part] = cdist(points[part], known).min(axis=1)
    if not len(known):
        nearest = cdist(points, points.mean(axis=0, keepdims=True))[:, 0]
    chosen: list[int] = []
    left = np.ones(len(points), dtype=bool)
    while len(chosen) < min(budget, len(points)):
        best = int(np.argmax(np.where(left, nearest * uncertainty, -1.0)))
        chosen.append(best)
        left[best] = False
        nearest = np.minimum(nearest, cdist(points, points[best : best + 1])[:, 0])
    return chosen


def write_to_label(context: RetrainContext, chosen: Sequence[StreamBatch]) -> pd.DataFrame:
    """to_label.csv: the texts of the drifted batches that are most worth a label; none where only profiles are kept."""
    texts = pd.concat([pd.DataFrame(columns=["batch", "text"]), *(batch.unlabelled for batch in chosen)])
    texts = texts.drop_duplicates("text").reset_index(drop=True)
    if not texts.empty:
        options = DataOptions(seed=context.champion.config.seed)
        reference = open_reference(options, context.champion.uri, context.folder, context.config, "tokens")
        columns = reference.read(texts["text"].tolist()).columns
        columns = columns[columns["entropy"].notna()]  # of very many texts, the reference's model reads a sample
        directions = [str(name) for name in columns if str(name).startswith("direction_")]
        known, points = reference.held_out.columns[directions].dropna(), columns[directions].fillna(0.0)
        budget = context.config.label_budget
        order = k_center_greedy(points.to_numpy(), columns["entropy"].to_numpy(), known.to_numpy(), budget)
        worth = columns.iloc[order]
        said = worth[["predicted_label", "confidence"]].round({"confidence": 4})
        texts = texts.loc[worth.index].assign(label="").join(said)
        first = ["batch", "text", "label", *said]
        texts = texts[[*first, *(name for name in texts if name not in first)]]
    texts.to_csv(context.folder / "to_label.csv", index=False)
    context.run.log_file(context.folder / "to_label.csv")
    return texts
