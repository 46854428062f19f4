"""Training rows in parts of like size and like classes, each of which is left out once: k-fold cross-validation."""

import numpy as np
import pandas as pd

from newsclf.config.shared import WeightedDataOptions
from newsclf.data.splits import fold as one_space
from newsclf.errors import InputError
from newsclf.messages import quoted

STREAM = 4  # of the seed's; splits.py has the others
LEAST = 2  # rows of a class, for training and for validation, behind what is left out


def is_cross_validation(options: WeightedDataOptions) -> bool:
    """Whether every fold is asked for, each in a run of its own. Raises InputError for a fold that there is not."""
    if options.fold is not None and options.fold > options.folds:
        some = f"there are {options.folds}" if options.folds > 1 else "folds is 1: say how many there are"
        raise InputError(f"option fold is {options.fold}, and {some}")
    return options.folds > 1 and options.fold is None


def fold_of_rows(rows: pd.DataFrame, classes: tuple[str, ...], folds: int, seed: int) -> np.ndarray:
    """The fold of each row, from 1, [rows]. rows: columns `text` and `label`.

    Rows whose texts differ in white space only are in one fold, so that none is learnt and measured on. The texts of
    a class are dealt out in random order, by seed: two folds differ by one text of a class at the most, and by one in
    all. Raises InputError where a class has too few.

    >>> rows = pd.DataFrame({"text": ["a", "b", "c", "d  d", "d d", "e", "f", "g", "h"], "label": list("xxxxxyyyy")})
    >>> fold_of_rows(rows, ("x", "y"), 2, seed=0).tolist()
    [1, 2, 1, 2, 2, 2, 1, 1, 2]
    """
    groups = pd.Series(one_space(rows["text"]).to_numpy(), rows.index)
    firsts = ~groups.duplicated().to_numpy()
    labels = rows["label"].to_numpy()
    random = np.random.default_rng([seed, STREAM])
    dealt = []
    for name in classes:
        places = np.flatnonzero(firsts & (labels == name))
        needed = max(folds, LEAST * 2)
        if len(places) < needed:
            raise InputError(
                f'option folds is {folds}: class "{quoted(name)}" has {len(places)} different '
                f"text{'s'[: len(places) != 1]} among the training rows, and {needed} are needed; take fewer folds, or "
                "add rows"
            )
        dealt.append(random.permutation(places))
    order = np.concatenate(dealt)
    fold = pd.Series(np.arange(len(order)) % folds + 1, groups.iloc[order])
    return groups.map(fold).to_numpy()
