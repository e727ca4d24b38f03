"""What --batch-size auto finds on this device, how long that takes, and what it gains. See README.md.

python benchmarks/gpu/batch.py --model resnet50 efficientnet_b4
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from common import machine, print_columns
from gpu_model import DEFAULT_BATCH, Device, from_memory, images_per_second, peak

from deepfake_cli.training import memory


def main() -> None:
    """Measure, print a table."""
    options = arguments()
    device = Device(options.precision)
    print(f"{machine('tensorflow', 'keras')}\nDevice: {device}\n")
    header = (
        "model",
        "batch found",
        "s to find it",
        "peak memory of a step, GB",
        f"images/s at {DEFAULT_BATCH}",
        "images/s",
    )
    rows = [header]
    for name in options.model:
        model = device.model(name, options.image_size)
        started = time.perf_counter()
        found = memory.chosen(model, device.plan, device.visible)
        seconds = time.perf_counter() - started
        rates = [
            images_per_second(model, from_memory(model, batch), batch, options.steps)
            for batch in (DEFAULT_BATCH, found)
        ]
        most = peak(device)
        memory_of_step = "" if most is None else f"{most:.1f}"
        rows.append((name, str(found), f"{seconds:.1f}", memory_of_step, *(f"{each:,.0f}" for each in rates)))
    print_columns(rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="+", default=["resnet50"], help="architectures [%(default)s]")
    parser.add_argument(
        "--image-size", type=int, help="side of the input, in pixels [default: that of the architecture]"
    )
    parser.add_argument("--steps", type=int, default=30, help="steps that are timed [%(default)s]")
    parser.add_argument("--precision", default="auto", help="as of deepfake train")
    return parser.parse_args()


if __name__ == "__main__":
    main()
