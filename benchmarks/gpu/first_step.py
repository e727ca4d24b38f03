"""When each part of a training on this device begins, in two processes: the second finds the kernels compiled. See README.md."""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BEGAN = time.perf_counter()
sys.path.insert(0, str(Path(__file__).parents[1]))
TARGETS = {"begun to the first step": 15.0, "the last epoch to the end": 15.0}  # seconds, in the second process


def main() -> None:
    """Measure, print a table."""
    options = arguments()
    if options.csv:
        one_training(options)
        return
    from common import face_crops, machine, print_columns, verdict

    print(machine("tensorflow", "keras") + "\n")
    with tempfile.TemporaryDirectory(prefix="deepfake-first-step-") as name:
        folder = Path(name)
        face_crops(options.viddir, folder)
        rows = [("process", "what", "seconds", "target")]
        for process in ("first", "second"):
            command = [
                sys.executable,
                __file__,
                "--csv",
                folder / "img" / "manifest.csv",
                "--runs-dir",
                folder / process,
            ]
            words = [*command, "--model", options.model, "--batch-size", options.batch_size]
            found = subprocess.run([*map(str, words)], check=True, stdout=subprocess.PIPE, text=True).stdout
            for line in found.splitlines():
                print(process, line, file=sys.stderr, flush=True)
                what, seconds = line.rsplit("\t", 1)
                target = TARGETS.get(what) if process == "second" else None
                rows.append(
                    (process, what, seconds, f"<= {target:g}: {verdict(-float(seconds), -target)}" if target else "")
                )
        print_columns(rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viddir", type=Path, help="videos in UADFV's layout [default: the shipped clips]")
    parser.add_argument("--model", default="efficientnet_lite0", help="architecture [%(default)s]")
    parser.add_argument("--batch-size", type=int, default=16, help="images a step [%(default)s]")
    parser.add_argument("--csv", type=Path, help=argparse.SUPPRESS)  # in a process of its own
    parser.add_argument("--runs-dir", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def one_training(options: argparse.Namespace) -> None:
    """Train two epochs; print how long each part took."""
    from deepfake_cli.commands.train import train
    from deepfake_cli.config import Train
    from deepfake_cli.training.events import Begun, Ended, Event, Stepped

    times: dict[str, list[float]] = {}

    def progress(event: Event) -> None:
        times.setdefault(type(event).__name__, []).append(time.perf_counter())

    train(
        Train(
            train_csv=[options.csv],
            val_annotations=options.csv,
            allow_leakage=True,
            model=options.model,
            batch_size=options.batch_size,
            imagenet_weights=options.model == "efficientnet_lite0",
            epochs=2,
            runs_dir=options.runs_dir,
        ),
        progress,
    )
    begun, steps, epochs = (times[event.__name__] for event in (Begun, Stepped, Ended))
    for what, seconds in {
        "start of the process to begun": begun[0] - BEGAN,
        "begun to the first step": steps[0] - begun[0],
        "the first step to the end of its epoch": epochs[0] - steps[0],
        "the second epoch": epochs[1] - epochs[0],
        "the last epoch to the end": time.perf_counter() - epochs[1],
    }.items():
        print(f"{what}\t{seconds:.1f}")


if __name__ == "__main__":
    main()
