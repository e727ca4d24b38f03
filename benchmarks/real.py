"""Metrics of a detector on real deepfakes, with the code of `deepfake predict`. See README.md."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from common import machine, print_columns

from deepfake_cli import Detector
from deepfake_cli.data import manifest
from deepfake_cli.inference.result import Verdict
from deepfake_cli.media.video import frames
from deepfake_cli.metrics.few import FEWEST
from deepfake_cli.storage.csv_cells import read_rows

RESAMPLES = 1000
LABELS = ("real", "fake")
SMALL, DARK = 200, 120  # where faces are divided into small and large, dark and light


@dataclass(frozen=True)
class File:
    """A file with a known label, and what `predict` says of it.

    Attributes:
        set: the folder that it is in.
        kind: how it was made, as index.csv says; its label, if there is no index.
        group: what shares a person or a source video.
        name: after the group.
        fake: the known label.
        call: "fake", "real" or "undecided".
        score: in 0..1, also where it is too near the threshold for a call; NaN without a face.
        side: longer side of the largest box of the judged face, in pixels; NaN without a face.
        light: median luma of its first box, in 0..255; NaN without a face.
    """

    set: str
    kind: str
    group: str
    name: str
    fake: bool
    call: str
    score: float
    side: float
    light: float


Rows = list[File]


def main() -> None:
    """Judge every file, print the tables."""
    options = arguments()
    detector = Detector.load(options.detector, threshold=options.threshold)
    print(machine("onnxruntime", "av"), f"\n{detector.network.runs_on}, threshold {detector.threshold:.3f}\n", sep="")
    found = [judged(detector, options, *each) for each in progress(list(files(options.folder)))]
    if not found:
        sys.exit(f"{options.folder}: no SET/{{real,fake}}/GROUP__NAME.ext in it")
    if options.scores:
        write(options.scores, found)
    print_columns([HEADER, *table(found)])
    print(f"\nIntervals: 95 %, {RESAMPLES:,} resamples of groups; none below {FEWEST} groups.")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder", type=Path, help="holds SET/{real,fake}/GROUP__NAME.ext, and index.csv if there is one"
    )
    parser.add_argument("--detector", type=Path, help="an exported one [default: the one in the package]")
    parser.add_argument("--threshold", type=float, help="scores from here on are called fake [default: the detector's]")
    parser.add_argument("--max-frames", type=int, help="of a video [default: as deepfake predict]")
    parser.add_argument("--scores", type=Path, help="write every file's score here, as CSV")
    return parser.parse_args()


def files(folder: Path) -> Iterator[tuple[Path, str, str]]:
    """Each file, its label and its kind, in order."""
    index = folder / "index.csv"
    rows = read_rows(index.open(newline="", encoding="utf-8")) if index.is_file() else ()
    kinds = {row["path"]: row["kind"] for row in rows}
    for label in LABELS:
        for path in sorted(folder.glob(f"*/{label}/*__*")):
            yield path, label, kinds.get(path.relative_to(folder).as_posix(), label)


def progress(each: list[tuple[Path, str, str]]) -> Iterator[tuple[Path, str, str]]:
    for number, item in enumerate(each, 1):
        print(f"\r{number} of {len(each)}", end="", file=sys.stderr, flush=True)
        yield item
    print(file=sys.stderr)


def judged(detector: Detector, options: argparse.Namespace, path: Path, label: str, kind: str) -> File:
    most = {} if options.max_frames is None else {"max_frames": options.max_frames}
    verdict = detector.predict(path, **most)
    group, _, name = path.stem.partition("__")
    score = verdict.score
    return File(
        path.parts[-3], kind, group, name, label == "fake", verdict.label,
        float("nan") if score is None else float(score), *seen(path, verdict),
    )  # fmt: skip


def seen(path: Path, verdict: Verdict) -> tuple[float, float]:
    """How large the judged face is, and how light."""
    if not verdict.faces or not len(verdict.faces[0].timeline):
        return float("nan"), float("nan")
    timeline = verdict.faces[0].timeline
    first = timeline[0]
    image = next(image for index, image in frames(path) if index == first.frame)
    assert image is not None  # it was judged
    x0, y0, x1, y1 = (max(0, round(corner)) for corner in first.box[:4])
    return timeline.largest, float(np.median(cv2.cvtColor(image[y0:y1, x0:x1], cv2.COLOR_BGR2GRAY)))


SLICES: dict[str, Callable[[File], bool]] = {
    f"face below {SMALL} px": lambda each: each.side < SMALL,
    f"face of {SMALL} px or more": lambda each: each.side >= SMALL,
    f"luma of the face below {DARK}": lambda each: each.light < DARK,
    f"luma of the face {DARK} or more": lambda each: each.light >= DARK,
}

HEADER = (
    "set", "kind", "reals", "fakes", "groups", "AUC", "reals called fake", "fakes called real", "undecided",
    "above own original",
)  # fmt: skip


def table(found: Rows) -> Iterator[tuple[str, ...]]:
    """A row for all and for each slice of them, for each set, and for each kind of fake against all reals of its set."""
    yield cells("all", "", found)
    for name, inside in SLICES.items():
        yield cells("all", name, [each for each in found if inside(each)])
    for name in dict.fromkeys(each.set for each in found):
        rows = [each for each in found if each.set == name]
        yield cells(name, "", rows)
        reals = [each for each in rows if not each.fake]
        for kind in dict.fromkeys(each.kind for each in rows if each.fake):
            yield cells(name, kind, [*reals, *(each for each in rows if each.fake and each.kind == kind)])


def cells(name: str, kind: str, rows: Rows) -> tuple[str, ...]:
    counts = [sum(each.fake == fake for each in rows) for fake in (False, True)]
    groups = len({(each.set, each.group) for each in rows})
    figures = (auc, called(False, "fake"), called(True, "real"), undecided, above_original)
    return (name, kind, *map(str, counts), str(groups), *(cell(figure, rows) for figure in figures))


def cell(figure: Callable[[Rows], float], rows: Rows) -> str:
    value = figure(rows)
    if np.isnan(value):
        return ""
    ends = interval(figure, rows)
    return f"{value:.2f}" + (f" ({ends[0]:.2f}–{ends[1]:.2f})" if ends else "")


def interval(figure: Callable[[Rows], float], rows: Rows) -> tuple[float, float] | None:
    """Percentile bootstrap over groups: files of one person are alike."""
    groups: dict[tuple[str, str], Rows] = {}
    for each in rows:
        groups.setdefault((each.set, each.group), []).append(each)
    if len(groups) < FEWEST:
        return None
    random, parts = np.random.default_rng(0), list(groups.values())
    drawn = [
        figure([row for place in random.integers(len(parts), size=len(parts)) for row in parts[place]])
        for _ in range(RESAMPLES)
    ]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def auc(rows: Rows) -> float:
    """Of the files that have a score: the share of pairs of a fake and a real in which the fake scores higher."""
    fakes, reals = (
        np.array([each.score for each in rows if each.fake == fake and not np.isnan(each.score)])
        for fake in (True, False)
    )
    higher = np.sign(fakes[:, None] - reals) / 2 + 0.5
    return float(higher.mean()) if higher.size else float("nan")


def called(fake: bool, call: str) -> Callable[[Rows], float]:
    """The share of reals or fakes that get this call."""
    return lambda rows: share(each.call == call for each in rows if each.fake == fake)


def undecided(rows: Rows) -> float:
    return share(each.call == "undecided" for each in rows)


def above_original(rows: Rows) -> float:
    """The share of fakes that score above the real that they were made of, or above their group's mean real."""
    own: dict[tuple[str, str], Rows] = {}
    for each in rows:
        if not each.fake and not np.isnan(each.score):
            own.setdefault((each.set, each.group), []).append(each)
    pairs = ((each, originals(each, own.get((each.set, each.group), []))) for each in rows if each.fake)
    return share(each.score > np.mean([real.score for real in reals]) for each, reals in pairs if reals)


def originals(fake: File, reals: Rows) -> Rows:
    """Of a group's reals the one whose number the fake begins with (``…-183_253`` of ``…-183``), or all of them."""
    number = fake.name.rpartition("-")[2].partition("_")[0]
    return [each for each in reals if each.name.rpartition("-")[2] == number] or reals


def share(of: Iterable[bool]) -> float:
    each = list(of)
    return float(np.mean(each)) if each else float("nan")


def write(path: Path, found: Rows) -> None:
    manifest.write(path, list(File.__annotations__), map(asdict, found))


if __name__ == "__main__":
    main()
