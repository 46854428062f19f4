"""A model beside the linear classifier of words that has learnt from the same rows: which is better, and how surely."""

from dataclasses import dataclass

import numpy as np

from newsclf.evaluation.scores import accuracy, macro_f1
from newsclf.stats.paired import mcnemar_p

ALPHA = 0.05


@dataclass(frozen=True)
class BesideBaseline:
    """Scores on the same test rows. p: McNemar's, that both err equally often."""

    model: float
    accuracy: float
    macro_f1: float
    p: float

    @classmethod
    def of(cls, labels: np.ndarray, model: np.ndarray, baseline: np.ndarray) -> "BesideBaseline":
        """labels, model, baseline: [rows] class indices, of the test rows and of what each predicts."""
        return cls(
            accuracy(labels, model),
            accuracy(labels, baseline),
            macro_f1(labels, baseline),
            mcnemar_p(labels, model, baseline),
        )

    @property
    def metrics(self) -> dict[str, float]:
        return {"baseline_accuracy": self.accuracy, "baseline_macro_f1": self.macro_f1, "baseline_mcnemar_p": self.p}

    def __str__(self) -> str:
        """For people.

        >>> print(BesideBaseline(0.91, 0.9, 0.89, 0.2))
        linear baseline: accuracy 0.9000, macro-F1 0.8900; the model's accuracy is higher by 0.0100 (McNemar's p 0.2)
        """
        difference = self.model - self.accuracy
        which = "the same" if difference == 0 else f"{'higher' if difference > 0 else 'lower'} by {abs(difference):.4f}"
        return (
            f"linear baseline: accuracy {self.accuracy:.4f}, macro-F1 {self.macro_f1:.4f}; the model's accuracy is "
            f"{which} (McNemar's p {self.p:.3g})"
        )

    def concerns(self) -> list[str]:
        """One sentence where the model is worse, and that is no chance."""
        if self.model >= self.accuracy or self.p >= ALPHA:
            return []
        return [
            f"accuracy {self.model:.4f} is below the {self.accuracy:.4f} of a linear classifier of words on the same "
            f"rows (McNemar's p {self.p:.2g}): fusion=linear, more epochs or more trainable_layers may do better"
        ]
