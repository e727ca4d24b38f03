"""Images a second in training on one GPU, from memory and from files, against PyTorch in the same run. See README.md.

python benchmarks/gpu/steps.py --model resnet50 --batch-size 64 --peer eager
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1]))

import keras
import tensorflow as tf
from common import face_crops, machine, print_columns, verdict
from train import timed

from deepfake_cli.config import Train
from deepfake_cli.distributed import devices
from deepfake_cli.models import build_model
from deepfake_cli.training import input_pipeline, precision
from deepfake_cli.training.augmentation import Augmentation, augment_each_step
from deepfake_cli.training.optimizer import compiled
from deepfake_cli.training.scoring import image_size

PEER = Path(__file__).with_name("torch_steps.py")
LEAST = {"eager": 1.2, "compile": 0.9, "files": 0.95, "forged files": 0.85}


def main() -> None:
    """Measure, print a table."""
    options = arguments()
    plan = devices.choose(None, 0, False, devices.visible_gpus(), os.cpu_count() or 1)
    strategy = devices.open_strategy(plan)
    how = precision.choose(options.precision, options.xla, plan, precision.capability())
    print(f"{machine('tensorflow', 'keras')}\nDevice: {plan.reason}; {how.reason}\n")
    settings = Train(model=options.model, batch_size=options.batch_size, forgery=options.forgery)
    with tempfile.TemporaryDirectory(prefix="deepfake-steps-") as name:
        table = face_crops(options.viddir, Path(name))
        keras.config.set_dtype_policy(how.policy)
        with strategy.scope():
            model = compiled(build_model(options.model, image_size=None, weights=None), settings, xla=how.xla)
        keras.config.set_dtype_policy("float32")
        augment_each_step(model, Augmentation.from_settings(settings))
        files = input_pipeline.training_batches(
            table, image_size=image_size(model), batch_size=options.batch_size, steps=options.steps
        )
        memory = tf.data.Dataset.from_tensors(next(iter(files))).repeat().prefetch(tf.data.AUTOTUNE)
        timed(model, memory, 1)
        ours: dict[str, list[float]] = {"memory": [], "files": []}
        peer: dict[str, list[float]] = {"memory": [], "files": []}
        for _ in range(options.pairs):
            for source, batches in (("memory", memory), ("files", files)):
                ours[source].append(timed(model, batches, options.steps) * options.batch_size)
            if options.peer:
                for source, rate in of_peer(options, Path(name) / "img" / "manifest.csv", image_size(model)).items():
                    peer[source].append(rate)
    print_columns(rows(options, ours, peer))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viddir", type=Path, help="videos in UADFV's layout [default: the shipped clips]")
    parser.add_argument("--model", default="resnet50", help="architecture [%(default)s]")
    parser.add_argument("--batch-size", type=int, default=64, help="images a step [%(default)s]")
    parser.add_argument("--steps", type=int, default=40, help="steps that are timed [%(default)s]")
    parser.add_argument("--pairs", type=int, default=3, help="times that each is measured [%(default)s]")
    parser.add_argument("--precision", default="auto", help="as of deepfake train")
    parser.add_argument("--xla", default="auto", help="as of deepfake train")
    parser.add_argument("--forgery", help="as of deepfake train")
    parser.add_argument("--peer", choices=("eager", "compile"), help="PyTorch, in an environment that has it")
    parser.add_argument("--peer-python", default=sys.executable, help="its interpreter [this one]")
    return parser.parse_args()


def of_peer(options: argparse.Namespace, listed: Path, size: int) -> dict[str, float]:
    """Images a second of torch_steps.py."""
    words = [listed, options.model, options.batch_size, options.peer, "--image-size", size, "--steps", options.steps]
    command = [options.peer_python, PEER, *words]
    return json.loads(subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE, text=True).stdout)


def rows(
    options: argparse.Namespace, ours: dict[str, list[float]], peer: dict[str, list[float]]
) -> list[tuple[str, ...]]:
    """The table: medians, and the ratio of the medians."""
    what = f"{options.model}{f', {options.forgery}' if options.forgery else ''}, batch {options.batch_size}"
    of_files = "forged files" if options.forgery else "files"
    lines = [compared(f"{what}, from files", "from memory", ours["files"], ours["memory"], LEAST[of_files])]
    for source in peer if options.peer else ():
        lines.append(
            compared(
                f"{what}, from {source}", f"PyTorch {options.peer}", ours[source], peer[source], LEAST[options.peer]
            )
        )
    return [("what", "against", "ours, images/s", "theirs, images/s", "ratio", "target"), *lines]


def compared(what: str, against: str, ours: list[float], theirs: list[float], least: float) -> tuple[str, ...]:
    mine, other = statistics.median(ours), statistics.median(theirs)
    return (
        what,
        against,
        f"{mine:,.0f}",
        f"{other:,.0f}",
        f"{mine / other:.2f}",
        f">= {least}: {verdict(mine / other, least)}",
    )


if __name__ == "__main__":
    main()
