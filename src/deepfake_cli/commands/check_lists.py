"""``deepfake make-csv --check``: check lists against protocol.json, and for leakage between them."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.commands.make_csv import FILES
from deepfake_cli.data import checks, manifest, near_duplicates, protocol
from deepfake_cli.errors import ManifestError
from deepfake_cli.storage.downloads import is_there
from deepfake_cli.storage.hashes import sha256
from deepfake_cli.storage.remote_folder import listed

if TYPE_CHECKING:
    import pandas as pd

MOST_NAMED = 5
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Finding:
    """A problem of the lists.

    Attributes:
        what: the kind, such as ``"shared groups"``.
        where: the list or lists.
        count: number of cases.
        some: a few of them.
        wrong: whether it invalidates results; else it is a note.
    """

    what: str
    where: str
    count: int
    some: list[str] = field(default_factory=list)
    wrong: bool = True


@dataclass
class CheckResult:
    """Result of `check`.

    Attributes:
        findings: errors first.
        lists: number of rows per list.
        compared: number of images compared by perceptual hash.
    """

    findings: list[Finding]
    lists: dict[str, int]
    compared: int

    @property
    def wrong(self) -> list[Finding]:
        """The findings that invalidate results."""
        return [finding for finding in self.findings if finding.wrong]


def check(csvdir: Path, frames: int, progress: Progress = lambda what, done, total: None) -> CheckResult:
    """Check the lists of ``csvdir`` against ``protocol.json`` and against each other.

    Args:
        csvdir: the folder of the lists.
        frames: images per video to compare by perceptual hash; 0: none.
        progress: called with the current task, the amount done and the total.

    Returns:
        All findings.

    Raises:
        ManifestError: there is no list, or protocol.json cannot be read.
    """
    names = _lists_in(csvdir)
    record = protocol.read(csvdir) if is_there(csvdir / protocol.NAME) else {}
    if not record and not names:
        raise ManifestError(f"{csvdir}: no lists and no {protocol.NAME}. Create them with deepfake make-csv.")
    findings = list(_against_record(csvdir, record, names))
    rows: dict[str, int] = {}
    groups: dict[str, set[str]] = {}
    images: list[pd.DataFrame] = []
    for name in names:
        progress(f"reading {name}", len(rows), len(names))
        try:
            table = manifest.read(csvdir / name)
        except ManifestError as error:
            findings.append(Finding("unusable", name, 1, [str(error)]))
            continue
        findings += _classes(name, table)
        rows[name], groups[name] = len(table), set(checks.groups(table))
        if _fold(name) and name.endswith(FILES["train"]):
            continue  # the same images as in the validation lists of the other folds
        findings += _paths(name, table)
        if frames:
            images.append(table[["path", "dataset", "video", "group"]].assign(part=name))
    findings += _shared_groups(groups, record.get("protocol") == "official")
    shared, compared = _shared_images(images, frames, progress) if images else ([], 0)
    findings = sorted([*findings, *shared], key=lambda finding: not finding.wrong)
    return CheckResult(findings, rows, compared)


def _lists_in(csvdir: Path) -> list[str]:
    with listed(csvdir, required=False) as place:
        folders = [place.path, *sorted(place.path.glob("fold[0-9]*"))]
        paths = (folder / name for folder in folders for name in FILES.values())
        return [path.relative_to(place.path).as_posix() for path in paths if path.is_file()]


def _against_record(csvdir: Path, record: dict[str, Any], names: list[str]) -> Iterator[Finding]:
    if not record:
        yield Finding("no record", protocol.NAME, 1, ["no record of the lists as written"])
        return
    for name, entry in record["lists"].items():
        if name not in names:
            yield Finding("missing list", name, 1)
        elif sha256(csvdir / name) != entry.get("sha256"):
            yield Finding("changed list", name, 1, [f"SHA-256 differs from {protocol.NAME}"])
    for name in names:
        if name not in record["lists"]:
            yield Finding("unrecorded list", name, 1, [f"not in {protocol.NAME}"])


def _classes(name: str, table: "pd.DataFrame") -> Iterator[Finding]:
    labels = table["label"].unique()
    if len(labels) < 2:
        yield Finding("one class only", name, len(table), ["all fake" if labels[0] else "all real"])


def _paths(name: str, table: "pd.DataFrame") -> Iterator[Finding]:
    gone = checks.missing(table["path"])
    if gone:
        yield Finding("missing images", name, len(gone), gone[:MOST_NAMED])
    twice = len(table) - table["path"].nunique()
    if twice:
        some = table["path"][table["path"].duplicated()].head(MOST_NAMED).tolist()
        yield Finding("images listed twice", name, twice, some, wrong=False)


def _shared_groups(groups: dict[str, set[str]], published: bool) -> Iterator[Finding]:
    """Groups in two lists of one split; only a note for a published split."""
    for one, other in combinations(groups, 2):
        shared = sorted(groups[one] & groups[other]) if len({_fold(one), _fold(other)} - {""}) < 2 else []
        if shared:
            yield Finding("shared groups", f"{one}, {other}", len(shared), shared[:MOST_NAMED], wrong=not published)


def _fold(name: str) -> str:
    """``"fold1"`` of ``"fold1/val/validation.csv"``; empty without folds."""
    first, *rest = name.split("/")
    return first if len(rest) > 1 else ""


def _shared_images(lists: list["pd.DataFrame"], frames: int, progress: Progress) -> tuple[list[Finding], int]:
    """Images shared by two parts, and the number of images compared by perceptual hash."""
    import pandas as pd

    table = pd.concat([images.astype(str) for images in lists], ignore_index=True)
    copies = near_duplicates.same_bytes(table, lambda done, total: progress("comparing files", done, total))
    findings = list(_pairs("pairs of videos with the same image", copies, table, wrong=True))
    alike, compared = _look_alikes(table, frames, progress)
    return findings + alike, compared


def _pairs(what: str, pairs: list[near_duplicates.Pair], table: "pd.DataFrame", *, wrong: bool) -> Iterator[Finding]:
    """A finding per pair of parts: number of video pairs, and the most similar images."""
    import pandas as pd

    matches = pd.DataFrame(pairs, columns=list(near_duplicates.Pair._fields)).sort_values("bits", kind="stable")
    for side in ("one", "other"):
        rows = table.loc[matches[side], ["path", "part", "video"]]
        matches[[f"{side}_path", f"{side}_part", f"{side}_video"]] = rows.to_numpy()
    matches = matches.drop_duplicates(["one_part", "other_part", "one_video", "other_video"])
    for (one, other), rows in matches.groupby(["one_part", "other_part"]):
        closest = rows[["one_path", "other_path"]].head(MOST_NAMED).to_numpy()
        some = [" and ".join(map(os.path.relpath, paths)) for paths in closest]
        yield Finding(what, f"{one}, {other}", len(rows), some, wrong)


def _look_alikes(table: "pd.DataFrame", frames: int, progress: Progress) -> tuple[list[Finding], int]:
    """Compare `frames` images per video, evenly spaced, by perceptual hash."""
    of_video = table.groupby(["dataset", "video"], observed=True)["path"]
    place, size = of_video.cumcount(), of_video.transform("size")
    sample = table[(place * frames) // size != ((place - 1) * frames) // size]
    pairs, unreadable = near_duplicates.look_alikes(
        sample, lambda done, total: progress("comparing images", done, total)
    )
    findings = list(_pairs("pairs of videos that look alike", pairs, table, wrong=False))
    if unreadable:
        findings.append(Finding("unreadable images", "all lists", unreadable))
    return findings, len(sample)
