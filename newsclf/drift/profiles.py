"""The verdict from two stored profiles alone, without any text, for what profiles can show."""

from pathlib import Path

from newsclf.drift import prior, quality
from newsclf.drift.kinds import KINDS
from newsclf.drift.reference import MIN_ROWS
from newsclf.drift.verdict import Verdict, combine_evidence, not_enough_data, too_few_filled
from newsclf.errors import InputError
from newsclf.profiling.profile import TextProfile
from newsclf.profiling.summary import summarise


def judge_profiles(
    reference_profile: TextProfile | Path | str,
    current_profile: TextProfile | Path | str,
    alpha: float = 0.05,
    min_rows: int = MIN_ROWS,
) -> Verdict:
    """Whether the rows of one profile have drifted from those of the other, by kind.

    The profiles come from one reference (its own `profile`, and `TextBatch.log_to` of the other rows) or, both, from
    none. Sketches are off by a little: that counts as if there were fewer rows. Where labels show that class shares
    moved, the texts are not judged: what follows from the shares alone cannot be told apart.
    With fewer than `min_rows` rows, or texts that are not empty, the verdict is as that of `Reference.judge`.
    Raises InputError for profiles of different references and for files that cannot be read.

    >>> import pandas as pd
    >>> before, after = TextProfile(), TextProfile()
    >>> before.log(pd.DataFrame({"characters": range(100, 400)}))
    >>> after.log(pd.DataFrame({"characters": range(200, 500)}))
    >>> judge_profiles(before, after).kinds["covariate"].sentence
    'The texts are others: their length moved in 33.3% of the texts (characters).'
    """
    before, now = _read(reference_profile), _read(current_profile)
    for key, what in (("reference", "references"), ("encoder_sha256", "encoders")):
        one, other = getattr(before, key), getattr(now, key)
        if one != other:
            raise InputError(
                f"profiles of different {what} cannot be compared ({one or 'none'}, {other or 'none'}): "
                "profile both with the same reference"
            )
    if now.rows < min_rows:
        return not_enough_data(now.rows, min_rows, alpha)
    old, new = summarise(before), summarise(now)
    empty = round(new["empty"].mean * new["empty"].values) if "empty" in new else 0
    if now.rows - empty < min_rows:
        return too_few_filled(quality.judge_profiles(new, old), now.rows - empty, min_rows, now.rows, alpha)
    shares = prior.compare_labels(new, old)
    sure = shares.p_value is not None and shares.p_value * len(KINDS) <= alpha
    moved = sure and (shares.effect or 0) >= shares.min_effect
    return combine_evidence([kind.judge_profiles(new, old, moved) for kind in KINDS], now.rows, alpha)


def _read(profile: TextProfile | Path | str) -> TextProfile:
    return profile if isinstance(profile, TextProfile) else TextProfile.read(profile)
