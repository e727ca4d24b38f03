"""Names and meanings of the metrics, for every table and page."""

from typing import NamedTuple


class Metric(NamedTuple):
    """Name of a metric, short enough for a table of 80 columns, and its meaning."""

    name: str
    meaning: str


FIGURES = {
    "auc": Metric("AUC", "how often a fake scores above a real; chance is 0.5"),
    "partial_auc": Metric("partial AUC", "AUC up to a false positive rate of 10 %, rescaled; chance is 0.5"),
    "average_precision": Metric(
        "avg. precision", "area under the precision-recall curve; chance is the share of fakes"
    ),
    "eer": Metric("EER", "equal error rate: false positive rate = false negative rate; lower is better"),
    "accuracy": Metric("accuracy", "share classified correctly at the threshold"),
    "balanced_accuracy": Metric("bal. accuracy", "mean of the accuracy on reals and on fakes"),
    "f1": Metric("F1", "harmonic mean of precision and recall at the threshold"),
    "tpr_at_fpr_0.1": Metric("TPR at 0.1 %", "true positive rate at a false positive rate of 0.1 %; needs 1,000 reals"),
    "tpr_at_fpr_1": Metric("TPR at 1 %", "true positive rate at a false positive rate of 1 %; needs 100 reals"),
    "tpr_at_fpr_5": Metric("TPR at 5 %", "true positive rate at a false positive rate of 5 %; needs 20 reals"),
    "brier": Metric("Brier score", "mean squared distance between score and label; lower is better"),
    "ece": Metric("ECE", "expected calibration error: distance of scores from the share of fakes; lower is better"),
    "log_loss": Metric("log loss", "cross-entropy of scores and labels, in nats; lower is better"),
}
CALIBRATION = ("ece", "brier", "log_loss")  # metrics of calibration
