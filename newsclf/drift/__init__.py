"""Whether text has changed: one file a kind of drift, one verdict."""

from newsclf.drift.reference import Reference, fit_reference
from newsclf.drift.verdict import Finding, Moved, Verdict

__all__ = ["Finding", "Moved", "Reference", "Verdict", "fit_reference"]
