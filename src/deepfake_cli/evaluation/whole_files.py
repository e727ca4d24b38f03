"""Score labelled files as ``deepfake predict`` does: whole, with faces found in them, and encoded anew."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from deepfake_cli.data import manifest
from deepfake_cli.data.clip_columns import describe
from deepfake_cli.datasets import find_clips
from deepfake_cli.errors import DeepfakeError, ManifestError
from deepfake_cli.inference.condition import PROPERTIES
from deepfake_cli.inference.detector import Detector
from deepfake_cli.inference.result import Verdict
from deepfake_cli.media.encodings import ENCODINGS, middle, write_video
from deepfake_cli.storage.disk import reason
from deepfake_cli.storage.downloads import downloaded

if TYPE_CHECKING:
    import pandas as pd

AS_IS = "as it is"
SPAN = 4  # frames encoded for each that is judged: with fewer, the first one would take most bits
COLUMNS = (
    "path", "label", "dataset", "video", "group", "method", "encoding", "score", "verdict", "reason", *PROPERTIES,
)  # fmt: skip


class Labelled(NamedTuple):
    """A whole file with a known label, 0 or 1.

    Attributes:
        path: a video, a folder of frames, or an image.
        label: 0 real, 1 fake.
        dataset: name of the data set; may be empty.
        group: files that share a person or a source video have the same.
        method: manipulation method of a fake; may be empty.
    """

    path: Path
    label: int
    dataset: str
    group: str
    method: str


def labelled(sources: Sequence[Path]) -> list[Labelled]:
    """The files of folders and lists.

    Args:
        sources: folders with ``real/`` and ``fake/``, whose sub-folders are people; or CSVs of whole files with the columns
            path and label, and group, dataset and method, if known. Without a group, each file is one.

    Raises:
        ManifestError: a list is invalid, or of face crops.
        DatasetError: a folder has another layout.
    """
    found = [each for source in sources for each in (_of_folder if source.is_dir() else _of_list)(source)]
    for label, name in enumerate(("real", "fake")):
        if all(each.label != label for each in found):
            raise ManifestError(f"{', '.join(map(str, sources))}: no {name} files; error rates need both.")
    return found


def _of_folder(folder: Path) -> Iterator[Labelled]:
    clips = find_clips("folder", folder)
    columns = describe(clips, "folder")
    for clip in clips:
        yield Labelled(clip.path, clip.label, clip.dataset, columns[clip.video]["group"], clip.method)


def _of_list(path: Path) -> Iterator[Labelled]:
    table = manifest.read(path)
    if (table["frame"] >= 0).any():
        raise ManifestError(
            f"{path}: a list of face crops. Conditions are measured on whole videos: give a CSV of them with path, label and "
            "group, or a folder with real/ and fake/."
        )
    folders = table["path"].str.replace(r"[/\\][^/\\]*$", "", regex=True)
    unknown = (table["group"].astype(str) == table["video"].astype(str)) & (
        folders.map(lambda name: str(Path(name).resolve())) == table["video"].astype(str)
    )
    groups = table["group"].astype(str).mask(unknown, table["path"])
    cells = (table[name].astype(str) for name in ("dataset", "method"))
    for file, label, group, dataset, method in zip(table["path"], table["label"], groups, *cells, strict=True):
        yield Labelled(Path(file), int(label), dataset, group, method)


def judged(
    files: Iterable[Labelled],
    detector: Detector,
    most: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> "pd.DataFrame":
    """Judge each file as it is, and each video in all `ENCODINGS`.

    Args:
        files: see `labelled`.
        detector: the detector.
        most: number of frames to judge of each video, evenly spaced; of encoded ones, from `SPAN` times as many.
        progress: called with the number of files done and the total.

    Returns:
        The columns `COLUMNS`, a row for each file and encoding: label as 0 or 1, the score and the properties as float64, NaN
        without a face.
    """
    import pandas as pd

    listed, rows = list(files), []
    with tempfile.TemporaryDirectory(prefix="deepfake-") as folder:
        for done, each in enumerate(listed, 1):
            rows += [
                _row(each, encoding, verdict) for encoding, verdict in _verdicts(each, detector, most, Path(folder))
            ]
            progress(done, len(listed))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = ["score", *(name for name, about in PROPERTIES.items() if about.edges)]
    return table.astype(dict.fromkeys(numbers, "float64"))


def _verdicts(each: Labelled, detector: Detector, most: int, folder: Path) -> Iterator[tuple[str, Verdict]]:
    first = detector.judge(each.path, max_frames=most)
    yield AS_IS, first
    if not first.fps:  # an image, or unreadable
        return
    try:
        with downloaded(each.path) as local:
            images = middle(local, SPAN * most)
        for name, encoding in ENCODINGS.items():
            write_video(folder / "encoded.mp4", images, encoding)
            yield name, detector.judge(folder / "encoded.mp4", max_frames=most)
    except (DeepfakeError, OSError) as error:
        yield "encoded", Verdict(each.path, reason=f"cannot be encoded: {reason(error)}")


def _row(each: Labelled, encoding: str, verdict: Verdict) -> dict[str, Any]:
    video = str(each.path) if encoding == AS_IS else f"{each.path} ({encoding})"
    condition = verdict.condition._asdict() if verdict.condition else dict.fromkeys(PROPERTIES)
    return {
        **each._asdict(), "path": str(each.path), "video": video, "encoding": encoding,
        "score": verdict.score, "verdict": verdict.label, "reason": verdict.reason, **condition,
    }  # fmt: skip
