"""What the card of a detector says of a file, as columns of a CSV: likelihood ratio, and error rates in its condition."""

from typing import Any

from deepfake_cli.inference.condition import rounded
from deepfake_cli.inference.error_rates import ALL, Errors
from deepfake_cli.inference.support import Support

RATIO = ("log10_lr", "log10_lr_low", "log10_lr_high")
RATES = {"real": ("reals_called_fake", "reals_measured"), "fake": ("fakes_called_real", "fakes_measured")}
CARD_COLUMNS = (
    *RATIO,
    *(name for rate, files in RATES.values() for name in (rate, f"{rate}_low", f"{rate}_high", files)),
)


def card_columns(support: Support | None, errors: Errors | None) -> dict[str, Any]:
    """The columns of a file; None where the detector has no ratio, or no file like this one was measured.

    Args:
        support: the likelihood ratio of the score. Above 0, log10 of it supports fake.
        errors: error rates; those of the files that are like this one in all properties are shares in 0..1, with 95 % intervals
            over groups and the number of files measured.
    """
    found: dict[str, Any] = dict.fromkeys(CARD_COLUMNS)
    if support:
        found |= dict(zip(RATIO, map(rounded, support.ratio), strict=True))
    like = errors.slices[ALL] if errors else None
    if like is None:
        return found
    for label, (rate, files) in RATES.items():
        of = like[label]
        found[files] = of["files"]
        if of["files"]:
            found[rate] = rounded(of["wrong"]["count"] / of["files"])
            found |= {f"{rate}_{end}": of["wrong"].get(end) for end in ("low", "high")}
    return found
