"""FakeAVCeleb v1.2 (2021).

500 videos of 500 people from VoxCeleb2, 20,544 fakes of their faces, and 500 with a cloned voice and real pictures.

Layout: ``{Real,Fake}Video-{Real,Fake}Audio/RACE/GENDER/ID/NAME.mp4`` and ``meta_data.csv``. Some of the four types are enough.

Layout read from: the field's loaders, since the authors describe it on request only: the file
preprocess/inventory/builders/fakeavceleb.py of https://github.com/dfwb-research/deepfake-workbench (folders, meta_data.csv,
counts). Version 1.0 is not read. Not verified: that the first part of a name is the clip that a fake was made from.

Labels: by the picture; RealVideo-FakeAudio is real, since only its sound is fake. The type is recorded as the quality, so
results list it apart; the method is recorded from meta_data.csv.

Groups: all videos linked by a person, the one seen or the donor. People are swapped with several others, so groups by person
are few and large. ``--by pair`` and ``--by video`` give smaller ones, but test faces that were trained on.

Licence: for research; the terms are part of the request form.

How to obtain: the form at https://github.com/DASH-Lab/FakeAVCeleb. There is no published split.

Citation: H. Khalid, S. Tariq, M. Kim, S. S. Woo, FakeAVCeleb: A Novel Audio-Video Multimodal Deepfake Dataset, NeurIPS Datasets
and Benchmarks 2021, arXiv:2108.05080.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets.clip import FAKE, REAL, Clip, below, videos_first
from deepfake_cli.datasets.layout import csv_rows, find_root

TYPES = {
    "RealVideo-RealAudio": REAL,
    "RealVideo-FakeAudio": REAL,
    "FakeVideo-RealAudio": FAKE,
    "FakeVideo-FakeAudio": FAKE,
}  # by the picture
LIST = "meta_data.csv"
ID = re.compile(r"id\d+")
COUNTS = {"": dict(zip(TYPES, (500, 500, 9709, 10835), strict=True))}
Key = tuple[str, ...]  # type, race, gender, person, name without suffix


def clips(root: str | Path) -> Iterator[Clip]:
    """The videos of the four types; and frames written by `split`, with the method in their path."""
    root = _root(Path(root))
    methods = _methods(root)
    for kind, label in TYPES.items():
        for words, path in videos_first((_words(path, root / kind), path) for path in below(root / kind)):
            race, gender, person, *between, stem = words.split("/") if words.count("/") > 2 else [""] * 4
            if not ID.fullmatch(person):
                continue
            method = (between[0] if between else methods.get((kind, race, gender, person, stem), "")) if label else ""
            name = "/".join(filter(None, (kind, race, gender, person, method, stem)))
            donors = tuple(dict.fromkeys(each for each in ID.findall(stem) if each != person)) if label else ()
            source = f"{person}/{stem.split('_')[0]}"
            yield Clip(path, label, "fakeavceleb", name, (person, *donors), (source,), method, kind)


def listed(root: Path, found: list[Clip]) -> Iterator[str]:
    """The names in meta_data.csv, of the types that are there."""
    kinds = {clip.quality for clip in found}
    for key, method in _methods(_root(root)).items():
        if key[0] in kinds:
            yield "/".join(filter(None, (*key[:4], method if TYPES[key[0]] else "", key[4])))


def _root(root: Path) -> Path:
    return find_root(root, TYPES, f"FakeAVCeleb: {'/, '.join(TYPES)}/")


def _words(path: Path, top: Path) -> str:
    inside = path.relative_to(top)
    return (inside if path.is_dir() else inside.with_suffix("")).as_posix()


def _methods(root: Path) -> dict[Key, str]:
    """The method of each listed video; of a video with several rows, all methods."""
    path, methods = root / LIST, dict[Key, str]()
    if not path.is_file():
        return {}
    for _, row in csv_rows(path, ("source", "method", "type", "race", "gender", "path")):
        key = (row["type"], row["race"], row["gender"], row["source"], Path(row["path"]).stem)
        names = {*filter(None, methods.get(key, "").split("+")), row["method"].replace("/", "-")}
        if row["type"] in TYPES:
            methods[key] = "+".join(sorted(names))
    return methods
