"""What a report says in words: the figures, and what they do not say."""

from collections.abc import Mapping
from typing import Any

FEW = 10  # groups, below which intervals mean little
RARE = 0.01  # a share of fakes, for the example of how much a call means


def figure(found: Mapping[str, Any] | None) -> str:
    """A figure with its interval: ``0.986 (0.922–1.000)``; a dash if there is none."""
    if not found or found.get("value") is None:
        return "–"
    if found.get("low") is None or found.get("high") is None:
        return f"{found['value']:.3f}"
    return f"{found['value']:.3f} ({found['low']:.3f}–{found['high']:.3f})"


def count(number: int, noun: str) -> str:
    """``1 video``, ``1,200 videos``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def summary(metrics: Mapping[str, Any]) -> list[str]:
    """The findings, a sentence or two each."""
    video, frame = metrics["video"], metrics["frame"]
    auc, interval = video["auc"], metrics["interval"]
    lines = [
        f"Of {count(video['n'], 'video')} ({video['real']:,} real, {video['fake']:,} fake; {count(frame['n'], 'frame')}), "
        f"the detector ranks fakes above reals with an AUC of {_value(auc)}{_interval(auc, interval)}."
    ]
    if auc["value"] is not None:
        lines.append(
            f"That is: of a real and a fake video drawn from these, the fake has the higher score in about "
            f"{100 * auc['value']:.0f} of 100 cases; a coin reaches 50."
        )
    confused = video["confusion"]
    right = confused["real_as_real"] + confused["fake_as_fake"]
    lines.append(
        f"At the threshold {metrics['threshold']:.3f} it calls {right:,} of {count(video['n'], 'video')} right: "
        f"{confused['real_as_fake']:,} of {video['real']:,} reals are called fake, "
        f"{confused['fake_as_real']:,} of {video['fake']:,} fakes are called real."
    )
    lines.append(f"Frame by frame, the AUC is {_value(frame['auc'])}{_ends(frame['auc'], interval)}.")
    return lines


def limits(metrics: Mapping[str, Any]) -> list[str]:
    """What the figures do not say."""
    lines = [
        "It does not say how the detector does on other people, other forgeries or other compression than in these lists."
    ]
    lines += [
        "It does not say how likely one given video is fake: a score is no probability, and how much a call means depends on "
        f"how rare fakes are. {_example(metrics)}"
    ]
    low, high = (metrics["video"]["auc"].get(end) for end in ("low", "high"))
    if low is not None and high < 0.5:
        lines.append("It does not show a detector that works: the AUC is below chance, with its whole interval.")
    elif low is not None and low <= 0.5:
        lines.append("It does not show that the detector is better than chance: the interval holds an AUC of 0.5.")
    units, unit = metrics["interval"]["units"], metrics["interval"]["unit"]
    if units < FEW:
        lines.append(f"From {count(units, unit)}, an interval says little of how other {unit}s would do.")
    return lines


def _example(metrics: Mapping[str, Any]) -> str:
    """How many calls of fake would be right if fakes were rare; or how many errors a count of none leaves open."""
    video = metrics["video"]
    wrong, reals = video["confusion"]["real_as_fake"], video["real"]
    if not reals or not video["fake"]:
        return ""
    if not wrong:  # the exact (Clopper-Pearson) upper end, one-sided, of no error among so many
        return (
            f"None of {count(reals, 'real')} was called fake; up to {100 * (1 - 0.05 ** (1 / reals)):.0f} % of all reals still "
            "may be, if these were independent (95 % upper bound)."
        )
    hits, alarms = RARE * video["confusion"]["fake_as_fake"] / video["fake"], (1 - RARE) * wrong / reals
    return (
        f"If {RARE:.0%} of videos were fake and all else as here, {100 * hits / (hits + alarms):.0f} of 100 videos called "
        "fake would be fake."
    )


def _value(found: Mapping[str, Any]) -> str:
    return "unknown" if found["value"] is None else f"{found['value']:.3f}"


def _interval(found: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """The interval and where it comes from; or that there is none."""
    if found.get("low") is None:
        return " (without an interval)"
    return (
        f"{_ends(found, about)[:-1]}, from {about['resamples']:,} resamples of {count(about['units'], about['unit'])})"
    )


def _ends(found: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    if found.get("low") is None:
        return ""
    return f" ({about['level']:.0%} interval {found['low']:.3f} to {found['high']:.3f})".replace("%", " %")
