"""Published detectors at full size, with made weights: time, memory and size of the import, time and memory of a crop.

Run it from the root of the repository: ``PYTHONPATH=. python benchmarks/families.py``. The weights are made from the names of the
tensors, as in the tests, so scores mean nothing; time, memory and size are those of the published files. See README.md.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from common import machine, print_columns
from safetensors.numpy import save_file
from tests.models.reference.numbers import state

REFERENCE = Path(__file__).parents[1] / "tests" / "models" / "reference" / "reference.json"
SPEED = Path(__file__).with_name("detectors.py")
HEAD = (
    "network",
    "import CPU s",
    "peak GB",
    "difference",
    "MB",
    "compact",
    "CPU ms per crop",
    "compact",
    "peak MB",
    "compact",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="cases of reference.json [default: the full-size ones]")
    parser.add_argument("--keep", type=Path, help="folder for the exported detectors")
    options = parser.parse_args()
    cases = json.loads(REFERENCE.read_text())
    print(machine("onnxruntime", "tensorflow", "keras"), "\n")
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for name in options.names or [name for name in cases if name.endswith("full")]:
            rows.append((name, *measured(cases[name], Path(scratch) / f"{name}.safetensors", folder / name)))
            print_columns([HEAD, *rows[-1:]])
    print()
    print_columns([HEAD, *rows])


def measured(case: dict, checkpoint: Path, output: Path) -> tuple[str, ...]:
    """A row: the import in a process of its own, then the speed of both files in one each."""
    save_file(state(case["shapes"], case["gain"]), checkpoint)
    imports, speeds, sizes = [], [], []
    for compact in (False, True):
        exported = output.with_name(f"{output.name}{'_compact' * compact}.onnx")
        words = [
            "export",
            checkpoint,
            "--from",
            case["family"],
            "--output",
            exported,
            "--json",
            *["--compact"] * compact,
        ]
        said, used = run("-m", "deepfake_cli", *words)
        imports.append((used.ru_utime + used.ru_stime, used.ru_maxrss / 1024**2, said["difference"]))
        sizes.append(exported.stat().st_size / 1e6)
        speeds.append(run(SPEED, ".", exported, "--speed")[0])
    checkpoint.unlink()
    seconds, peak, difference = imports[0]
    whole = (f"{seconds:.0f}", f"{peak:.1f}", f"{difference:.0e}", *(f"{size:.3g}" for size in sizes))
    return (*whole, *(f"{each['ms']:.3g}" for each in speeds), *(f"{each['peak']:.0f}" for each in speeds))


def run(*words: object) -> tuple[dict, resource.struct_rusage]:
    """The JSON that a process prints, and what it used."""
    started = subprocess.Popen([sys.executable, *map(str, words)], stdout=subprocess.PIPE, text=True)
    said = started.stdout.read()
    _, status, used = os.wait4(started.pid, 0)
    if status:
        raise SystemExit(f"failed: {words}")
    return json.loads(said), used


if __name__ == "__main__":
    main()
