"""Run the commands on mutated videos, images, lists, configs, recipes and models. See README.md."""

import argparse
import contextlib
import os
import random
import re
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
from common import machine, print_columns, samples
from mutations import BYTES, JSON, KERAS, ONNX, TEXT, Mutation, mutate

sys.path.append(str(Path(__file__).parents[1]))

from tests import processes  # a warm process forks each command

VIDEOS = (".mp4", ".mkv", ".avi", ".ogv", ".ts", ".gif")
TINY = "--model meso4 --image-size 32 --batch-size 4 --epochs 1 --steps 1"
TRAIN = f"{TINY} --val-annotations csv/val/validation.csv --run new"
ONNX_RUN, KERAS_RUN = "runs/tiny/best.onnx", "runs/tiny/best.keras"
WAIT = 10  # times the limit of processor time: a command that waits for ever, or a busy machine
READY = "ready"  # written last
FAULTS = ("traceback", "exit status", "hang", "memory", "left over", "no word")


@dataclass(frozen=True)
class Kind:
    """Files to mutate, by a pattern below the project; how; and the commands that read them as ``{file}``."""

    files: tuple[str, ...]
    mutations: tuple[Mutation, ...]
    commands: tuple[str, ...]


MEDIA = (
    "predict media --max-frames 3 --csv out.csv --frames-csv frames.csv",
    "predict {file} --max-frames 3 --report page.html --json",
    "split folder --viddir media --imgdir out --max-frames 3 --size 64",
)
LIST_READERS = (
    "evaluate {file} " + ONNX_RUN + " --output out --overwrite --resamples 10",
    "train {file} " + TRAIN,
    "audit {file} --output out --workers 1",
)
ONNX_READERS = (
    "predict media --max-frames 2 --detector " + ONNX_RUN,
    "evaluate csv/val/validation.csv " + ONNX_RUN + " --output out --overwrite --resamples 10 --no-report",
)
KERAS_READERS = (
    "evaluate csv/val/validation.csv " + KERAS_RUN + " --output out --overwrite --resamples 10 --no-report",
    "export " + KERAS_RUN + " --output out.onnx",
    "calibrate csv/val/validation.csv " + KERAS_RUN,
    "train csv/train/train.csv --snapshot " + KERAS_RUN + " " + TRAIN,
)
KINDS = {
    "video": Kind(tuple(f"odd/*{suffix}" for suffix in VIDEOS), BYTES, MEDIA),
    "image": Kind(("odd/*",), BYTES, MEDIA),
    "crop": Kind(("img/*/*/*",), BYTES, tuple(each.format(file="img/manifest.csv") for each in LIST_READERS)),
    "list": Kind(
        ("img/manifest.csv", "csv/*/*.csv"),
        TEXT,
        (
            *LIST_READERS,
            "make-csv uadfv --csvdir out",
            "make-csv uadfv --check",
            "split uadfv --viddir raw --every 8 --size 64",
            "predict {file}",
        ),
    ),
    "scores": Kind(
        ("evaluation/predictions.csv",),
        TEXT,
        (
            "evaluate --predictions {file} --output out --overwrite --resamples 10",
            "compare {file} img/manifest.csv --resamples 10",
            "compare {file} {file} --resamples 10 --output out",
            "calibrate {file} --output out",
        ),
    ),
    "config": Kind(
        ("*.toml", "*.ini"),
        TEXT,
        (
            f"train --config {{file}} {TRAIN}",
            "evaluate --config {file} --output out --overwrite --resamples 10 --runtime onnx",
            "split --config {file} --viddir raw --imgdir out --max-frames 2 --workers 1",
            "config show train --config {file}",
            "predict media --config {file} --max-frames 2",
        ),
    ),
    "recipe": Kind(
        ("runs/*/recipe.json",),
        JSON,
        ("runs", "runs --json", "train --resume half", "train --resume last", *ONNX_READERS, *KERAS_READERS),
    ),
    "other JSON": Kind(
        ("csv/protocol.json", "evaluation/metrics.json"),
        JSON,
        ("make-csv uadfv --check", f"train csv/train/train.csv {TRAIN}", "report evaluation", "make-csv uadfv"),
    ),
    "onnx": Kind((ONNX_RUN,), ONNX, ONNX_READERS),
    "keras": Kind((KERAS_RUN,), KERAS, KERAS_READERS),
}


@dataclass(frozen=True)
class Outcome:
    """How a case ended: its kind, what was done, the exit status, the faults, what was printed on stderr, and files left."""

    number: int
    kind: str
    what: str
    status: int
    faults: tuple[str, ...]
    seconds: float
    errors: str
    left: tuple[str, ...]


def main() -> None:
    """Make the sources, run the cases, print each fault and a table."""
    options = arguments()
    print(machine("tensorflow", "keras", "onnxruntime", "av") + "\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="deepfake-fuzz-") as name:
        project = options.sources or Path(name) / "project"
        if not (project / READY).exists():
            make_project(project)
        processes.run("--version", cwd=project)  # starts the warm process, before the threads share it
        kinds = [*KINDS]
        wanted = (number for number in range(options.count) if kinds[number % len(kinds)] in (options.kind or kinds))
        numbers = options.only or wanted
        with ThreadPoolExecutor(options.workers) as pool:
            outcomes = []
            for outcome in pool.map(lambda number: case(number, project, Path(name), options), numbers):
                outcomes.append(outcome)
                if outcome.faults or options.only:
                    print(told(outcome), flush=True)
    print_table(outcomes)
    print(f"\nseed {options.seed}; slowest case {max(each.seconds for each in outcomes):.0f} s")
    sys.exit(any(outcome.faults for outcome in outcomes))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int, nargs="?", default=0, help="random seed [%(default)s]")
    parser.add_argument("count", type=int, nargs="?", default=500, help="number of cases [%(default)s]")
    parser.add_argument("--only", type=int, nargs="+", help="run only these cases, and print what they say")
    parser.add_argument("--kind", choices=KINDS, nargs="+", help="run only the cases of these kinds")
    parser.add_argument("--sources", type=Path, help="make the files to mutate here, or use those that are here")
    parser.add_argument("--keep", type=Path, help="keep the folder of each case with a fault, or of --only, here")
    parser.add_argument(
        "--seconds",
        type=float,
        default=60,
        help="limit of a command's processor time [%(default)s]",
    )
    parser.add_argument("--memory", type=float, default=4, help="memory limit of a command, in GB [%(default)s]")
    parser.add_argument("--workers", type=int, default=2, help="commands at a time [%(default)s]")
    return parser.parse_args()


def make_project(folder: Path) -> None:
    """A data set, lists, a finished and an interrupted run, an evaluation, configs, and files of tests/odd."""
    from tests.odd.corpus import MEDIA as ODD

    from deepfake_cli.config import template

    samples(folder / "raw")
    words = (
        "split uadfv --viddir raw --every 12 --size 64",
        "make-csv uadfv --ratio 0.4 --test-ratio 0.3",
        f"train {TRAIN} --run tiny",
        f"evaluate csv/val/validation.csv {ONNX_RUN} --output evaluation --resamples 10",
    )
    for each in words:
        processes.run(*each.split(), cwd=folder)
    shutil.copytree(folder / "runs/tiny", folder / "runs/half")
    recipe = folder / "runs/half/recipe.json"
    recipe.write_text(recipe.read_text().replace('"epochs": 1', '"epochs": 2'))
    (folder / "media/real").mkdir(parents=True)
    shutil.copyfile(folder / "raw/real/0000.mp4", folder / "media/real/good.mp4")
    (folder / "all.toml").write_text(template())
    for name in ("quickstart.toml", "timit.ini"):
        shutil.copyfile(Path(__file__).parents[1] / "configs" / name, folder / name)
    (folder / "odd").mkdir()
    for name, row in ODD.items():
        if not name.startswith("huge"):
            with contextlib.suppress(Exception):  # an encoder that is not here
                row.make(folder / "odd" / name)
    (folder / READY).touch()


def case(number: int, project: Path, root: Path, options: argparse.Namespace) -> Outcome:
    """Mutate one file in a copy of the project and run one command that reads it."""
    rng = random.Random(f"{options.seed} {number}")
    name = list(KINDS)[number % len(KINDS)]
    kind = KINDS[name]
    folder = root / f"case-{number}"
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("odd"))
    found = sorted(path for pattern in kind.files for path in project.glob(pattern))
    if name == "image":
        found = [path for path in found if path.suffix not in VIDEOS]
    source = rng.choice(found)
    target = folder / source.relative_to(project)
    if source.parent.name == "odd":
        target = folder / "media/real" / source.name
    data, mutations = mutate(source.read_bytes(), kind.mutations, rng)
    target.write_bytes(data)
    words = rng.choice(kind.commands).format(file=target.relative_to(folder))
    (folder / "tmp").mkdir()
    began = time.monotonic()
    process = processes.start(*words.split(), cwd=folder, TMPDIR=str(folder / "tmp"))
    stopped = watch(process, options)
    out, errors = process.communicate()
    seconds = time.monotonic() - began
    left = tuple(left_over(folder))
    faults = (*stopped, *found_faults(process.returncode, out + errors, stopped, left))
    if options.keep and (faults or options.only):
        shutil.copytree(folder, options.keep / f"{options.seed}-{number}", dirs_exist_ok=True)
    shutil.rmtree(folder)
    what = f"{source.relative_to(project)}: {mutations}; deepfake {words}"
    return Outcome(number, name, what, process.returncode, faults, seconds, errors, left)


def watch(process, options: argparse.Namespace) -> list[str]:
    """Kill a command that is above its limits; the list gets the reason, before the command is gone."""
    stopped: list[str] = []

    def look() -> None:
        end = time.monotonic() + WAIT * options.seconds
        with contextlib.suppress(psutil.NoSuchProcess):
            whole = psutil.Process(process.pid)
            while whole.status() != psutil.STATUS_ZOMBIE:
                family = [whole, *whole.children(recursive=True)]
                if sum(each.memory_info().rss for each in family) > options.memory * 1e9:
                    stopped.append("memory")
                elif sum(map(busy, family)) > options.seconds or time.monotonic() > end:
                    stopped.append("hang")
                if stopped:
                    for each in family:
                        with contextlib.suppress(psutil.NoSuchProcess):
                            each.kill()
                    return
                time.sleep(0.1)

    threading.Thread(target=look, daemon=True).start()
    return stopped


def busy(process: psutil.Process) -> float:
    """Seconds of processor time of a process and of its children that have ended."""
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def left_over(folder: Path) -> Iterator[str]:
    """Temporary files that a command did not remove."""
    for path in folder.rglob("*"):
        if path.parent == folder / "tmp" or ".partial" in path.name:
            yield path.relative_to(folder).as_posix()


def found_faults(status: int, text: str, stopped: list[str], left: tuple[str, ...]) -> Iterator[str]:
    """What is wrong with the end of a command."""
    if stopped:
        return
    if "Traceback (most recent call last)" in text:
        yield "traceback"
    if status not in (0, 1, 2):
        yield "exit status"
    if status and not text.strip():
        yield "no word"
    if left:
        yield "left over"


def told(outcome: Outcome) -> str:
    """A case in two lines: what was done, and the last line of stderr, after the last line of ours in a traceback."""
    last = (outcome.errors.strip().splitlines() or [""])[-1]
    places = re.findall(r'/(deepfake_cli/\S+\.py)", line (\d+)', outcome.errors)
    where = f"{':'.join(places[-1])}: " if "traceback" in outcome.faults and places else ""
    faults = ", ".join(outcome.faults) or "no fault"
    left = f" (left: {', '.join(outcome.left)})" * bool(outcome.left)
    return (
        f"case {outcome.number}: {faults}, exit {outcome.status}, {outcome.seconds:.0f} s; {outcome.what}\n"
        f"    {where}{last[:300]!r}{left}"
    )


def print_table(outcomes: list[Outcome]) -> None:
    """Counts by kind."""
    rows = [("kind", "cases", "exit 0", "exit 1", "exit 2", *FAULTS)]
    for kind in [*KINDS, "all"]:
        mine = [each for each in outcomes if kind in (each.kind, "all")]
        status = Counter(each.status for each in mine)
        faults = Counter(fault for each in mine for fault in each.faults)
        counts = (len(mine), *(status[code] for code in range(3)), *(faults[fault] for fault in FAULTS))
        rows.append((kind, *map(str, counts)))
    print_columns(rows)


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    main()
