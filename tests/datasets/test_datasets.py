"""Contract of all adapters, on a tiny tree in the exact layout; and errors for wrong folders."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pandas as pd
import pytest

from deepfake_cli.commands.verify import verify
from deepfake_cli.config import MakeCsv, Verify
from deepfake_cli.data.clip_columns import describe
from deepfake_cli.data.division import lists_of
from deepfake_cli.data.groups import links, name_groups
from deepfake_cli.datasets import ADAPTERS, find_adapter, find_clips
from deepfake_cli.datasets.card import HEADINGS, paragraphs
from deepfake_cli.datasets.clip import LABELS, Clip
from deepfake_cli.datasets.docs import documentation
from deepfake_cli.errors import DatasetError, DeepfakeError

from ..conftest import write_video

DOCS = Path(__file__).parents[2] / "docs" / "datasets.md"

A, B = "a" * 20, "0b" * 10  # people of KoDF
SOURCE = "원천데이터"
ATTACKED = f"003.딥페이크/1.Training/{SOURCE}/train_탐지방해/변조영상"
# What is in each tree, and what must come of it. A line a video, or a folder of frames ("…/"): its name, then its group by
# the strictest --by, its part in the published split, method and quality ("-": none). Names in parentheses are files to ignore.
TREES = {
    "timit": """
        higher_quality/fadg0/sa1-video-fram1.avi    fadg0-fram1  -  faceswap-GAN  higher_quality
        higher_quality/fram1/sa1-video-fadg0.avi    fadg0-fram1  -  faceswap-GAN  higher_quality
        lower_quality/fadg0/sa1-video-fram1.avi     fadg0-fram1  -  faceswap-GAN  lower_quality
        lower_quality/mccs0/si1-video-mmdm2.avi     mccs0-mmdm2  -  faceswap-GAN  lower_quality
        (higher_quality/fadg0/sa1.wav README.txt sample.mov)""",
    "uadfv": """
        real/0000.mp4         0000  -  -  -
        fake/0000_fake.mp4    0000  -  -  -
        real/0001.mp4         0001  -  -  -
        fake/0001_fake.mp4    0001  -  -  -
        (landmarks/0000.npy README.txt real/.DS_Store)""",
    "ffpp": """
        original_sequences/youtube/c23/videos/000.mp4                       000-003  test   -               c23
        original_sequences/youtube/c23/videos/003.mp4                       000-003  test   -               c23
        original_sequences/youtube/c23/videos/071.mp4                       054-071  train  -               c23
        original_sequences/youtube/raw/videos/071.mp4                       054-071  train  -               raw
        manipulated_sequences/Deepfakes/c23/videos/000_003.mp4              000-003  test   Deepfakes       c23
        manipulated_sequences/Deepfakes/c23/videos/003_000.mp4              000-003  test   Deepfakes       c23
        manipulated_sequences/FaceShifter/c40/videos/071_054.mp4            054-071  train  FaceShifter     c40
        manipulated_sequences/NeuralTextures/c0/videos/054_071.mp4          054-071  train  NeuralTextures  c0
        original_sequences/actors/c23/videos/03__walking_outside.mp4        actor03-actor04  -  -                  c23
        original_sequences/actors/c23/videos/04__talking.mp4                actor03-actor04  -  -                  c23
        original_sequences/actors/c23/videos/05__talking.mp4                actor05          -  -                  c23
        manipulated_sequences/DeepFakeDetection/c23/videos/03_04__talking__GH8HGTL6.mp4 actor03-actor04 - DeepFakeDetection c23
        (manipulated_sequences/Deepfakes/masks/videos/000_003.mp4 downloaded_videos/abc.mp4 README.md)""",
    "celebdf": """
        Celeb-real/id0_0000.mp4              id0-id16   train  -                -
        Celeb-real/id16_0003.mp4             id0-id16   test   -                -
        Celeb-real/id2_0001.mp4              id2-id3    train  -                -
        YouTube-real/00170.mp4               00170      test   -                -
        YouTube-real/videos/00171.mp4        00171      train  -                -
        Celeb-synthesis/id0_id16_0000.mp4    id0-id16   test   Celeb-synthesis  -
        Celeb-synthesis/id16_id0_0003.mp4    id0-id16   train  Celeb-synthesis  -
        Celeb-synthesis/id2_id3_0001.mp4     id2-id3    train  Celeb-synthesis  -
        (README.md)""",
    "dfdc": """
        train/dfdc_train_part_0/aaaa.mp4    aaaa  train  -  -
        train/dfdc_train_part_0/bbbb.mp4    aaaa  train  -  -
        train/dfdc_train_part_1/cccc.mp4    zzzz  train  -  -
        train/dfdc_train_part_1/dddd.mp4    zzzz  train  -  -
        train/dfdc_train_part_1/eeee.mp4    eeee  train  -  -
        validation/ffff.mp4                 ffff  val    -  -
        validation/gggg.mp4                 gggg  val    -  -
        test/videos/hhhh.mp4                hhhh  test   -  -
        test/videos/iiii.mp4                iiii  test   -  -
        (sample_submission.csv kaggle/test_videos/jjjj.mp4)""",
    "celebdfpp": """
        Celeb-real/id0_0000.mp4                                        id0-id16   train  -          -
        Celeb-real/id16_0003.mp4                                       id0-id16   test   -          -
        Celeb-real/id2_0001.mp4                                        id2        train  -          -
        YouTube-real/00170.mp4                                         00170      test   -          -
        Celeb-synthesis/FaceSwap/BlendFace/id0_id16_0000.mp4           id0-id16   test   BlendFace  -
        Celeb-synthesis/FaceReenact/LIA/id16_id0_0003.mp4              id0-id16   train  LIA        -
        Celeb-synthesis/TalkingFace/SadTalker/id2_0001_test_00170.mp4  id2        train  SadTalker  -
        (Celeb-synthesis/FaceSwap/BlendFace/landmarks/id0_id16_0000/000.npy README.md)""",
    "dfdcp": """
        original_videos/10/10_A_001.mp4        10-20  train  -         -
        original_videos/20/20_A_001.mp4        10-20  train  -         -
        original_videos/30/30_C_001.mp4        30-40  test   -         -
        method_A/10/10_A/20_10_A_001.mp4       10-20  train  method_A  -
        method_B/30/30_C/40_30_C_001.mp4       30-40  test   method_B  -
        (README.txt)""",
    "deeperforensics": """
        manipulated_videos/end_to_end/000_M101.mp4                    M101  test   end_to_end          -
        manipulated_videos/end_to_end_level_3/000_M101.mp4            M101  test   end_to_end          level_3
        manipulated_videos/reenact_postprocess/003_M101.mp4           M101  test   reenact_postprocess -
        manipulated_videos/end_to_end_mix_2_distortions/071_W004.mp4  W004  train  end_to_end          mix_2_distortions
        (source_videos/M101/light_up/happy/M101_light_up_happy_camera_front.mp4 terms_of_use.pdf)""",
    "df40": """
        DF40_train/simswap/ff/frames/071_054/            ff/054-ff/071  train  simswap    -
        DF40/simswap/ff/frames/000_003/                  ff/000-ff/003  test   simswap    -
        DF40/simswap/cdf/frames/id0_id16_0003/           id0-id16       test   simswap    -
        DF40/sd2.1/ff/000/                               ff/000-ff/003  test   sd2.1      -
        DF40/StyleGAN3/cdf/Fake_from_Celeb-real/id0_0000/  id0-id16     test   StyleGAN3  -
        DF40/heygen/heygen_new/fake/frames/a/            DF40/heygen/fake/a   test  heygen   -
        DF40/stargan/fake/fake/1.png                     DF40/stargan/fake/1  test  stargan  -
        DF40/stargan/real/real/2.png                     DF40/stargan/real/2  test  -        -
        (DF40/simswap/ff/landmarks/000_003/000.npy)""",
    "wilddeepfake": """
        real_train/6/real/54/   real_train/6  train  -  -
        real_train/6/real/55/   real_train/6  train  -  -
        real_test/0/real/1/     real_test/0   test   -  -
        fake_train/6/fake/54/   fake_train/6  train  -  -
        fake_test/1/fake/3/     fake_test/1   test   -  -
        (README.md)""",
    "ffiw": """
        source/train/00000000.mp4  train/00000000  train  -  -
        target/train/00000000.mp4  train/00000000  train  -  -
        source/val/videos/00000000.mp4  val/00000000  val  -  -
        target/val/videos/00000000.mp4  val/00000000  val  -  -
        (target_mask/train/00000000.mp4)""",
    "fakeavceleb": """
        RealVideo-RealAudio/African/men/id00076/00109.mp4              id00076-id00476  -  -  RealVideo-RealAudio
        RealVideo-FakeAudio/African/men/id00076/00109_fake.mp4               id00076-id00476  -  -  RealVideo-FakeAudio
        FakeVideo-RealAudio/African/men/id00076/00109_id00476_Ab-c.mp4       id00076-id00476  -  fsgan  FakeVideo-RealAudio
        RealVideo-RealAudio/African/women/id00100/00021.mp4                  id00100-id00200  -  -  RealVideo-RealAudio
        FakeVideo-FakeAudio/African/women/id00100/00021_id00200.mp4   id00100-id00200  -  fsgan+wav2lip  FakeVideo-FakeAudio
        (README.md)""",
    "kodf": f"""
        003.딥페이크/1.Training/{SOURCE}/train_원본/원본1/{A}/{A}_001.mp4              {B}-{A}  train  -    -
        003.딥페이크/1.Training/{SOURCE}/train_변조/dfl2/{A}/{A}_{B}_1_001.mp4         {B}-{A}  train  dfl  -
        {ATTACKED}/01/{A}_{B}_1_001.mp4  {B}-{A}  train  adversarial  adversarial
        {ATTACKED}/02/{A}_{B}_1_001.mp4  {B}-{A}  train  adversarial  adversarial
        003.딥페이크/2.Validation/{SOURCE}/validate_원본/원본1/100001/100001_001.mp4   100001-100002  val  -   -
        003.딥페이크/2.Validation/{SOURCE}/validate_변조/fo1/100001/100001_100002_4_007.mp4 100001-100002 val fo -
        (003.딥페이크/1.Training/README.txt)""",
    "deepfakeeval": """
        video-data/r1.mp4   video-data/real/r1  train  -  -
        video-data/r2.mp4   video-data/real/r2  test   -  -
        video-data/f1.mp4   video-data/fake/f1  train  -  -
        video-data/f2.mp4   video-data/fake/f2  test   -  -
        (video-data/unknown.mp4)""",
    "folder": """
        real/anna/1.mp4    anna  -  -  -
        real/anna/2.mp4    anna  -  -  -
        fake/anna/1.mp4    anna  -  -  -
        real/0001.mp4      0001  -  -  -
        fake/0001.mp4      0001  -  -  -
        (notes.txt real/.hidden.mp4)""",
}
# Names below --imgdir that are not the file's own path.
NAMED = {
    "celebdf": {"YouTube-real/videos/00171.mp4": "YouTube-real/00171"},
    "ffiw": {f"{top}/val/videos/00000000.mp4": f"{top}/val/00000000" for top in ("source", "target")},
    "dfdc": {
        "aaaa": "dfdc_train_part_0/real/aaaa",
        "bbbb": "dfdc_train_part_0/fake/aaaa/bbbb",
        "cccc": "dfdc_train_part_1/fake/zzzz/cccc",
        "dddd": "dfdc_train_part_1/fake/zzzz/dddd",
        "eeee": "dfdc_train_part_1/real/eeee",
        "ffff": "validation/real/ffff",
        "gggg": "validation/fake/gggg",
        "hhhh": "test/fake/hhhh",
        "iiii": "test/real/iiii",
    },
    "dfdcp": {
        "10_A_001": "original_videos/10_A_001",
        "20_A_001": "original_videos/20_A_001",
        "30_C_001": "original_videos/30_C_001",
        "20_10_A_001": "method_A/20_10_A_001",
        "40_30_C_001": "method_B/40_30_C_001",
    },
    "df40": {
        "071_054": "DF40_train/simswap/ff/071_054",
        "000_003": "DF40/simswap/ff/000_003",
        "id0_id16_0003": "DF40/simswap/cdf/id0_id16_0003",
        "a": "DF40/heygen/fake/a",
        "1": "DF40/stargan/fake/1",
        "2": "DF40/stargan/real/2",
    },
    "wilddeepfake": {
        "real_train/6/real/54/": "real_train/6/54",
        "real_train/6/real/55/": "real_train/6/55",
        "real_test/0/real/1/": "real_test/0/1",
        "fake_train/6/fake/54/": "fake_train/6/54",
        "fake_test/1/fake/3/": "fake_test/1/3",
    },
    "fakeavceleb": {
        "00109_id00476_Ab-c": "FakeVideo-RealAudio/African/men/id00076/fsgan/00109_id00476_Ab-c",
        "00021_id00200": "FakeVideo-FakeAudio/African/women/id00100/fsgan+wav2lip/00021_id00200",
    },
    "kodf": {
        f"{A}_001": f"train_real/{A}/{A}_001",
        f"003.딥페이크/1.Training/{SOURCE}/train_변조/dfl2/{A}/{A}_{B}_1_001.mp4": f"train_fake/dfl/{A}/{A}_{B}_1_001",
    }
    | {f"{ATTACKED}/0{n}/{A}_{B}_1_001.mp4": f"train_adversarial/0{n}/{A}_{B}_1_001" for n in (1, 2)}
    | {
        "100001_001": "val_real/100001/100001_001",
        "100001_100002_4_007": "val_fake/fo/100001/100001_100002_4_007",
    },
    "deepfakeeval": {
        stem: f"video-data/{label}/{stem}" for label in ("real", "fake") for stem in (f"{label[0]}1", f"{label[0]}2")
    },
}
FAKES = re.compile(
    r"^(fake|lower_|higher_|manip|Celeb-syn|method_|target|FakeVideo|train_adv)|/fake/|^\w+_fake/|^DF40.*/(ff|cdf)/"
)
FILES = {
    "celebdfpp.txt": "1 YouTube-real/00170.mp4\n1 Celeb-real/id16_0003.mp4\n"
    "0 Celeb-synthesis/FaceSwap/BlendFace/id0_id16_0000.mp4\n",
    "dataset.json": {
        "original_videos/10/10_A_001.mp4": {"label": "real", "set": "train", "augmentations": [], "target_id": "10"},
        "original_videos/20/20_A_001.mp4": {"label": "real", "set": "train", "augmentations": [], "target_id": "20"},
        "original_videos/30/30_C_001.mp4": {"label": "real", "set": "test", "augmentations": [], "target_id": "30"},
        "method_A/10/10_A/20_10_A_001.mp4": {"label": "fake", "set": "train", "swapped_id": "20", "target_id": "10"},
        "method_B/30/30_C/40_30_C_001.mp4": {"label": "fake", "set": "test", "swapped_id": "40", "target_id": "30"},
    },
    "train.txt": "071_W004.mp4\n",
    "val.txt": "",
    "test.txt": "000_M101.mp4\n003_M101.mp4\n",
    "meta_data.csv": "source,target1,target2,method,category,type,race,gender,path,\n"
    "id00076,-,-,real,A,RealVideo-RealAudio,African,men,00109.mp4,FakeAVCeleb/RealVideo-RealAudio/African/men/id00076\n"
    "id00076,-,-,rtvc,B,RealVideo-FakeAudio,African,men,00109_fake.mp4,FakeAVCeleb/RealVideo-FakeAudio/African/men/id00076\n"
    "id00076,id00476,-,fsgan,C,FakeVideo-RealAudio,African,men,00109_id00476_Ab-c.mp4,FakeAVCeleb/FakeVideo-RealAudio/African/men/id00076\n"
    "id00100,-,-,real,A,RealVideo-RealAudio,African,women,00021.mp4,FakeAVCeleb/RealVideo-RealAudio/African/women/id00100\n"
    "id00100,id00200,2,wav2lip,D,FakeVideo-FakeAudio,African,women,00021_id00200.mp4,x\n"
    "id00100,id00200,2,fsgan,D,FakeVideo-FakeAudio,African,women,00021_id00200.mp4,x\n",
    "reals.csv": f"영상ID,UUID,인물성별\n{A}_001.mp4,{A},F\n",
    "fakes.csv": f"영상ID,타겟영상,타겟UUID,소스UUID,변조모델,촬영시작,인물성별\n{A}_{B}_1_001.mp4,{A}_001.mp4,{A},{B},dfl,x,F\n",
    "video.csv": 'Filename,Link,Video Ground Truth,Audio Ground Truth,Finetuning Set\nr1.mp4,"a\nb",Real,Real,Train\n'
    "r2.mp4,,Real,Fake,Test\nf1.mp4,,Fake,Real,Train\nf2.mp4,,Fake,Unknown,Test\nunknown.mp4,,Unknown,Fake,Test\n",
    "train.json": [["071", "054"]],
    "val.json": [],
    "test.json": [["003", "000"]],
    "List_of_testing_videos.txt": "1 YouTube-real/00170.mp4\n1 Celeb-real/id16_0003.mp4\n0 Celeb-synthesis/id0_id16_0000.mp4\n",
    "part_0": {
        "aaaa.mp4": {"label": "REAL", "split": "train"},
        "bbbb.mp4": {"label": "FAKE", "split": "train", "original": "aaaa.mp4"},
    },
    "part_1": {
        "cccc.mp4": {"label": "FAKE", "split": "train", "original": "zzzz.mp4"},
        "dddd.mp4": {"label": "FAKE", "split": "train", "original": "zzzz.mp4"},
        "eeee.mp4": {"label": "REAL", "split": "train", "original": None},
    },
    "labels.csv": "filename,label\nffff.mp4,0\ngggg.mp4,1\n",
    "test": {"hhhh.mp4": {"is_fake": 1, "augmentations": {}}, "iiii.mp4": {"is_fake": 0, "augmentations": {}}},
}
META = "003.딥페이크/1.Training/라벨링데이터/train_meta_data"
PLACES = {
    "celebdfpp": {"List_of_testing_videos.txt": "celebdfpp.txt"},
    "dfdcp": {"dataset.json": "dataset.json"},
    "deeperforensics": {f"lists/splits/{part}.txt": f"{part}.txt" for part in ("train", "val", "test")},
    "fakeavceleb": {"meta_data.csv": "meta_data.csv"},
    "kodf": {
        f"{META}/원본영상_training_메타데이터.csv": "reals.csv",
        f"{META}/변조영상_training_메타데이터.csv": "fakes.csv",
    },
    "deepfakeeval": {"video-metadata-publish.csv": "video.csv"},
    "ffpp": {f"dataset/splits/{part}.json": f"{part}.json" for part in ("train", "val", "test")},
    "celebdf": {"List_of_testing_videos.txt": "List_of_testing_videos.txt"},
    "dfdc": {
        "train/dfdc_train_part_0/metadata.json": "part_0",
        "train/dfdc_train_part_1/metadata.json": "part_1",
        "validation/labels.csv": "labels.csv",
        "test/metadata.json": "test",
    },
}


def lines(name: str) -> list[list[str]]:
    """The rows of a tree: file, group, part, method, quality; empty for "-"."""
    rows = [line.split() for line in TREES[name].splitlines() if line.strip() and "(" not in line]
    return [["" if word == "-" else word for word in row] for row in rows]


def video_of(name: str, file: str) -> str:
    known = NAMED.get(name, {})
    return (
        known.get(file)
        or known.get(Path(file).stem)
        or (file.rstrip("/") if file[-1] == "/" else file.rpartition(".")[0])
    )


def write(path: Path, content) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.fixture(scope="session")
def trees(tmp_path_factory, people) -> dict[str, Path]:
    """All data sets, with videos, or folders, of three frames of 160x120."""
    root, seen = tmp_path_factory.mktemp("sets"), list(people.values())
    for name, text in TREES.items():
        ignored = re.search(r"\((.*)\)", text)[1].split()
        for number, (file, *_) in enumerate(lines(name)):
            images = [cv2.resize(image, (160, 120)) for image in seen[number % 3][:3]]
            if file.endswith(("/", ".png")):
                (root / name / file).parent.mkdir(parents=True, exist_ok=True)
                (root / name / file).mkdir() if file[-1] == "/" else cv2.imwrite(str(root / name / file), images[0])
                for index, image in enumerate(images * (file[-1] == "/")):
                    cv2.imwrite(str(root / name / file / f"{7 * index}.png"), image)
            else:
                write_video(root / name / file, images, fourcc="MJPG" if file.endswith("avi") else "mp4v")
        for file in ignored:
            write(root / name / file, "nothing")
        for place, content in PLACES.get(name, {}).items():
            write(root / name / place, FILES[content])
    for speaker in ("fadg0", "fram1", "mccs0", "mmdm2", "mxyz0"):
        for index, image in enumerate(seen[0][:2], 1):
            path = root / "VidTIMIT" / speaker / "video" / "sa1" / f"{index:03d}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(cv2.imencode(".jpg", image)[1].tobytes())
    (root / "both").mkdir()
    for name in ("ffpp", "celebdf"):
        (root / "both" / name).symlink_to(root / name)
    return {name: root / name for name in (*TREES, "VidTIMIT", "both")}


REALS = {"timit": "VidTIMIT", "deeperforensics": "ffpp", "df40": "both"}


def facts(clips) -> dict[str, tuple]:
    return {
        clip.video: (clip.label, clip.dataset, clip.people, clip.sources, clip.method, clip.quality) for clip in clips
    }


def groups(clips, by: str) -> dict[str, str]:
    named = name_groups([links(clip.people, clip.sources, by) for clip in clips])
    return {clip.video: group for clip, group in zip(clips, named, strict=True)}


def test_every_adapter_has_a_tree():
    assert TREES.keys() == ADAPTERS.keys()


@pytest.mark.parametrize("name", ADAPTERS)
def test_clips_match_the_tree(trees, name):
    clips = find_clips(name, trees[name])
    expected = {video_of(name, file): (file, *rest) for file, *rest in lines(name)}
    assert [clip.video for clip in clips] == sorted(expected), "each once, nothing else"
    grouped = groups(clips, find_adapter(name).by[0])
    for clip in clips:
        file, group, part, method, quality = expected[clip.video]
        assert clip.path.resolve() == (trees[name] / file).resolve()
        assert (grouped[clip.video], clip.part, clip.method, clip.quality) == (group, part, method, quality), clip.video
        assert clip.label == bool(FAKES.search(clip.video))
        assert clip.dataset == name
        assert clip.sources, "find_clips gives a video itself as its source"
        assert not Path(clip.video).is_absolute()
        assert not {"", ".", ".."} & set(clip.video.split("/")), "safe as a folder"
    assert len({clip.video.casefold() for clip in clips}) == len(clips), "on any file system"


@pytest.mark.parametrize("name", ADAPTERS)
def test_videos_frames_and_lists_agree(trees, json_of, tmp_path, name):
    realdir = trees[REALS[name]] if name in REALS else None
    reals = ("--realdir", realdir) if realdir else ()
    clips = find_clips(name, trees[name], realdir)
    found = json_of("split", name, "--viddir", trees[name], *reals, "--crop", "none", "--workers", "1")
    assert (found["videos"], found["failed"], found["notes"]) == (len(clips), [], [])
    assert facts(find_clips(name, tmp_path / "img")) == facts(clips)
    json_of("make-csv", name, "--ratio", "0.5")
    train, val = (pd.read_csv(tmp_path / "csv" / path, dtype=str) for path in ("train/train.csv", "val/validation.csv"))
    assert not set(train["group"]) & set(val["group"])
    assert set(train["label"]) == set(val["label"]) == {"real", "fake"}
    assert set(train["video"]) | set(val["video"]) == {clip.video for clip in clips}


STRAY = {"timit": {"sample.mov"}, "folder": {"real/.hidden.mp4"}}


@pytest.mark.parametrize("name", ADAPTERS)
def test_trees_are_intact(trees, tmp_path, name):
    realdir = trees[REALS[name]] if name in REALS else None
    settings = Verify(adapter=name, folder=trees[name], realdir=realdir, workers=1, record=tmp_path / "verify.csv")
    found = verify(settings)
    unexpected = {path.relative_to(trees[name]).as_posix() for path in found.unexpected}
    assert (found.corrupt, unexpected, found.closed) == ({}, STRAY.get(name, set()), {})
    assert found.checked == len(find_clips(name, trees[name], realdir)) == sum(part.found for part in found.parts)


def copy(clip: Clip, suffix: str) -> Clip:
    """The same clip of other people."""
    people, sources = (tuple(name + suffix for name in names) for names in (clip.people, clip.sources))
    return clip._replace(video=clip.video + suffix, people=people, sources=sources)


PUBLISHED = [name for name, adapter in ADAPTERS.items() if adapter.official]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_split_is_kept(trees, name):
    few = find_clips(name, trees[name], trees[REALS[name]] if name in REALS else None)
    clips = [copy(clip, str(number)) for clip in few for number in range(4)]
    videos = pd.DataFrame(describe(clips, name).values()).set_index("video")
    videos["label"] = videos["label"].map(LABELS.index)
    lists = lists_of(videos, MakeCsv(adapter=name, protocol="official", ratio=0.5))
    published = {part: {clip.video for clip in clips if clip.part == part} for part in ("train", "val", "test")}
    if not published["val"]:
        published["train"] -= (val := set(lists["val"]))
        published["val"] = val
    assert {part: set(members) for part, members in lists.items()} == {k: v for k, v in published.items() if v}


def test_published_split_of_dfdc_is_its_folders(trees, json_of, tmp_path):
    json_of("split", "dfdc", "--viddir", trees["dfdc"], "--crop", "none", "--workers", "1")
    lists = json_of("make-csv", "dfdc", "--protocol", "official")["lists"]
    videos = {part: set(pd.read_csv(tmp_path / path)["video"]) for part, path in lists.items()}
    expected = {part: {video_of("dfdc", file) for file, _, of, *_ in lines("dfdc") if of == part} for part in videos}
    assert videos == expected
    assert videos.keys() == {"train", "val", "test"}


@pytest.mark.parametrize("name", ["ffpp", "celebdf"])
def test_published_split_needs_its_files(trees, tmp_path, name):
    copy = shutil.copytree(trees[name], tmp_path / name)
    for place in PLACES[name]:
        (copy / place).unlink()
    assert {clip.part for clip in find_clips(name, copy)} == {""}
    for place, content in PLACES[name].items():  # beside the videos, where a user gave the folder above
        write(tmp_path / Path(place).name if name == "ffpp" else copy / place, FILES[content])
    parts = {clip.video: clip.part for clip in find_clips(name, tmp_path)}
    assert parts == {video_of(name, file): part for file, _, part, *_ in lines(name)}


def test_groups_by_pair_and_by_video(trees):
    clips = find_clips("celebdf", trees["celebdf"])
    by_pair, by_video = groups(clips, "pair"), groups(clips, "video")
    assert by_pair["Celeb-synthesis/id0_id16_0000"] == by_pair["Celeb-synthesis/id16_id0_0003"] == "id0-id16"
    assert by_video["Celeb-synthesis/id0_id16_0000"] == by_video["Celeb-real/id0_0000"] == "id0_0000"
    assert by_video["Celeb-synthesis/id16_id0_0003"] == by_video["Celeb-real/id16_0003"] == "id16_0003"


def test_extracted_frames_replace_missing_videos(trees, people, tmp_path):
    """As in DeepfakeBench: ``frames/NAME/`` next to or instead of the videos."""
    places = {
        "uadfv": ["real/frames/0007", "fake/frames/0007_fake", "real/frames/0000"],
        "ffpp": ["original_sequences/youtube/c23/frames/007", "manipulated_sequences/Face2Face/c40/images/007_008"],
        "celebdf": ["Celeb-real/frames/id7_0000", "YouTube-real/frames/00007"],
        "dfdc": ["test/frames/hhhh"],
    }
    for name, frames in places.items():
        copy = shutil.copytree(trees[name], tmp_path / name)
        for place in frames:
            (copy / place).mkdir(parents=True)
            cv2.imwrite(str(copy / place / "012.png"), people["man_a"][0])
        before, after = facts(find_clips(name, trees[name])), find_clips(name, copy)
        assert before.items() <= facts(after).items(), "where there is a video, it is read"
        added = [clip for clip in after if clip.video not in before]
        assert len(added) == len(frames) - (name in ("uadfv", "dfdc"))
        assert all(clip.path.is_dir() for clip in added)


def test_dfdc_reports_missing_videos_and_rejects_unlisted_ones(trees, json_of, deepfake, tmp_path):
    copy = shutil.copytree(trees["dfdc"], tmp_path / "dfdc")
    part = copy / "train" / "dfdc_train_part_0"
    (part / "bbbb.mp4").rename(tmp_path / "bbbb.mp4")
    found = json_of("split", "dfdc", "--viddir", part, "--crop", "none", "--workers", "1")
    assert [item["video"] for item in found["failed"]] == ["dfdc_train_part_0/fake/aaaa/bbbb"]
    assert "no such file" in found["failed"][0]["reason"]
    (tmp_path / "bbbb.mp4").rename(part / "xxxx.mp4")
    said = deepfake("split", "dfdc", "--viddir", copy, check=1).stderr
    assert "metadata.json: does not list 1 of the videos next to it, such as xxxx" in said


@pytest.mark.parametrize(
    "name, place, text, said",
    [
        ("dfdc", "test/metadata.json", '{"a.mp4": {\n"label": }', "metadata.json: invalid JSON in line 2"),
        ("dfdc", "test/metadata.json", "\ufeff", "metadata.json: invalid JSON in line 1"),
        (
            "dfdc",
            "test/metadata.json",
            '{"..": {"label": "FAKE"}, "hhhh.mp4": {}, "iiii.mp4": {}}',
            "'..' is not the name",
        ),
        ("dfdc", "test/metadata.json", "[1]", 'metadata.json: expected {"NAME.mp4": {"label": "FAKE"'),
        ("dfdc", "test/metadata.json", '{"a.mp4": 1}', "metadata.json: expected {"),
        (
            "dfdc",
            "test/metadata.json",
            '{"hhhh.mp4": {"label": "?"}, "iiii.mp4": {}}',
            "hhhh.mp4: found label '?', expected REAL or FAKE",
        ),
        (
            "dfdc",
            "validation/labels.csv",
            "a,b\n1,2\n",
            "labels.csv: expected the columns filename and label; found ['a', 'b']",
        ),
        ("ffpp", "dataset/splits/val.json", '[["1", "2"],', "val.json: invalid JSON in line 1"),
        ("ffpp", "dataset/splits/val.json", "ÿ", "val.json: not UTF-8 text: invalid start byte at byte 0"),
        ("dfdc", "validation/labels.csv", "filename,label\nÿ,0\n", "labels.csv: not UTF-8 text"),
        ("celebdf", "List_of_testing_videos.txt", "ÿ", "List_of_testing_videos.txt: not UTF-8 text"),
        ("ffpp", "dataset/splits/val.json", '{"1": "2"}', "val.json: expected a list of pairs of videos"),
        (
            "celebdf",
            "List_of_testing_videos.txt",
            "1 a.mp4\n\nb.mp4\n",
            "List_of_testing_videos.txt: line 2: expected a label and a video",
        ),
    ],
)
def test_broken_lists_are_named(trees, tmp_path, name, place, text, said):
    copy = shutil.copytree(trees[name], tmp_path / name)
    (copy / place).write_text(text, encoding="latin-1" if "ÿ" in text else "utf-8")
    with pytest.raises(DatasetError, match=re.escape(said)):
        find_clips(name, copy)


@pytest.mark.parametrize(
    "name, old, new, said",
    [
        (
            "timit",
            "higher_quality/fadg0/sa1-video-fram1.avi",
            "higher_quality/fadg0/sa1.avi",
            "SENTENCE-video-PARTNER",
        ),
        (
            "ffpp",
            "manipulated_sequences/Deepfakes/c23/videos/000_003.mp4",
            "manipulated_sequences/Deepfakes/c23/videos/000.mp4",
            "TARGET_SOURCE, such as 000_003",
        ),
        (
            "celebdf",
            "Celeb-synthesis/id0_id16_0000.mp4",
            "Celeb-synthesis/id0_0000.mp4",
            "expected a name such as id0_id16_0000",
        ),
        ("celebdf", "YouTube-real/00170.mp4", "YouTube-real/id1_00170.mp4", "expected a name such as 00000"),
        ("uadfv", "real/0001.mp4", "real/0000.avi", "1 names are used by two videos each, such as real/0000"),
    ],
)
def test_invalid_file_names(trees, tmp_path, name, old, new, said):
    copy = shutil.copytree(trees[name], tmp_path / name)
    (copy / old).rename(copy / new)
    with pytest.raises(DatasetError, match=re.escape(said)):
        find_clips(name, copy)


@pytest.mark.parametrize(
    "name, tree, moves, given, said",
    [
        # the right one is further down, or above
        ("uadfv", "uadfv", {".": "a/b/c/d"}, ".", "Use the sub-folder {root}/a/b/c/d."),
        ("uadfv", "uadfv", {}, "real", "This is the real folder itself; use its parent, {root}."),
        (
            "timit",
            "timit",
            {},
            "higher_quality/fadg0",
            "This is inside the higher_quality folder itself; use its parent, {root}.",
        ),
        ("ffpp", "ffpp", {}, "original_sequences/youtube/c23", "use its parent, {root}."),
        ("celebdf", "celebdf", {}, "Celeb-synthesis", "use its parent, {root}."),
        # it is there twice
        (
            "uadfv",
            "uadfv",
            {".": "a", "copy": "b"},
            ".",
            "2 folders have this layout: {root}/a, {root}/b. Give one of them.",
        ),
        # nearly the right name
        ("timit", "timit", {"higher_quality": "higher_qualty"}, ".", "Rename {root}/higher_qualty to higher_quality."),
        (
            "timit",
            "timit",
            {"higher_quality": "higher_qualty", "lower_quality": "low"},
            ".",
            "Rename {root}/higher_qualty to",
        ),
        ("uadfv", "uadfv", {"real": "REAL", "fake": "FAKE"}, ".", "Rename {root}/REAL to real."),
        ("folder", "uadfv", {"fake": "fakes"}, ".", "Rename {root}/fakes to fake."),
        ("celebdf", "celebdf", {"YouTube-real": "Youtube-real"}, ".", "Rename {root}/Youtube-real to YouTube-real."),
        (
            "dfdc",
            "dfdc",
            {"test/metadata.json": "test/metadata (1).json"},
            "test",
            "Rename {root}/test/metadata (1).json to metadata.json.",
        ),
        # still packed
        (
            "uadfv",
            "uadfv",
            {"real": "gone", "fake": "gone", "README.txt": "fake_videos.zip"},
            ".",
            "Extract fake_videos.zip first.",
        ),
        (
            "uadfv",
            "uadfv",
            {"README.txt": "fake_videos.zip"},
            "fake_videos.zip",
            "is an archive; extract it and give the folder.",
        ),
        # another data set
        ("timit", "uadfv", {}, ".", "This looks like uadfv or folder: use that name instead."),
        ("folder", "ffpp", {}, ".", "This looks like ffpp: use that name instead."),
        ("uadfv", "celebdf", {}, ".", "This looks like celebdf: use that name instead."),
        ("celebdf", "dfdc", {}, ".", "This looks like dfdc: use that name instead."),
        ("dfdc", "timit", {}, ".", "This looks like timit: use that name instead."),
        ("timit", "VidTIMIT", {}, ".", "This looks like the folder of real videos: give it as --realdir"),
        # nothing
        ("ffpp", "ffpp", {}, "README.md", "is a file; expected the folder of FaceForensics++"),
        ("ffpp", "ffpp", {}, "original_sequence", "manipulated_sequences/. Did you mean {root}/original_sequences?"),
        (
            "dfdc",
            "uadfv",
            {"real": "gone", "fake": "gone"},
            ".",
            "expected DFDC: metadata.json or labels.csv next to the videos; found ",
        ),
    ],
)
def test_a_wrong_folder_gives_a_hint(trees, tmp_path, name, tree, moves, given, said):
    root = tmp_path / "given"
    for old, new in moves.items():
        if old in (".", "copy"):
            shutil.copytree(trees[tree], root / new)
    if not root.exists():
        shutil.copytree(trees[tree], root)
    for old, new in moves.items():
        if new == "gone":
            shutil.rmtree(root / old)
        elif old not in (".", "copy"):
            (root / old).rename(root / new)
    with pytest.raises(DatasetError) as caught:
        find_clips(name, root / given)
    assert said.format(root=root) in str(caught.value)
    assert str(caught.value).startswith(str(root))
    assert len(str(caught.value).replace(str(root), "ROOT")) < 260, "one line or two"


@pytest.mark.parametrize(
    "given, near",
    [("VidTIMIT/fadg0", "VidTIMIT"), ("VidTIMIT/fadg0/video", "VidTIMIT"), (".", "VidTIMIT"), ("uadfv", None)],
)
def test_realdir_may_be_above_or_below(trees, given, near):
    root = trees["VidTIMIT"].parent
    with pytest.raises(DatasetError, match="expected VidTIMIT: SPEAKER/video/SENTENCE") as caught:
        find_clips("timit", trees["timit"], root / given)
    assert (f"Use {root / near}." in str(caught.value)) if near else ("Use" not in str(caught.value))


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_card_has_the_same_paragraphs(deepfake, name):
    headings = [heading for heading, _ in paragraphs(find_adapter(name).card)]
    assert headings == ["", "", *HEADINGS]
    printed = deepfake("datasets", "info", name).stdout
    assert all(f"\n{heading}: " in printed for heading in HEADINGS)
    assert find_adapter(name).by[0] in printed


def test_table_and_docs_list_all_data_sets(deepfake, json_of):
    rows = json_of("datasets")
    assert [row["name"] for row in rows] == list(ADAPTERS)
    printed = deepfake("datasets", COLUMNS="80").stdout
    for name in ADAPTERS:
        assert re.search(rf"^ +{name} ", printed, re.MULTILINE)
    assert max(map(len, printed.splitlines())) <= 80
    page = DOCS.read_text(encoding="utf-8")
    assert page.endswith(documentation()), "run deepfake datasets docs"
    assert deepfake("datasets", "docs").stdout == documentation()


def test_own_adapter(deepfake, uadfv, tmp_path):
    (tmp_path / "mine.py").write_text(
        '"""Mine.\n\nTwo paragraphs\n    as they are."""\nfrom deepfake_cli.datasets.clip import Clip\n\n\n'
        "def clips(root):\n"
        "    for path in sorted(root.rglob('*.mp4')):\n"
        "        yield Clip(path, 'fake' in path.stem, 'mine', path.stem)\n\n\nnumber = 3\n"
    )
    assert deepfake("datasets", "info", "mine:clips").stdout.startswith("Mine.\n\nTwo paragraphs\n    as they are.\n")
    assert "mine:number: expected a function" in deepfake("datasets", "info", "mine:number", check=1).stderr
    assert "Did you mean uadfv?" in deepfake("datasets", "info", "uadvf", check=1).stderr
    with pytest.raises(DeepfakeError, match="cannot be imported"):
        find_adapter("nowhere:clips")


@pytest.mark.parametrize("words", ["split", "make-csv", "datasets info"])
def test_shell_completion_of_names(words):
    asked = {
        "_DEEPFAKE_COMPLETE": "complete_bash",
        "COMP_WORDS": f"deepfake {words} c",
        "COMP_CWORD": str(len(words.split()) + 1),
    }
    command = "import sys; sys.argv = ['deepfake']; from deepfake_cli.__main__ import main; main()"
    said = subprocess.run([sys.executable, "-c", command], env=os.environ | asked, capture_output=True, text=True)
    assert said.stdout.split() == ["celebdf", "celebdfpp"]


def test_one_kind_of_child_hides_no_other(people, json_of, tmp_path):
    """Images, videos, folders of frames and folders in one folder: each is read, or listed with the reason."""
    root, images = tmp_path / "raw", people["man_a"]
    for name in ("real/anna/1.mp4", "real/anna/2.mp4", "real/bea/day/1.mp4", "fake/x.mp4", "fakes of 2020/y/z.mp4"):
        write_video(root / name, images[:2])
    for name in ("real/anna/thumb.jpg", "real/bea/cover.png", "real/bea/photos/000.jpg", "fake/photo.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / name), images[0])
    for name in ("real/cora/a.gif", "real/bea/photos/b.raw", "real/anna/noext", "real/anna/notes.txt"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"x")
    found = json_of("split", "folder", "--viddir", "raw", "--crop", "none", "--workers", "1")
    listed = pd.read_csv(tmp_path / "img" / "manifest.csv")
    assert listed.groupby("video").size().to_dict() == {
        "fake/photo": 1, "fake/x": 2, "real/anna/1": 2, "real/anna/2": 2, "real/bea/day/1": 2, "real/bea/images": 1,
        "real/bea/photos": 1,
    }  # fmt: skip
    ignored = {str(Path(path).relative_to("raw")): why for path, why in found["ignored_reasons"].items()}
    assert ignored == {
        "real/anna/noext": "not a format that is read",
        "real/anna/thumb.jpg": "images beside videos are not read",
        "real/bea/photos/b.raw": "not a format that is read",
        "real/cora/a.gif": "not a format that is read",
        "fakes of 2020/y/z.mp4": "its place or its name is not in the layout of the data set, or it has no label",
    }
    assert list(found["ignored_reasons"]) == found["ignored"]
    assert facts(find_clips("folder", tmp_path / "img")) == facts(find_clips("folder", root)), "the tree reads alike"


def test_a_fixed_layout_lists_what_it_does_not_read(people, json_of, tmp_path):
    root, images = tmp_path / "raw", people["man_a"]
    for name in ("real/0000.mp4", "real/more/0001.mp4", "real/anna/0002.mp4", "fake/0000_fake.mp4"):
        write_video(root / name, images[:2])
    for name in ("real/thumb.jpg", "real/anna/thumb.jpg"):
        cv2.imwrite(str(root / name), images[0])
    found = json_of("split", "uadfv", "--viddir", "raw", "--crop", "none", "--workers", "1")
    assert found["videos"] == 2
    assert {str(Path(path).relative_to("raw/real")) for path in found["ignored"]} == {
        "more/0001.mp4", "anna/0002.mp4", "anna/thumb.jpg", "thumb.jpg",
    }  # fmt: skip


def test_dfdc_takes_no_file_or_row_for_another(trees, tmp_path):
    part = shutil.copytree(trees["dfdc"], tmp_path / "dfdc") / "train" / "dfdc_train_part_0"
    shutil.copyfile(part / "bbbb.mp4", part / "aaaa.webm")
    with pytest.raises(DatasetError, match=r"two files are the video aaaa; keep the one that metadata.json lists"):
        find_clips("dfdc", part)
    (part / "aaaa.webm").unlink()
    (part / "metadata.json").write_text(
        '{"aaaa.mp4": {"label": "REAL"}, "bbbb.mp4": {}, "aaaa.mp4": {"label": "FAKE"}}'
    )
    with pytest.raises(DatasetError, match=r"metadata.json: lists aaaa.mp4 twice; keep one"):
        find_clips("dfdc", part)
    rows = "filename,label\nffff.mp4,0\ngggg.mp4,1\nffff.mp4,1\n"
    (part.parents[1] / "validation" / "labels.csv").write_text(rows)
    with pytest.raises(DatasetError, match=r"labels.csv: line 4: ffff.mp4 has another row too; keep one"):
        find_clips("dfdc", part.parents[1] / "validation")


@pytest.mark.parametrize("name", ADAPTERS)
def test_folders_may_be_strings(trees, name):
    adapter, root = find_adapter(name), trees[name]
    assert list(adapter.clips(str(root))) == list(adapter.clips(root)) != []
    assert find_clips(name, str(root)) == find_clips(name, root)


def test_an_adapter_of_a_user_may_give_strings(tmp_path, monkeypatch):
    (tmp_path / "strung.py").write_text(
        "from deepfake_cli import Clip\ndef clips(root):\n    yield Clip(f'{root}/a.mp4', 0, 'mine', 'a')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    (clip,) = find_clips("strung:clips", str(tmp_path))
    assert clip.path == tmp_path / "a.mp4"
