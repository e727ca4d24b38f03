"""Videos a second of `deepfake datasets verify`: quick, with --full, and again with its record. See README.md."""

import argparse
import tempfile
import time
from pathlib import Path

from common import machine, print_columns
from scale import made

from deepfake_cli.commands.verify import verify
from deepfake_cli.config import Verify


def main() -> None:
    """Measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=10, help="number of videos [%(default)s]")
    options = parser.parse_args()
    print(machine("av") + "\n")
    with tempfile.TemporaryDirectory(prefix="deepfake-verify-") as name:
        folder = made(Path(name) / "videos", options.videos)
        size = sum(path.stat().st_size for path in folder.rglob("*.mp4")) / options.videos / 1e6
        rates = {"quick": timed(folder, "quick"), "--full": timed(folder, "full", full=True)}
        rates["unchanged"] = timed(folder, "quick")
    print(f"{options.videos} videos of {size:.1f} MB, one worker\n")
    print_columns([("check", "videos a second"), *((what, f"{rate:,.1f}") for what, rate in rates.items())])


def timed(folder: Path, record: str, *, full: bool = False) -> float:
    """Videos a second."""
    settings = Verify(adapter="folder", folder=folder, workers=1, full=full, record=folder.with_name(f"{record}.csv"))
    start = time.perf_counter()
    result = verify(settings)
    assert result.ok, result.corrupt
    return sum(part.found for part in result.parts) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
