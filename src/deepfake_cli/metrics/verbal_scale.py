"""Likelihood ratios in words: ENFSI's scale (Guideline for Evaluative Reporting in Forensic Science, 2015, table 2)."""

SCALE = (  # from this log10 ratio on
    (6.0, "extremely strong support"),
    (4.0, "very strong support"),
    (3.0, "strong support"),
    (2.0, "moderately strong support"),
    (1.0, "moderate support"),
)
NO_SUPPORT = "no support for either hypothesis"
WEAK = 2.0  # from this ratio on: the scale says nothing of ratios from 1 to 2


def words(log10: float) -> str:
    """The support of a likelihood ratio of at least 1, by its log10; `NO_SUPPORT` if the scale has no word for it."""
    found = next((text for least, text in SCALE if round(log10, 9) >= least), None)
    return found or ("weak support" if 10**log10 >= WEAK else NO_SUPPORT)
