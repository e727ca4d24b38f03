"""KoDF (2021).

The Korean DeepFake Detection Dataset: 62,166 videos of 403 people, and 175,776 fakes by six methods in five folders. The
release on AI-Hub is read, which has training and validation sets.

Layout: ``{train,validate}_원본/…/ID/ID_001.mp4`` and ``{train,validate}_변조/METHOD1/…/TARGET_DONOR_1_001.mp4``, at any
depth, as extracted to ``003.딥페이크/1.Training/원천데이터/``; attacked copies in ``{train,validate}_탐지방해/…/ATTACK/``.
Some archives are enough.

Layout read from: preprocess/inventory/builders/kodf.py of https://github.com/dfwb-research/deepfake-workbench (names of files),
and public scripts of users of the AI-Hub release, whose addresses are not known, since
https://github.com/deepbrainai-research/kodf does not describe it. Not verified: the release by the request form, which is not
read; the number of videos per archive.

Labels: by folder, 원본 real and 변조 fake; of attacked copies by the name. The method is recorded, and ``adversarial`` as
the quality.

Groups: all videos linked by a person, the one seen or the donor. The source videos of fakes are not in their names, so there
are no other groups.

Licence: terms of AI-Hub, accepted on registration.

How to obtain: https://aihub.or.kr, for residents of Korea; others by the form at https://github.com/deepbrainai-research/kodf.
The published split is in the names of the folders: training and validation, no test set.

Citation: P. Kwon, J. You, G. Nam, S. Park, G. Chae, KoDF: A Large-scale Korean DeepFake Detection Dataset, ICCV 2021,
arXiv:2103.10094.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from unicodedata import normalize

from deepfake_cli.datasets.clip import FAKE, LABELS, REAL, Clip, below, folders
from deepfake_cli.datasets.layout import MOST_FOLDERS, csv_rows, layout_error

KINDS = {"원본": "real", "변조": "fake", "탐지방해": "adversarial"} | {word: word for word in (*LABELS, "adversarial")}
TOP = re.compile(rf"(train|val\w*|vaild\w*)_({'|'.join(KINDS)})")  # AI-Hub spells it so in some archives
META = re.compile(r"(train|val\w*|vaild\w*)_meta\w*")
ID = r"[0-9a-f]{20}|\d{6}"
NAMES = (re.compile(rf"({ID})()_\d+"), re.compile(rf"({ID})_({ID})_\d+_\d+"))  # the person seen and the donor, by label
VIDEO, TARGET, METHOD = "영상ID", "타겟UUID", "변조모델"
EXPECTED = "KoDF as on AI-Hub: train_원본/, train_변조/, validate_원본/ or validate_변조/"
OFFICIAL = "the training and validation sets, in folders of these names; no test set"
DEEPEST = 5  # levels to search


def clips(root: str | Path) -> Iterator[Clip]:
    """The videos of all archives that were extracted."""
    root, tops = Path(root), _named(Path(root), TOP)
    if not tops:
        raise layout_error(root, ("train_원본", "validate_원본"), EXPECTED)
    for place, found in tops:
        part, kind = "train" if found[1] == "train" else "val", KINDS[found[2]]
        for path in below(place):
            stem, inside = path.name if path.is_dir() else path.stem, path.relative_to(place).parts
            named = [(label, match) for label, pattern in enumerate(NAMES) if (match := pattern.fullmatch(stem))]
            if not named or (kind in LABELS and named[0][0] != LABELS.index(kind)):
                continue
            label, (person, donor) = named[0][0], named[0][1].groups()
            method = re.sub(r"\d+$", "", inside[0]) if kind == "fake" and len(inside) > 1 else ""
            method = method or ("adversarial" if label == FAKE else "")
            between = (person,) if kind == "real" else (method, person) if kind == "fake" else inside[-2:-1]
            name = "/".join((f"{part}_{kind}", *between, stem))
            quality = kind if kind == "adversarial" else ""
            people = (person, donor) if donor else (person,)
            yield Clip(path, label, "kodf", name, people, (), method, quality, part)


def listed(root: Path, found: list[Clip]) -> Iterator[str]:
    """The names in the lists of metadata, of the reals and of the methods that are there."""
    there = {(clip.part, clip.label, _plain(clip.method)): clip.method for clip in found if not clip.quality}
    names = {Path(clip.video).name: clip.video for clip in found if not clip.quality}
    for folder, match in _named(root, META):
        part = "train" if match[1] == "train" else "val"
        for path in sorted(folder.glob("*.csv")):
            label = FAKE if "변조" in normalize("NFC", path.name) else REAL
            for _, row in csv_rows(path, (VIDEO, TARGET, METHOD) if label else (VIDEO, "UUID")):
                stem, method = Path(row[VIDEO]).stem, row.get(METHOD, "")
                if stem in names:
                    yield names[stem]
                elif (key := (part, label, _plain(method))) in there:
                    between = (there[key], row[TARGET]) if label else (row["UUID"],)
                    yield "/".join((f"{part}_{LABELS[label]}", *between, stem))


def _named(root: Path, pattern: re.Pattern[str]) -> list[tuple[Path, re.Match[str]]]:
    """The folders whose name matches, at most `DEEPEST` levels below; these are not searched further."""
    level, found = [root.absolute()] if root.is_dir() else [], list[tuple[Path, re.Match[str]]]()
    for _ in range(DEEPEST + 1):
        matches = [
            (folder, pattern.fullmatch(normalize("NFC", folder.name))) for folder in level
        ]  # macOS decomposes it
        found += [(folder, match) for folder, match in matches if match]
        level = [child for folder, match in matches if not match for child in folders(folder)][:MOST_FOLDERS]
    return found


def _plain(method: str) -> str:
    return re.sub(r"[^a-z]", "", method.lower())
