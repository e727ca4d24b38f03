"""Add to a verdict what the card of its detector says of such files."""

from deepfake_cli.inference.error_rates import Errors
from deepfake_cli.inference.recording import CHANGED
from deepfake_cli.inference.result import Verdict
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.inference.support import Support


def add_card(verdict: Verdict, traits: Traits, *, rated: bool) -> None:
    """Add the likelihood ratio of the score, and the error rates in the condition of the file, where the detector has them.

    Args:
        verdict: on a file whose largest face decided. Of one that changed while it was judged, nothing is said.
        traits: of the detector.
        rated: whether it was judged by the detector's own thresholds, for which its error rates hold.
    """
    if verdict.reason == CHANGED:
        return
    if traits.likelihood_ratio and verdict.score is not None:
        verdict.support = Support.of(traits.likelihood_ratio, verdict.score, verdict.condition)
    if traits.conditions and verdict.condition and rated:
        verdict.errors = Errors.of(traits.conditions, verdict.condition)
