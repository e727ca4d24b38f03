"""The text of a report: findings, limits, and how numbers are written."""

from collections.abc import Mapping
from typing import Any

from deepfake_cli.metrics.few import no_interval

RARE = 0.01  # share of fakes in the example of precision


def figure(metric: Mapping[str, Any] | None) -> str:
    """A metric with its interval: ``0.986 (0.922–1.000)``; a dash if there is none."""
    if not metric or metric.get("value") is None:
        return "–"
    if metric.get("low") is None or metric.get("high") is None:
        return f"{metric['value']:.3f}"
    return f"{metric['value']:.3f} ({metric['low']:.3f}–{metric['high']:.3f})"


def count(number: int, noun: str) -> str:
    """``1 video``, ``1,200 videos``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def summary(metrics: Mapping[str, Any]) -> list[str]:
    """Findings, one or two sentences each."""
    video, frame = metrics["video"], metrics["frame"]
    auc, interval = video["auc"], metrics["interval"]
    lines = [
        f"Video AUC {_value(auc)}{_interval(auc, interval)}, on {count(video['n'], 'video')} ({video['real']:,} real, "
        f"{video['fake']:,} fake; {count(frame['n'], 'frame')})."
    ]
    if auc["value"] is not None:
        lines.append(
            f"A fake video scores above a real one in about {100 * auc['value']:.0f} of 100 random pairs. Chance is 50."
        )
    confused = video["confusion"]
    correct = confused["real_as_real"] + confused["fake_as_fake"]
    lines.append(
        f"At threshold {metrics['threshold']:.3f}, {correct:,} of {count(video['n'], 'video')} are classified correctly. "
        f"{confused['real_as_fake']:,} of {video['real']:,} reals are called fake, "
        f"{confused['fake_as_real']:,} of {video['fake']:,} fakes are called real."
    )
    lines.append(f"Frame AUC {_value(frame['auc'])}{_ends(frame['auc'], interval)}.")
    return lines


def limits(metrics: Mapping[str, Any]) -> list[str]:
    """What the metrics do not show."""
    lines = [
        "The metrics hold for these lists. Other people, forgeries or compression can give other results.",
        "A score is not the probability that one video is fake. How often a call of fake is right depends on how rare fakes "
        f"are. {_example(metrics)}".rstrip(),
    ]
    low, high = (metrics["video"]["auc"].get(end) for end in ("low", "high"))
    if low is not None and high < 0.5:
        lines.append("The AUC is below chance: its whole interval is below 0.5.")
    elif low is not None and low <= 0.5:
        lines.append("The AUC is not significantly better than chance: its interval includes 0.5.")
    return [*lines, *filter(None, [no_interval(metrics["interval"]["units"], metrics["interval"]["unit"])])]


def _example(metrics: Mapping[str, Any]) -> str:
    """The precision if fakes were rare; without false positives, an upper bound of their rate."""
    video = metrics["video"]
    wrong, reals = video["confusion"]["real_as_fake"], video["real"]
    if not reals or not video["fake"]:
        return ""
    if not wrong:  # exact (Clopper-Pearson) one-sided upper bound for no error among so many
        return (
            f"None of {count(reals, 'real')} was called fake; the false positive rate may still be up to "
            f"{100 * (1 - 0.05 ** (1 / reals)):.0f} % (95 % upper bound for independent videos)."
        )
    hits, alarms = RARE * video["confusion"]["fake_as_fake"] / video["fake"], (1 - RARE) * wrong / reals
    return (
        f"If {100 * RARE:.0f} % of videos were fake, {100 * hits / (hits + alarms):.0f} of 100 videos called fake would be "
        "fake."
    )


def _value(metric: Mapping[str, Any]) -> str:
    return "unknown" if metric["value"] is None else f"{metric['value']:.3f}"


def _interval(metric: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """The interval and what it was resampled from."""
    if metric.get("low") is None:
        return " (no interval)"
    return f"{_ends(metric, about)[:-1]}, {about['resamples']:,} resamples of {count(about['units'], about['unit'])})"


def _ends(metric: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    if metric.get("low") is None:
        return ""
    return f" ({100 * about['level']:.0f} % interval {metric['low']:.3f}–{metric['high']:.3f})"
