"""Start time and loaded modules of commands, against another source tree. See README.md."""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import machine, print_columns

CLIP = Path(__file__).parents[1] / "src" / "deepfake_cli" / "assets" / "man_a.mp4"
COMMANDS = (["--help"], ["split", "--help"], ["datasets"], ["predict", str(CLIP)], ["doctor"])
LOADED = {"the command": ["deepfake_cli.cli"], "split": ["deepfake_cli.commands.split", "deepfake_cli.steps.split"]}
HERE = Path(__file__).parents[1] / "src"


def main() -> None:
    """Measure, print tables."""
    options = arguments()
    print(machine("typer", "pydantic") + "\n")
    with tempfile.TemporaryDirectory(prefix="deepfake-startup-") as name:
        before, now = (
            compiled(tree, Path(name) / tree_name) for tree_name, tree in (("b", options.before), ("n", HERE))
        )
        rows = [("command", "before, s", "now, s", "ratio")]
        for words in COMMANDS:
            times = [(started(before, words), started(now, words)) for _ in range(options.pairs + 1)][1:]
            medians = [statistics.median(each) for each in zip(*times, strict=True)]
            rows.append(
                (
                    " ".join(words).replace(str(CLIP), CLIP.name),
                    *(f"{each:.3f}" for each in medians),
                    f"{medians[1] / medians[0]:.2f}",
                )
            )
        print_columns(rows)
        for what, names in LOADED.items():
            then, since = loaded(before, names), loaded(now, names)
            print(
                f"\n{what} loads {len(since)} modules, {len(then)} before; new: {', '.join(sorted(since - then)) or 'none'}"
            )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, required=True, help="the src folder of another checkout")
    parser.add_argument("--pairs", type=int, default=40, help="times that each is measured [%(default)s]")
    return parser.parse_args()


def compiled(tree: Path, copy: Path) -> Path:
    """A copy with byte code, as an installed package has it."""
    shutil.copytree(tree, copy)
    subprocess.run([sys.executable, "-m", "compileall", "-q", copy], check=True)
    return copy


def started(tree: Path, words: list[str]) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "deepfake_cli", *words]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(tree)}, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def loaded(tree: Path, names: list[str]) -> set[str]:
    """The modules that a process has loaded after it imported one, called by the first of these names that the tree has."""
    module = next(name for name in names if any(tree.glob(f"{name.replace('.', '/')}*")))
    code = f"import sys, {module}; print(*sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(tree)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


if __name__ == "__main__":
    main()
