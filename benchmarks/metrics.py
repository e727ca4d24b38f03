"""Time of all metrics, levels and slices of a million predictions with 1,000 resamples. See README.md."""

import argparse
import sys
import time

import numpy as np
import pandas as pd
from common import machine, print_columns, verdict

from deepfake_cli.metrics.assess import assess

LIMIT = 20  # seconds, on two cores that do nothing else


def main() -> None:
    """Measure both kinds of interval, with and without slices, print a table."""
    options = arguments()
    print(machine("numpy", "scipy", "pandas"), "\n", sep="")
    table = predictions(options.rows, options.groups, options.videos)
    plain = table.assign(dataset="one").drop(columns=["method", "quality"])
    kinds = [("no slices", plain, "percentile"), ("7 slices", table, "percentile"), ("7 slices", table, "bca")]
    rows = [("what", "interval", "seconds", "CPU seconds", "limit, s")]
    worst = 0.0
    for name, frames, interval in kinds:
        wall, cpu = timed(frames, options.resamples, interval)
        worst = max(worst, wall)
        what = f"{options.rows:,} frames, {options.resamples:,} resamples, {name}"
        rows.append((what, interval, f"{wall:.1f}", f"{cpu:.1f}", f"{LIMIT}: {verdict(-wall, -LIMIT)}"))
    print_columns(rows)
    sys.exit(worst > LIMIT)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="predictions [%(default)s]")
    parser.add_argument("--videos", type=int, default=10_000, help="videos [%(default)s]")
    parser.add_argument("--groups", type=int, default=500, help="groups, which are resampled [%(default)s]")
    parser.add_argument("--resamples", type=int, default=1_000, help="of all levels [%(default)s]")
    return parser.parse_args()


def predictions(rows: int, groups: int, videos: int) -> pd.DataFrame:
    """Scores without ties: two data sets and qualities, three methods, as many reals as fakes."""
    video, group = (np.arange(rows) * number // rows for number in (videos, groups))
    label = video % 2
    score = 1 / (1 + np.exp(-np.random.default_rng(0).normal(label - 0.5, 1.0)))
    columns = {
        "dataset": (group % 2, ["a", "b"]),
        "video": (video, [f"v{number}" for number in range(videos)]),
        "group": (group, [f"g{number}" for number in range(groups)]),
        "method": (np.where(label, 1 + group % 3, 0), ["", "swap", "warp", "blend"]),
        "quality": (group // 2 % 2, ["c23", "c40"]),
    }
    named = {name: pd.Categorical.from_codes(codes, values) for name, (codes, values) in columns.items()}
    return pd.DataFrame(named | {"label": label, "score": score})


def timed(frames: pd.DataFrame, resamples: int, interval: str) -> tuple[float, float]:
    """Seconds by the clock, and of both cores together."""
    wall, cpu = time.perf_counter(), time.process_time()
    assess(frames, 0.5, resamples, interval=interval)
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
