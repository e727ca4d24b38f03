"""What figures are called, and what they mean, in one place for every table and page."""

from typing import NamedTuple


class Term(NamedTuple):
    """A figure's name, short enough for a table of 80 columns, and what it is."""

    name: str
    meaning: str


FIGURES = {
    "auc": Term("AUC", "how often a fake scores above a real; 0.5 is chance"),
    "partial_auc": Term("partial AUC", "AUC where at most 10 % of reals are called fake, rescaled: 0.5 is chance"),
    "average_precision": Term("avg. precision", "area under precision and recall; chance is the share of fakes"),
    "eer": Term("EER", "equal error rate: errors where as many reals as fakes are missed; less is better"),
    "accuracy": Term("accuracy", "share called right at the threshold"),
    "balanced_accuracy": Term("bal. accuracy", "mean of the shares of reals and of fakes called right"),
    "f1": Term("F1", "harmonic mean of precision and recall at the threshold"),
    "tpr_at_fpr_0.1": Term("TPR at 0.1 %", "share of fakes found where 0.1 % of reals are called fake"),
    "tpr_at_fpr_1": Term("TPR at 1 %", "share of fakes found where 1 % of reals are called fake"),
    "tpr_at_fpr_5": Term("TPR at 5 %", "share of fakes found where 5 % of reals are called fake"),
    "brier": Term("Brier score", "mean squared distance of score and truth; less is better"),
    "ece": Term("ECE", "expected calibration error: how far scores are from shares of fakes; less is better"),
    "log_loss": Term("log loss", "cost of the scores as probabilities, in nats; less is better"),
}
CALIBRATION = ("ece", "brier", "log_loss")  # those that say whether scores can be taken as probabilities
