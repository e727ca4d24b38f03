"""Speed of `deepfake split --cluster` against processes of one machine. See README.md."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common import Row, machine, print_table, row
from split import Span, fresh, ours, scaled

from deepfake_cli.commands.split import split
from deepfake_cli.config import Split

NODES = 2
LEAST_SAME, LEAST_TWICE = 0.9, 1.8


def main() -> None:
    """Measure, print a table."""
    options = arguments()
    print(machine("ray", "opencv-python-headless", "onnxruntime") + "\n")
    with tempfile.TemporaryDirectory(prefix="deepfake-cluster-") as name:
        print_table(compared(scaled(Path(name) / "videos", options.videos), Path(name), options.pairs), "frames/s")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=24, help="made of the shipped clips [%(default)s]")
    parser.add_argument("--pairs", type=int, default=3, help="times that each is measured [%(default)s]")
    return parser.parse_args()


def compared(viddir: Path, folder: Path, pairs: int) -> list[Row]:
    """Face crops by processes of this machine and by nodes of a cluster, turn about."""
    rates: dict[str, list[float]] = {}
    for number in range(pairs + 1):  # the first round warms the file cache up
        for count in range(1, NODES + 1):
            local = fresh(folder, lambda out, count=count: ours(viddir, out, "face", count))  # type: ignore[misc]
            with nodes(count) as address:
                there = fresh(folder, lambda out, address=address: on_ray(viddir, out, address))  # type: ignore[misc]
            if number:
                rates.setdefault(f"local {count}", []).append(local.rate)
                rates.setdefault(f"ray {count}", []).append(there.rate)
    frames = f"{there.frames:,} frames"
    return [
        row(f"1 node ({frames})", "1 process of split", rates["local 1"], rates["ray 1"], LEAST_SAME),
        row("2 nodes", "2 processes of split", rates["local 2"], rates["ray 2"], LEAST_SAME),
        row("2 nodes", "1 node", rates["ray 1"], rates["ray 2"], LEAST_TWICE),
        row("2 processes of split", "1 process", rates["local 1"], rates["local 2"]),
    ]


@contextmanager
def nodes(count: int) -> Iterator[str]:
    """So many nodes of one core each on this machine, as processes of their own; their address."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    small = {"num_cpus": 1, "object_store_memory": 100_000_000}
    cluster = Cluster(initialize_head=True, head_node_args=small | {"include_dashboard": False})
    try:
        for _ in range(count - 1):
            cluster.add_node(**small)
        cluster.wait_for_nodes()
        yield cluster.address
    finally:
        cluster.shutdown()


def on_ray(viddir: Path, out: Path, address: str) -> Span:
    """The package's function, as the command calls it; connecting and the start of the nodes' workers are in its time."""
    started = time.perf_counter()
    result = split(Split(adapter="uadfv", viddir=viddir, imgdir=out, cluster=address))
    if result.failed:
        sys.exit(f"{result.failed[0].video}: {result.failed[0].error}")
    return Span(sum(len(video.rows) for video in result.videos), started, time.perf_counter())


if __name__ == "__main__":
    main()
