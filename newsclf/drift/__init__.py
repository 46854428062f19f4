"""Whether text has changed: one file a kind of drift, one verdict."""

from newsclf.drift.batch import TextBatch
from newsclf.drift.evidence import ColumnEffect
from newsclf.drift.fitting import fit_reference
from newsclf.drift.profiles import judge_profiles
from newsclf.drift.reference import Reference
from newsclf.drift.storage import load as load_reference
from newsclf.drift.storage import save as save_reference
from newsclf.drift.storage import with_predictor
from newsclf.drift.verdict import Finding, Verdict

__all__ = [
    "ColumnEffect",
    "Finding",
    "Reference",
    "TextBatch",
    "Verdict",
    "fit_reference",
    "judge_profiles",
    "load_reference",
    "save_reference",
    "with_predictor",
]
